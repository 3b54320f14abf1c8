package store_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// eachEngine runs a test on both engines.
func eachEngine(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, storetest.SQLite(t)) })
	t.Run("Postgres", func(t *testing.T) { test(t, storetest.Postgres(t)) })
}

func TestLastUse(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		s, err := store.Open(t.Context(), store.Options{URL: url, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		account := storetest.Account(t, s, "free")
		secret := elumenta.NewKeySecret()
		if _, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "used"}, secret, nil); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "unused"}, elumenta.NewKeySecret(), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), secret.Hash()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		keys, _, err := storetest.Open(t, url).Keys(t.Context(), account, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if want := map[string]time.Time{"used": now}[key.Name]; !key.LastUsedAt.Equal(want) {
				t.Errorf("%s was last used at %v, want %v", key.Name, key.LastUsedAt, want)
			}
		}
	})
}

func TestPurge(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		now := time.Now()
		s := storetest.OpenWith(t, store.Options{URL: url, Now: func() time.Time { return now }})
		account := storetest.Account(t, s, "pro")
		db := storetest.Raw(t, url)
		for i := range 60 {
			idem := s.InstallationSecret().Idempotency(account, "keys", strings.Repeat("k", i+1), nil)
			if _, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), idem); err != nil {
				t.Fatal(err)
			}
			if i == 29 {
				now = now.Add(time.Hour)
			}
		}
		left := func() (n int) {
			t.Helper()
			if err := s.PurgeIdempotency(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM idempotency_keys`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for _, want := range []int{60, 30, 0} {
			if n := left(); n != want {
				t.Fatalf("%d are left, want %d", n, want)
			}
			now = now.Add(23*time.Hour + time.Minute)
			if want == 30 {
				now = now.Add(time.Hour)
			}
		}
	})
}

// TestDeletedText looks for a deleted assistant's instructions in the database's files, for one that is removed at once and one that is not.
func TestDeletedText(t *testing.T) {
	for name, length := range map[string]int{"Small": 100_000, "Large": elumenta.MaxInstructions} {
		t.Run(name, func(t *testing.T) { testDeletedText(t, length) })
	}
}

func testDeletedText(t *testing.T, length int) {
	url := storetest.SQLite(t)
	s := storetest.Open(t, url)
	account := storetest.Account(t, s, "pro")
	f := storetest.Fields("x")
	f.Instructions = elumenta.Text(strings.Repeat("canary in a coal mine ", length/22))
	f.Description = "canary in a description"
	a, _, err := s.CreateAssistant(t.Context(), account, f, elumenta.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 19 {
		if _, err := s.UpdateAssistant(t.Context(), account, a.ID, 0, &elumenta.Patch{Name: elumenta.Some(strings.Repeat("y", i+1))}); err != nil {
			t.Fatal(err)
		}
	}
	found := func() (files []string) {
		t.Helper()
		if err := s.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(url, "sqlite:")
		for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
			b, err := os.ReadFile(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte("canary")) {
				files = append(files, suffix)
			}
		}
		return files
	}
	if len(found()) != 1 {
		t.Fatalf("before the deletion it is in %q", found())
	}
	if err := s.DeleteAssistant(t.Context(), account, a.ID, 0); err != nil {
		t.Fatal(err)
	}
	if length == elumenta.MaxInstructions {
		if err := s.RemoveDeleted(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if files := found(); len(files) != 0 {
		t.Fatalf("after the deletion it is still in %q", files)
	}
}
