package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

func testKeys(t *testing.T, url string) {
	s := Open(t, url)
	id, other := Account(t, s, "pro"), Account(t, s, "pro")
	secret := elumenta.NewKeySecret()
	key, replayed, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "first"}, secret, nil)
	wantOK(t, err)
	if replayed || key.Prefix != secret.Reveal()[:8] || key.AccountID != id || !key.LastUsedAt.IsZero() {
		t.Fatalf("a new key: %+v", key)
	}
	_, _, err = s.CreateKey(t.Context(), other, elumenta.NewKey{Name: "same"}, secret, nil)
	want(t, err, elumenta.CodeConflict)
	_, _, err = s.CreateKey(t.Context(), elumenta.NewAccountID(), elumenta.NewKey{Name: "nobody's"}, elumenta.NewKeySecret(), nil)
	want(t, err, elumenta.CodeNotFound)
	_, _, err = s.CreateKey(t.Context(), id, elumenta.NewKey{Name: ""}, elumenta.NewKeySecret(), nil)
	want(t, err, elumenta.CodeValidation)

	renamed, err := s.ChangeKey(t.Context(), id, key.ID, &elumenta.KeyPatch{Name: elumenta.Some("renamed")})
	wantOK(t, err)
	if renamed.Name != "renamed" || renamed.Revision <= key.Revision {
		t.Fatalf("renamed: %+v", renamed)
	}
	for _, stranger := range []struct {
		account elumenta.AccountID
		key     elumenta.KeyID
	}{{other, key.ID}, {id, elumenta.NewKeyID()}} {
		_, err = s.ChangeKey(t.Context(), stranger.account, stranger.key, &elumenta.KeyPatch{Name: elumenta.Some("x")})
		want(t, err, elumenta.CodeNotFound)
		want(t, s.RevokeKey(t.Context(), stranger.account, stranger.key), elumenta.CodeNotFound)
	}
	for range 2 {
		_, _, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "more"}, elumenta.NewKeySecret(), nil)
		wantOK(t, err)
	}
	keys, more, err := s.Keys(t.Context(), id, "", 2)
	wantOK(t, err)
	if len(keys) != 2 || !more {
		t.Fatalf("first page: %d keys, more %t", len(keys), more)
	}
	keys, more, err = s.Keys(t.Context(), id, keys[1].ID, 2)
	wantOK(t, err)
	if diff := cmp.Diff([]elumenta.Key{*renamed}, keys); diff != "" || more {
		t.Fatalf("second page, more %t (-want +got):\n%s", more, diff)
	}
	wantOK(t, s.RevokeKey(t.Context(), id, key.ID))
	want(t, s.RevokeKey(t.Context(), id, key.ID), elumenta.CodeNotFound)
}

func testKeysIdempotent(t *testing.T, url string) {
	c := &clock{at: time.Now()}
	s := OpenWith(t, store.Options{URL: url, Serve: true, Now: c.now})
	id := Account(t, s, "pro")
	idem := s.InstallationSecret().Idempotency(id, "keys", "k1", []byte(`{"name":"a"}`))
	first, replayed, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "a"}, elumenta.NewKeySecret(), idem)
	wantOK(t, err)
	if replayed {
		t.Fatal("the first request is a replay")
	}
	again, replayed, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "a"}, elumenta.NewKeySecret(), idem)
	wantOK(t, err)
	if !replayed || again.ID != first.ID {
		t.Fatalf("repeated: %+v, replayed %t", again, replayed)
	}
	other := s.InstallationSecret().Idempotency(id, "keys", "k1", []byte(`{"name":"b"}`))
	_, _, err = s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "b"}, elumenta.NewKeySecret(), other)
	want(t, err, elumenta.CodeConflict)
	wantOK(t, s.RevokeKey(t.Context(), id, first.ID))
	_, _, err = s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "a"}, elumenta.NewKeySecret(), idem)
	want(t, err, elumenta.CodeConflict)
	c.set(c.now().Add(24*time.Hour + time.Second))
	fresh, replayed, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "b"}, elumenta.NewKeySecret(), other)
	wantOK(t, err)
	if replayed || fresh.ID == first.ID {
		t.Fatal("the key outlives its term")
	}
}

func testKeysLimit(t *testing.T, url string) {
	s := Open(t, url)
	id := Account(t, s, "pro")
	var last *elumenta.Key
	for range elumenta.MaxKeys {
		var err error
		last, _, err = s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), nil)
		wantOK(t, err)
	}
	idem := s.InstallationSecret().Idempotency(id, "keys", "k", nil)
	_, _, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), idem)
	want(t, err, elumenta.CodeValidation)
	wantOK(t, s.RevokeKey(t.Context(), id, last.ID))
	_, replayed, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), idem)
	wantOK(t, err)
	if replayed {
		t.Fatal("a refused request holds its Idempotency-Key")
	}
}
