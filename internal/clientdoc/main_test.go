package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The clients are those of the document that the server answers now.
func TestCommittedDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openapi.json")
	if err := run(path); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../../clients/generate/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, committed) {
		t.Error("the OpenAPI document has changed: make clients, and commit what it makes")
	}
}
