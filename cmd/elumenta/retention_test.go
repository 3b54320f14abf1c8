package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elumenta/elumenta/store/storetest"
)

// Nothing of a conversation is found where the program keeps things, and the search that says so finds what is there.
func TestVerifyRetention(t *testing.T) {
	for name, database := range map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "e.db"), "Postgres": storetest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			s := start(t, database, nil, "--no-starters", "--log-level", "debug")
			log := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(log, []byte(s.log.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			env := []string{"ELUMENTA_URL=" + s.url, "ELUMENTA_API_KEY=" + s.key, "ELUMENTA_DATABASE=" + database}
			out := must(t, env, "", "verify-retention", "--log", log)
			if !strings.Contains(out, log+": nothing of the conversation") || !strings.Contains(out, "the search works") {
				t.Errorf("it prints\n%s", out)
			}
			if file, ok := strings.CutPrefix(database, "sqlite:"); ok {
				link := filepath.Join(t.TempDir(), "link.db")
				if err := os.Symlink(file, link); err != nil {
					t.Fatal(err)
				}
				if out := must(t, append(env, "ELUMENTA_DATABASE=sqlite:"+link), "", "verify-retention"); !strings.Contains(out, file+"-ledger: nothing of the conversation") {
					t.Errorf("by a link it prints\n%s", out)
				}
			}
			other := newDatabase(t)
			if r := invoke(t, append(env, "ELUMENTA_DATABASE="+other), "", "verify-retention"); r.code != 1 || !strings.Contains(r.err, "is this the database of that server?") {
				t.Errorf("with another database it ends with %d: %s", r.code, r.err)
			}
		})
	}
}

// A server that keeps what it is asked is found out, also where a page's end cuts some of it.
func TestVerifyRetentionFinds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept.db")
	generations := 0
	keeper := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		generations++
		id := fmt.Sprintf("gen_%d", generations)
		kept := append(make([]byte, 1<<20-700), body...) // over the end of what is read at once
		if err := os.WriteFile(path, append(kept, id...), 0o600); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":%q}`, id)
	}))
	defer keeper.Close()
	key := start(t, "", nil, "--no-starters").key // a well-formed one
	r := invoke(t, []string{"ELUMENTA_URL=" + keeper.URL, "ELUMENTA_API_KEY=" + key, "ELUMENTA_DATABASE=sqlite:" + path}, "", "verify-retention")
	if want := fmt.Sprintf("FOUND %d times", 4*canaryRepeats+1); r.code != 1 || !strings.Contains(r.out, want) || !strings.Contains(r.err, "text of a conversation is kept") {
		t.Errorf("it ends with %d, without %q: %s%s", r.code, want, r.out, r.err)
	}
}
