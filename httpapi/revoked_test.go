package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

// A revoked key is told so at once, also by a request that is wrong in other ways and by one that was cached.
func TestRevokedKeyIsToldFirst(t *testing.T) {
	s := newServer(t, setup{})
	admin, _ := s.account("unlimited")
	made := s.do("POST", "/keys", admin, object{"name": "short"}).want(201)
	key, id := made["key"].(string), made["id"].(string)
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "hi"}).want(200)
	s.do("POST", "/generate", key, object{"prompt": 5}).wantError(422, elumenta.CodeValidation)
	s.do("DELETE", "/keys/"+id, admin, nil).want(204)
	s.do("POST", "/generate", key, object{"prompt": 5}).wantError(401, elumenta.CodeNotAuthenticated)
	s.do("POST", "/generate?x=1", key, object{"model": "sandbox", "prompt": "hi"}).wantError(401, elumenta.CodeNotAuthenticated)
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "hi"}, "Content-Type", "text/plain").wantError(401, elumenta.CodeNotAuthenticated)
}

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
