package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
	"github.com/google/go-cmp/cmp"
)

func backup(t *testing.T, url, file string) *store.Contents {
	t.Helper()
	contents, err := store.Backup(t.Context(), url, file, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// verified fails unless the ledger of a database adds up.
func verified(t *testing.T, url string) {
	t.Helper()
	v, err := storetest.OpenWith(t, store.Options{URL: url}).Verify(t.Context(), store.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Found > 0 {
		t.Errorf("%s: %+v", url, v.Differences)
	}
}

// TestBackupWhileWriting copies a database while a server writes to it at full speed. Each copy is of one moment: balances,
// journal and generations agree. The server goes on meanwhile, and what it had acknowledged before is in the copy.
func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	url, dir := sqliteURL(t), t.TempDir()
	server, err := store.Open(t.Context(), store.Options{URL: url, Serve: true, Plans: elumenta.Plans{{Name: "big", OnceTokens: 1 << 40}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var settled atomic.Int64
	for range 8 {
		r := composed(t, server, "big", time.Hour)
		running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				r.Generation = elumenta.NewGenerationID()
				if _, err := server.Reserve(context.Background(), r); err != nil {
					t.Error(err)
					return
				}
				if n%4 == 3 {
					continue // left open
				}
				if _, err := server.Settle(context.Background(), r.Account, r.Generation, elumenta.Outcome{State: elumenta.SettleState(1 + n%2)}); err != nil {
					t.Error(err)
					return
				}
				settled.Add(1)
			}
		})
	}
	during := int64(0)
	for i := range 3 {
		before := settled.Load()
		file := filepath.Join(dir, fmt.Sprintf("%d.db", i))
		contents := backup(t, url, file)
		during += settled.Load() - before
		if contents.Generations < before || contents.Accounts != 8 || contents.NewestGeneration.IsZero() {
			t.Errorf("%d were settled, and the copy has %+v", before, contents)
		}
		if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 || info.Size() != contents.Bytes {
			t.Errorf("%+v, %v", info, err)
		}
	}
	stop()
	running.Wait()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if during == 0 {
		t.Error("the server waited for the backups")
	}
	if left := list(t, dir); len(left) != 3 {
		t.Errorf("left behind: %v", left)
	}
	for i := range 3 {
		target := "sqlite:" + filepath.Join(dir, fmt.Sprintf("restored%d.db", i))
		if _, err := store.Restore(t.Context(), filepath.Join(dir, fmt.Sprintf("%d.db", i)), target, false, nil); err != nil {
			t.Fatal(err)
		}
		verified(t, target)
		storetest.Open(t, target) // a server gives back what was open
		verified(t, target)
	}
}

// list returns the names in a directory.
func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestBackupHoldsNothingDeleted: what was deleted before a backup is not in it.
func TestBackupHoldsNothingDeleted(t *testing.T) {
	url := sqliteURL(t)
	s := storetest.Open(t, url)
	owner := storetest.Account(t, s, "free")
	const marker = "the word that was said in confidence"
	for i := range 30 {
		fields := storetest.Fields("secret")
		fields.Instructions = elumenta.Text(strings.Repeat(marker, 1+i*20))
		a, _, err := s.CreateAssistant(t.Context(), owner, fields, elumenta.Private, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			storetest.Account(t, s, "free")
		}
		if err := s.DeleteAssistant(t.Context(), owner, a.ID, 0); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "backup.db")
	backup(t, url, file)
	if b, err := os.ReadFile(file); err != nil || bytes.Contains(b, []byte(marker[:12])) {
		t.Errorf("the backup has deleted text (%v)", err)
	}
}

// state is everything in a directory but lock files, which commands leave.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range list(t, dir) {
		if strings.HasSuffix(name, ".lock") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			b = []byte(err.Error()) // a directory
		}
		all[name] = string(b)
	}
	return all
}

func put(t *testing.T, file string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// saved makes a database, which is closed, and a backup of it, in a directory of their own.
func saved(t *testing.T) (dir, url, file string) {
	t.Helper()
	dir = t.TempDir()
	url, file = "sqlite:"+filepath.Join(dir, "elumenta.db"), filepath.Join(dir, "backup.db")
	s, err := store.Open(t.Context(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		storetest.Account(t, s, "basic")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	backup(t, url, file)
	return dir, url, file
}

// TestBackupRefused: what cannot be backed up, or not to there, is refused, and nothing is left behind or changed.
func TestBackupRefused(t *testing.T) {
	dir, url, file := saved(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	put(t, in("text"), []byte(strings.Repeat("not a database ", 1000)))
	put(t, in("empty"), nil)
	if err := os.Mkdir(in("directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"elumenta.db": "alias", "nothing": "dangling"} {
		if err := os.Symlink(in(from), in(to)); err != nil {
			t.Fatal(err)
		}
	}
	foreign(t, in("foreign.db"))
	broken, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	copy(broken[len(broken)/2:], bytes.Repeat([]byte{0xA5}, 9000))
	put(t, in("broken.db"), broken)
	before := state(t, dir)
	for name, c := range map[string]struct {
		url, file string
		force     bool
		want      string
	}{
		"exists":               {url, file, false, "give --force"},
		"the database":         {url, in("elumenta.db"), true, "belongs to the database itself"},
		"the database's alias": {url, in("alias"), true, "belongs to the database itself"},
		"a link to nothing":    {url, in("dangling"), true, "not an ordinary file"},
		"a directory":          {url, in("directory"), true, "not an ordinary file"},
		"a device":             {url, "/dev/full", true, "not an ordinary file"},
		"no directory":         {url, in("none/b.db"), false, "its directory does not exist"},
		"below a file":         {url, in("text/b.db"), false, "not a directory"},
		"no database":          {"sqlite:" + in("none.db"), in("new"), false, "there is no database"},
		"not a database":       {"sqlite:" + in("text"), in("new"), false, "not a SQLite database"},
		"an empty file":        {"sqlite:" + in("empty"), in("new"), false, "not a database of Elumenta"},
		"another's database":   {"sqlite:" + in("foreign.db"), in("new"), false, "not a database of Elumenta"},
		"a broken database":    {"sqlite:" + in("broken.db"), in("new"), false, "damaged"},
		"Postgres":             {"postgres://u:s3cret@localhost/x", in("new"), false, "must be sqlite:PATH"},
	} {
		_, err := store.Backup(t.Context(), c.url, c.file, c.force, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error is %v, want %q", name, err, c.want)
		}
		if d := cmp.Diff(before, state(t, dir)); d != "" {
			t.Errorf("%s: something was changed: %.300s", name, d)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Backup(ctx, url, in("new"), false, nil); err == nil || cmp.Diff(before, state(t, dir)) != "" {
		t.Errorf("interrupted, and it went on: %v", err)
	}
	if contents, err := store.Backup(t.Context(), url, file, true, nil); err != nil || contents.Accounts != 50 {
		t.Errorf("replaced by force: %+v, %v", contents, err)
	}
}

// foreign makes a SQLite database that is none of ours.
func foreign(t *testing.T, file string) {
	t.Helper()
	db := storetest.Raw(t, "sqlite:"+file)
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE accounts (id TEXT PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRestoreRefused: only a whole, healthy database of ours is put in place, and never beneath a server.
func TestRestoreRefused(t *testing.T) {
	dir, url, file := saved(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put(t, in("text"), []byte(strings.Repeat("not a database ", 1000)))
	foreign(t, in("foreign.db"))
	for _, n := range []int{0, 50, 100, 4096, len(whole) / 2, len(whole) - 1} {
		put(t, in(fmt.Sprintf("cut%d", n)), whole[:n])
	}
	broken := bytes.Clone(whole)
	copy(broken[len(broken)/2:], bytes.Repeat([]byte{0xA5}, 9000))
	put(t, in("broken"), broken)
	put(t, in("newer"), whole)
	if _, err := storetest.Raw(t, "sqlite:"+in("newer")).ExecContext(t.Context(), `UPDATE schema_info SET oldest_binary = $1`, store.SchemaNumber+1); err != nil {
		t.Fatal(err)
	}
	put(t, in("used"), whole)
	put(t, in("used-wal"), []byte("frames"))
	before := state(t, dir)
	refuse := func(from, to string, force bool, want string) {
		t.Helper()
		_, err := store.Restore(t.Context(), from, to, force, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %q", from, err, want)
		}
		if d := cmp.Diff(before, state(t, dir)); d != "" {
			t.Errorf("%s: something was changed: %.300s", from, d)
		}
	}
	refuse(file, url, false, "give --force")
	for from, want := range map[string]string{
		"cut0": "not a SQLite database", "cut50": "truncated", "cut100": "truncated", "cut4096": "truncated",
		fmt.Sprintf("cut%d", len(whole)/2): "truncated", fmt.Sprintf("cut%d", len(whole)-1): "truncated",
		"text": "not a SQLite database", "foreign.db": "not a database of Elumenta", "newer": "too old", "broken": "damaged", "used": "a database in use",
		"elumenta.db": "the database itself", "none": "no such file", ".": "not an ordinary file",
	} {
		refuse(in(from), url, true, want)
	}
	refuse(file, "postgres://localhost/x", true, "sqlite:PATH")
	refuse(file, "sqlite:"+in("none/x.db"), true, "does not exist")
	server, err := store.Open(t.Context(), store.Options{URL: url, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	names := list(t, dir) // what is in the files the server itself changes
	if _, err := store.Restore(t.Context(), file, url, true, nil); err == nil || !strings.Contains(err.Error(), "another elumenta serve") {
		t.Errorf("restored beneath a server: %v", err)
	}
	if d := cmp.Diff(names, list(t, dir)); d != "" {
		t.Errorf("restored beneath a server: %s", d)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRestoreKeeps: what is replaced is kept, with the log that a killed server left, which the new database does not take for
// its own.
func TestRestoreKeeps(t *testing.T) {
	dir, url, file := saved(t)
	path := strings.TrimPrefix(url, "sqlite:")
	s := storetest.OpenWith(t, store.Options{URL: url})
	late := storetest.Account(t, s, "free")
	killed := t.TempDir() // as the files are while it runs
	for _, end := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + end)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(killed, "elumenta.db"+end), b)
	}
	if log, err := os.Stat(filepath.Join(killed, "elumenta.db-wal")); err != nil || log.Size() == 0 {
		t.Fatalf("no log: %v", err)
	}
	target := "sqlite:" + filepath.Join(killed, "elumenta.db")
	restored, err := store.Restore(t.Context(), file, target, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if restored.Accounts != 50 || restored.Kept == "" {
		t.Errorf("%+v", restored)
	}
	verified(t, target)
	for url, want := range map[string]int{target: 50, "sqlite:" + restored.Kept: 51} {
		var accounts, found int
		if err := storetest.Raw(t, url).QueryRowContext(t.Context(), `SELECT count(*), sum(id = $1) FROM accounts`, string(late)).Scan(&accounts, &found); err != nil {
			t.Fatal(err)
		}
		if accounts != want || found != want-50 {
			t.Errorf("%s has %d accounts, %d of them the late one", url, accounts, found)
		}
	}
	for _, name := range list(t, dir) {
		if strings.HasSuffix(name, ".tmp") {
			t.Errorf("left behind: %s", name)
		}
	}
}
