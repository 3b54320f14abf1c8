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

// testKeyLimits: a key has the limits that it was given, wherever it is read, until they are changed.
func testKeyLimits(t *testing.T, url string) {
	c := &clock{at: time.Now().UTC().Truncate(time.Microsecond)}
	s := OpenWith(t, store.Options{URL: url, Serve: true, Now: c.now})
	id := Account(t, s, "pro")
	soon := c.now().Add(time.Hour)
	asst := elumenta.NewAssistantID()
	all := elumenta.KeyLimits{
		Assistants: []elumenta.AssistantID{asst, elumenta.NewAssistantID()}, Models: []string{"m", `"quoted" \\ ü`}, Budget: new(int64(0)), ExpiresAt: soon,
	}
	for _, limits := range []elumenta.KeyLimits{{}, {ReadOnly: true, ExpiresAt: soon}, {Budget: new(int64(elumenta.MaxKeyBudget))}, all} {
		secret := elumenta.NewKeySecret()
		key, _, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "k", Limits: limits}, secret, nil)
		wantOK(t, err)
		if diff := cmp.Diff(limits, key.Limits); diff != "" {
			t.Fatalf("created (-want +got):\n%s", diff)
		}
		caller, err := s.Authenticate(t.Context(), secret.Hash())
		wantOK(t, err)
		if diff := cmp.Diff(*key, caller.Key); diff != "" {
			t.Fatalf("authenticated (-want +got):\n%s", diff)
		}
		lifted, err := s.ChangeKey(t.Context(), id, key.ID, &elumenta.KeyPatch{
			ReadOnly: elumenta.Optional[bool]{Set: true, Null: true}, Budget: elumenta.Optional[int64]{Set: true, Null: true},
			Assistants: elumenta.Optional[[]elumenta.AssistantID]{Set: true, Null: true}, Models: elumenta.Optional[[]string]{Set: true, Null: true},
			ExpiresAt: elumenta.Optional[time.Time]{Set: true, Null: true},
		})
		wantOK(t, err)
		if diff := cmp.Diff(elumenta.KeyLimits{}, lifted.Limits); diff != "" {
			t.Fatalf("lifted (-want +got):\n%s", diff)
		}
		if limits.First() != "" && lifted.Revision <= key.Revision {
			t.Fatalf("the revision is %d after %d", lifted.Revision, key.Revision)
		}
		set, err := s.ChangeKey(t.Context(), id, key.ID, keyPatchOf(limits))
		wantOK(t, err)
		keys, _, err := s.Keys(t.Context(), id, "", 1)
		wantOK(t, err)
		caller, err = s.Authenticate(t.Context(), secret.Hash())
		wantOK(t, err)
		caller.Key.LastUsedAt, keys[0].LastUsedAt = set.LastUsedAt, set.LastUsedAt // it follows the use
		want := *set
		want.Limits = limits
		for where, got := range map[string]elumenta.Key{"changed": *set, "listed": keys[0], "authenticated": caller.Key} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", where, diff)
			}
		}
		same, err := s.ChangeKey(t.Context(), id, key.ID, keyPatchOf(limits))
		wantOK(t, err)
		if same.Revision != set.Revision {
			t.Fatal("a patch that changes nothing raises the revision")
		}
	}
}

func keyPatchOf(l elumenta.KeyLimits) *elumenta.KeyPatch {
	p := &elumenta.KeyPatch{
		ReadOnly: elumenta.Some(l.ReadOnly), Assistants: elumenta.Some(l.Assistants), Models: elumenta.Some(l.Models), ExpiresAt: elumenta.Some(l.ExpiresAt),
	}
	if l.Budget != nil {
		p.Budget = elumenta.Some(*l.Budget)
	}
	return p
}

// testKeyLimitsRefused: what is wrong is refused as a whole, and changes nothing.
func testKeyLimitsRefused(t *testing.T, url string) {
	s := Open(t, url)
	id := Account(t, s, "pro")
	budget, _, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "k", Limits: elumenta.KeyLimits{Budget: new(int64(1))}}, elumenta.NewKeySecret(), nil)
	wantOK(t, err)
	for _, bad := range []elumenta.KeyLimits{
		{Budget: new(int64(-1))}, {Budget: new(int64(elumenta.MaxKeyBudget + 1))}, {ReadOnly: true, Models: []string{"m"}},
		{Models: []string{}}, {Models: []string{"m", "m"}}, {Models: []string{""}}, {Models: make([]string, elumenta.MaxKeyScope+1)},
		{Assistants: []elumenta.AssistantID{}}, {Assistants: []elumenta.AssistantID{"asst_"}}, {ExpiresAt: time.Now().Add(-time.Second)},
	} {
		_, _, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "k", Limits: bad}, elumenta.NewKeySecret(), nil)
		want(t, err, elumenta.CodeValidation)
		p := keyPatchOf(bad)
		p.Name = elumenta.Some("renamed")
		_, err = s.ChangeKey(t.Context(), id, budget.ID, p)
		want(t, err, elumenta.CodeValidation)
	}
	_, err = s.ChangeKey(t.Context(), id, budget.ID, &elumenta.KeyPatch{ReadOnly: elumenta.Some(true)}) // by the budget that it has
	want(t, err, elumenta.CodeValidation)
	keys, _, err := s.Keys(t.Context(), id, "", 9)
	wantOK(t, err)
	if diff := cmp.Diff([]elumenta.Key{*budget}, keys); diff != "" {
		t.Fatalf("a refusal changed something (-want +got):\n%s", diff)
	}
}

// testKeyExpiry: an expired key is not authenticated; it may be renamed as it is, and works again once it is extended.
func testKeyExpiry(t *testing.T, url string) {
	c := &clock{at: time.Now().UTC().Truncate(time.Microsecond)}
	s := OpenWith(t, store.Options{URL: url, Serve: true, Now: c.now})
	id := Account(t, s, "pro")
	secret := elumenta.NewKeySecret()
	key, _, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "k", Limits: elumenta.KeyLimits{ExpiresAt: c.now().Add(time.Minute)}}, secret, nil)
	wantOK(t, err)
	c.set(c.now().Add(time.Minute - time.Microsecond))
	_, err = s.Authenticate(t.Context(), secret.Hash())
	wantOK(t, err)
	c.set(c.now().Add(time.Microsecond))
	_, err = s.Authenticate(t.Context(), secret.Hash())
	want(t, err, elumenta.CodeNotAuthenticated)
	_, err = s.ChangeKey(t.Context(), id, key.ID, &elumenta.KeyPatch{Name: elumenta.Some("renamed")})
	wantOK(t, err)
	_, err = s.ChangeKey(t.Context(), id, key.ID, &elumenta.KeyPatch{ExpiresAt: elumenta.Some(c.now())})
	want(t, err, elumenta.CodeValidation)
	_, err = s.ChangeKey(t.Context(), id, key.ID, &elumenta.KeyPatch{ExpiresAt: elumenta.Some(c.now().Add(time.Second))})
	wantOK(t, err)
	_, err = s.Authenticate(t.Context(), secret.Hash())
	wantOK(t, err)
}
