package storetest

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// largeVersions are how many versions an assistant has that is more than one transaction removes.
const largeVersions = 8

func createLarge(t testing.TB, s *store.Store, owner elumenta.AccountID) *elumenta.Assistant {
	t.Helper()
	h := &elumenta.History{Visibility: elumenta.Marketplace}
	for i := range largeVersions {
		f := Fields("large")
		f.Instructions, f.Copyable = elumenta.Text(strings.Repeat("🧪", elumenta.MaxInstructions)), true
		h.Versions = append(h.Versions, elumenta.Version{Version: i + 1, Public: true, CreatedAt: time.Now(), Fields: f})
	}
	a, _, err := s.ImportAssistant(t.Context(), owner, h, nil)
	wantOK(t, err)
	return a
}

// testDeleteLarge deletes what is removed in several transactions: by a process that ends after the first of them, and by a server while
// another account generates.
func testDeleteLarge(t *testing.T, url string) {
	command, err := store.Open(t.Context(), store.Options{URL: url}) // removes nothing by itself, as a server that is killed
	wantOK(t, err)
	owner, reader := Account(t, command, "unlimited"), Account(t, command, "unlimited")
	kept := create(t, command, owner, Fields("kept"), elumenta.Marketplace)
	used := stored(t, command, owner)
	a := createLarge(t, command, owner)
	wantOK(t, command.DeleteAssistant(t.Context(), owner, a.ID, 0))
	db := Raw(t, url)
	if n := countVersions(t, db, a.ID); n == 0 || n == largeVersions {
		t.Fatalf("%d of %d versions are left by the first transaction", n, largeVersions)
	}
	wantDeleted(t, command, a, reader)
	if n := stored(t, command, owner); n != used {
		t.Errorf("%d bytes are stored, want %d", n, used)
	}
	wantOK(t, command.Close())

	server := Open(t, url)
	wantDeleted(t, server, a, reader)
	awaitRemoved(t, db, a.ID)

	secret := key(t, server, reader)
	a = createLarge(t, server, owner)
	deleted := make(chan error, 1)
	go func() { deleted <- server.DeleteAssistant(t.Context(), owner, a.ID, 0) }()
	for running := true; running; {
		generate(t, server, secret, kept.ID, elumenta.Outcome{State: elumenta.Charged, Finish: elumenta.FinishStop})
		select {
		case err := <-deleted:
			wantOK(t, err)
			running = false
		default:
		}
	}
	wantDeleted(t, server, a, reader)
	awaitRemoved(t, db, a.ID)
	same(t, server, kept)
	report, err := server.Verify(t.Context(), store.VerifyOptions{})
	wantOK(t, err)
	if report.Found != 0 {
		t.Errorf("the ledger is wrong: %+v", report)
	}
}

// wantDeleted looks for an assistant that was published wherever it might still be seen.
func wantDeleted(t *testing.T, s *store.Store, a *elumenta.Assistant, reader elumenta.AccountID) {
	t.Helper()
	ctx, owner := t.Context(), a.Owner
	for what, look := range map[string]func() error{
		"read":     func() error { _, err := s.Assistant(ctx, owner, a.ID); return err },
		"versions": func() error { _, _, err := s.Versions(ctx, owner, a.ID, 0, 10); return err },
		"restore":  func() error { _, err := s.RestoreVersion(ctx, owner, a.ID, 0, a.Version); return err },
		"withdraw": func() error { return s.WithdrawVersion(ctx, owner, a.ID, a.Version-1) },
		"delete":   func() error { return s.DeleteAssistant(ctx, owner, a.ID, 0) },
		"label": func() error {
			_, err := s.SetLabel(ctx, owner, a.ID, "l", []elumenta.LabelShare{{Version: a.Version, Weight: 1}})
			return err
		},
		"listing": func() error { _, err := s.Listing(ctx, a.ID); return err },
		"pin": func() error {
			_, err := s.Resolve(ctx, reader, elumenta.AssistantRef{ID: a.ID, Version: a.Version})
			return err
		},
		"copy": func() error {
			_, _, err := s.CopyAssistant(ctx, reader, elumenta.AssistantRef{ID: a.ID, Version: a.Version}, "", nil)
			return err
		},
		"report":    func() error { _, _, err := s.ReportAssistant(ctx, reader, a.ID, spam("it sells")); return err },
		"review":    func() error { _, err := s.ReviewAssistant(ctx, a.ID, a.Version); return err },
		"unpublish": func() error { return s.Unpublish(ctx, a.ID, "spam") },
	} {
		if err := look(); !elumenta.HasCode(err, elumenta.CodeNotFound) {
			t.Errorf("%s of a deleted assistant: %v", what, err)
		}
	}
}

func countVersions(t testing.TB, db *sql.DB, id elumenta.AssistantID) (n int) {
	t.Helper()
	wantOK(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM assistant_versions WHERE assistant_id = $1`, string(id)).Scan(&n))
	return n
}

// awaitRemoved waits until a server has removed all of an assistant.
func awaitRemoved(t testing.TB, db *sql.DB, id elumenta.AssistantID) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(30 * time.Second)
	for {
		n := countVersions(t, db, id)
		if n == 0 {
			break
		}
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("%d versions of a deleted assistant are left", n)
		}
	}
	var noted int
	wantOK(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM deleted_assistants`).Scan(&noted))
	if noted != 0 {
		t.Errorf("%d assistants are noted of which nothing is left", noted)
	}
}
