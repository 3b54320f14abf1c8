package store_test

import (
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// What has ended is removed, however much it is, and what lasts stays.
func TestPurgeSessions(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		now := time.Now().UTC()
		s := storetest.OpenWith(t, store.Options{URL: url, Now: func() time.Time { return now }})
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		account := storetest.Account(t, s, "pro")
		key := func() (elumenta.KeyID, elumenta.KeySecret) {
			secret := elumenta.NewKeySecret()
			k, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "k"}, secret, nil)
			ok(err)
			return k.ID, secret
		}
		signIn := func(secret elumenta.KeySecret) elumenta.SessionToken {
			n := elumenta.NewSession{Token: elumenta.NewSessionToken()}
			_, err := s.SignIn(t.Context(), secret.Hash(), n)
			ok(err)
			return n.Token
		}
		db := storetest.Raw(t, url)
		left := func(sessions, links int) {
			t.Helper()
			ok(s.PurgeSessions(t.Context()))
			for table, want := range map[string]int{"sessions": sessions, "sign_in_links": links} {
				var n int
				ok(db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
				if n != want {
					t.Errorf("%d rows of %s are left, want %d", n, table, want)
				}
			}
		}
		id, secret := key()
		revoked, gone := key()
		idle, used := signIn(secret), signIn(secret)
		signIn(gone)
		ok(s.NewSignInLink(t.Context(), id, elumenta.NewSessionToken()))
		left(3, 1)
		ok(s.RevokeKey(t.Context(), account, revoked))
		left(2, 1)
		now = now.Add(elumenta.SessionIdle - time.Hour)
		if _, _, err := s.Session(t.Context(), used.Hash()); err != nil {
			t.Fatal(err)
		}
		left(2, 0)
		now = now.Add(2 * time.Hour)
		left(1, 0)
		if _, _, err := s.Session(t.Context(), idle.Hash()); !elumenta.HasCode(err, elumenta.CodeNotAuthenticated) {
			t.Errorf("%v", err)
		}
		if _, _, err := s.Session(t.Context(), used.Hash()); err != nil {
			t.Error(err)
		}
		now = now.Add(elumenta.SessionLifetime)
		left(0, 0)

		tx, err := db.BeginTx(t.Context(), nil)
		ok(err)
		for range 1200 { // more than one transaction removes
			hash := elumenta.NewSessionToken().Hash()
			_, err := tx.ExecContext(t.Context(), `INSERT INTO sessions (id, account_id, key_id, hash, user_agent, address, created_at, last_seen_at)
				VALUES ($1, $2, $3, $4, '', '', 1, 1)`, string(elumenta.NewSessionID()), string(account), string(id), hash[:])
			ok(err)
		}
		ok(tx.Commit())
		left(0, 0)
	})
}
