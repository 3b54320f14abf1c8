package e2e_test

import (
	"database/sql"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the databases are searched with their own drivers
	_ "modernc.org/sqlite"
)

// canaries are texts that may stand in their own place and nowhere else.
type canaries struct{ instructions, message, image, credential, providerError string }

// A canary in instructions, messages, images, keys and credentials: found in the assistant's own rows and nowhere else.
func TestPrivacy(t *testing.T) {
	for name, database := range engines(t) {
		t.Run(name, func(t *testing.T) { testPrivacy(t, database(t)) })
	}
}

func testPrivacy(t *testing.T, database string) {
	c := canaries{"canaryINSTRUCTIONS7f3a", "canaryMESSAGE91bc", "canaryIMAGE44de", "canaryCREDENTIAL0a1b", "canaryPROVIDERERROR77aa"}
	u := newUpstream(t)
	env := append(u.env(), "DEEPSEEK_API_KEY="+c.credential, "ANTHROPIC_API_KEY="+c.credential)
	args := []string{"--log-level", "debug", "--config", configFile(t, "[limits]", `first_piece = "100ms"`)}
	s := start(t, startOptions{database: database, env: env, args: args})
	id := s.createAssistant(t, "deepseek-v3", c.instructions+" be kind {{who}}", map[string]any{"variables": []map[string]any{{"name": "who", "default": "x"}}})
	png := base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n" + c.image))
	answers := c.misuse(t, s, u, id, png)

	for _, a := range answers {
		for _, secret := range []string{c.instructions, c.credential, c.providerError, c.image, s.key} {
			if strings.Contains(a, secret) {
				t.Errorf("an answer shows %s: %s", secret, tail(a, 400))
			}
		}
		if strings.Contains(a, `"error"`) && strings.Contains(a, c.message) {
			t.Errorf("an error shows the message: %s", tail(a, 400))
		}
	}
	metrics := string(s.must(t, 200, "GET", "/metrics", nil).body)
	for place, text := range map[string]string{"log": s.log.String(), "standard output": s.out.String(), "metrics": metrics} {
		for _, secret := range []string{c.instructions, c.message, c.image, c.credential, c.providerError, s.key, png} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s has %s", place, secret)
			}
		}
	}
	if !strings.Contains(s.log.String(), "req_") {
		t.Error("the log has no request id: was anything logged?")
	}
	found := searchTables(t, database, c.instructions, c.message, c.image, c.credential, c.providerError, s.key)
	if len(found) != 1 || found[0] != "assistant_versions.instructions "+c.instructions {
		t.Errorf("found in the database: %q", found)
	}
	s.must(t, 204, "DELETE", "/api/v2/assistants/"+id, nil)
	if found := searchTables(t, database, c.instructions); len(found) > 0 {
		t.Errorf("after the deletion: %q", found)
	}
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		stop(t, s) // the last connection's end checkpoints
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) == 0 {
			t.Fatalf("no database files: %v", err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{c.instructions, c.message, c.image, c.credential, s.key} {
				if strings.Contains(string(raw), secret) {
					t.Errorf("%s still has %s", filepath.Base(file), secret)
				}
			}
		}
	}
}

// misuse makes calls that succeed and calls that fail in every way, and returns all answers.
func (c canaries) misuse(t *testing.T, s *server, u *upstream, id, png string) []string {
	t.Helper()
	var answers []string
	post := func(path string, body any, headers ...string) {
		r, err := s.call("POST", path, body, headers...)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, string(r.body)+fmt.Sprint(r.header))
	}
	call := func(body any, headers ...string) { post("/api/v2/generate", body, headers...) }
	message := []any{map[string]any{"role": "user", "content": c.message}}
	generate := func(more ...any) map[string]any {
		body := map[string]any{"assistant_id": id, "messages": message}
		for i := 0; i+1 < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return body
	}
	for _, stream := range []bool{false, true} {
		call(generate("stream", stream))
		call(generate("stream", stream), "Idempotency-Key", "k"+fmt.Sprint(stream))
		call(generate("stream", stream), "Idempotency-Key", "k"+fmt.Sprint(stream))
		call(generate("stream", stream, "user", c.message))
		for _, status := range []int{400, 401, 403, 404, 413, 422, 429, 500, 503, 529} {
			u.answer(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				_, _ = fmt.Fprintf(w, `{"error":{"message":"%s quotes %s and %s","type":"%s","code":"invalid"}}`, c.providerError, c.message, c.instructions, c.providerError)
			})
			call(generate("stream", stream))
		}
		for _, broken := range []string{"<html>" + c.providerError, `{"choices":[{"message":{"content":` + c.providerError, "data: {" + c.message + "\n\n", ""} {
			u.answer(func(w http.ResponseWriter, _ *http.Request, _ []byte) { _, _ = fmt.Fprint(w, broken) })
			call(generate("stream", stream))
		}
		u.answer(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Content-Type", "text/event-stream")
			chatPiece(w, "first")
			_, _ = fmt.Fprintf(w, "data: {\"error\":{\"message\":%q,\"code\":500}}\n\n", c.providerError)
		})
		call(generate("stream", stream))
		for path, body := range c.elsewhere(id, stream) {
			post(path, body)
		}
		u.answer(func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })
		call(generate("stream", true))
		u.answer(func(w http.ResponseWriter, _ *http.Request, body []byte) { chat(w, body, "fine") })
	}
	image := []any{map[string]any{"role": "user", "content": []any{map[string]any{"type": "image_url", "image_url": map[string]any{"url": "data:image/png;base64," + png}}}}}
	call(map[string]any{"assistant_id": id, "messages": image})
	call(map[string]any{"assistant_id": id, "model": "claude-sonnet-4.5", "messages": image})
	call(map[string]any{"assistant_id": id, "messages": []any{map[string]any{"role": "user", "content": c.message, "unknown": c.message}}})
	call(map[string]any{"assistant_id": id, "messages": []any{map[string]any{"role": c.message, "content": 5}}})
	call(`{"assistant_id":"` + id + `","prompt":"` + c.message)
	call(`{"prompt":"` + c.message + "\xff\"}")
	call(generate("variables", map[string]any{"who": c.message}))
	call(generate("response_format", map[string]any{"type": c.message}))
	call(generate("temperature", c.message))
	for path, body := range c.elsewhere(id, false) {
		post(path, body)
		for _, field := range []string{"temperature", "tools", "tool_choice", "messages", "input", "user", "variables", "stream"} {
			body[field] = []any{c.message}
			post(path, body)
		}
		post(path, `{"model":"`+c.message)
	}
	call(generate(), "Authorization", "Bearer "+s.key[:47])
	for _, body := range []any{
		map[string]any{"name": strings.Repeat("x", 101), "model": "sandbox", "instructions": c.instructions},
		map[string]any{"name": "n", "model": "nope", "instructions": c.instructions, "unknown": 1},
		`{"name":"n","instructions":"` + c.instructions,
	} {
		r := s.must422or400(t, "POST", "/api/v2/assistants", body)
		answers = append(answers, string(r.body))
	}
	return answers
}

// elsewhere is the same call in other APIs' shapes, by path.
func (c canaries) elsewhere(id string, stream bool) map[string]map[string]any {
	message := []any{map[string]any{"role": "user", "content": c.message}}
	return map[string]map[string]any{
		"/v1/chat/completions": {"model": id, "stream": stream, "messages": message},
		"/v1/responses":        {"model": id, "stream": stream, "input": c.message},
		"/v1/messages":         {"model": id, "stream": stream, "messages": message, "max_tokens": 100},
	}
}

func (s *server) must422or400(t *testing.T, method, path string, body any) *response {
	t.Helper()
	r, err := s.call(method, path, body)
	if err != nil || r.status != 422 && r.status != 400 {
		t.Fatalf("%v %+v", err, r)
	}
	return r
}

// searchTables looks for texts in every column of every table and names where they are.
func searchTables(t *testing.T, database string, texts ...string) []string {
	t.Helper()
	tables := `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() AND data_type <> 'USER-DEFINED'`
	cast := "CAST(%s AS text)"
	if strings.HasPrefix(database, "sqlite:") {
		tables = `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`
		cast = "CAST(%s AS TEXT)"
	}
	db := openDatabase(t, database)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), tables)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var columns [][2]string
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, c)
	}
	if rows.Err() != nil || len(columns) < 20 {
		t.Fatalf("%d columns to search: %v", len(columns), rows.Err())
	}
	var found []string
	for _, c := range columns {
		for _, text := range texts {
			query := fmt.Sprintf("SELECT count(*) FROM %q WHERE "+cast+" LIKE '%%%s%%'", c[0], fmt.Sprintf("%q", c[1]), text)
			var n int
			if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			if n > 0 {
				found = append(found, c[0]+"."+c[1]+" "+text)
			}
		}
	}
	return found
}

// openDatabase opens a program's database beside it, to read.
func openDatabase(t *testing.T, database string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn = "sqlite", "file:"+path+"?mode=ro"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
