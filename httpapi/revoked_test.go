package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

// TestRevokedKeyIsForgotten: a node that has a key cached reads it anew once it has been refused, whatever the request was refused for.
func TestRevokedKeyIsForgotten(t *testing.T) {
	var generator httpapi.Generator
	s := newServer(t, setup{options: func(o *httpapi.Options) { generator = o.Generator }})
	key, account := s.account("free")
	s.do("POST", "/generate", key, map[string]any{"model": "sandbox", "prompt": "Hi"}).want(http.StatusOK)
	keys, _, err := s.store.Keys(t.Context(), account, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.RevokeKey(t.Context(), account, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	secret, _ := elumenta.ParseKeySecret(key)
	if _, err := generator.Authenticate(t.Context(), secret); err != nil {
		t.Fatalf("it is not cached: %v", err)
	}
	s.do("POST", "/generate", key, map[string]any{"model": "sandbox"}, "Content-Type", "text/plain").wantError(http.StatusUnauthorized, elumenta.CodeNotAuthenticated)
	if _, err := generator.Authenticate(t.Context(), secret); !elumenta.HasCode(err, elumenta.CodeNotAuthenticated) {
		t.Errorf("it is still cached: %v", err)
	}
}
