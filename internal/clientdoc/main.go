// Command clientdoc writes the OpenAPI document from which the clients in client/ and clients/ are generated: the server's own, with only what
// a client needs. Errors are the same for every call and left to the clients' own code, as are event streams, files of comma-separated
// values and what is not under /api/v2. Extensions (x-…) tell the templates in clients/generate what they cannot compute.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

func main() {
	out := flag.String("o", "", "the `file` to write")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out string) error {
	d, err := served()
	if err != nil {
		return err
	}
	if err := d.reduce(); err != nil {
		return err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(d); err != nil {
		return err
	}
	return os.WriteFile(out, b.Bytes(), 0o600)
}

// served returns the document as a server answers it.
func served() (*document, error) {
	api, err := httpapi.New(httpapi.Options{Settings: httpapi.Settings{Catalog: &elumenta.Catalog{}}, Version: "2"})
	if err != nil {
		return nil, err
	}
	answer := httptest.NewRecorder()
	api.ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/openapi.json", nil))
	d := new(document)
	if err := json.Unmarshal(answer.Body.Bytes(), d); err != nil {
		return nil, fmt.Errorf("status %d: %w", answer.Code, err)
	}
	return d, nil
}
