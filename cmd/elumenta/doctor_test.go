package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/elumenta/elumenta/store/storetest"
)

// lists is what providers list, each in its format: OpenAI's in one page, Anthropic's and Gemini's in two.
func lists(w http.ResponseWriter, r *http.Request) {
	second := r.URL.Query().Get("after_id") != "" || r.URL.Query().Get("pageToken") != ""
	switch {
	case r.Method != http.MethodGet || r.ContentLength > 0:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.URL.Path == "/openai/v1/models" && r.Header.Get("Authorization") == "Bearer sk-doctor":
		_, _ = fmt.Fprint(w, `{"object":"list","data":[{"id":"gpt-5.2"},{"id":"gpt-5.2-pro-2026-01-01"},{"id":"gpt-5"},{"id":"gpt-5-nano"}]}`)
	case r.URL.Path == "/anthropic/v1/models" && r.Header.Get("X-Api-Key") == "sk-doctor" && !second:
		_, _ = fmt.Fprint(w, `{"data":[{"id":"claude-haiku-4-5-20251001"}],"has_more":true,"last_id":"claude-haiku-4-5-20251001"}`)
	case r.URL.Path == "/anthropic/v1/models" && second:
		_, _ = fmt.Fprint(w, `{"data":[{"id":"claude-sonnet-4-5-20250929"}],"has_more":false}`)
	case r.URL.Path == "/gemini/v1beta/models" && r.Header.Get("X-Goog-Api-Key") == "sk-doctor" && !second:
		_, _ = fmt.Fprint(w, `{"models":[{"name":"models/gemini-2.5-flash"}],"nextPageToken":"p2"}`)
	case r.URL.Path == "/gemini/v1beta/models" && second:
		_, _ = fmt.Fprint(w, `{"models":[{"name":"models/gemini-3-pro"}]}`)
	case strings.HasPrefix(r.URL.Path, "/html/"):
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<html>sk-doctor</html>")
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"error":{"message":"Incorrect API key provided: sk-doctor","type":"invalid_request_error","code":"invalid_api_key"}}`)
	}
}

func TestDoctor(t *testing.T) {
	host := httptest.NewServer(http.HandlerFunc(lists))
	t.Cleanup(host.Close)
	b := newBooks(t)
	providers := []string{
		"OPENAI_API_KEY=sk-doctor", "OPENAI_BASE_URL=" + host.URL + "/openai/v1", "ANTHROPIC_API_KEY=sk-doctor", "ANTHROPIC_BASE_URL=" + host.URL + "/anthropic",
		"GEMINI_API_KEY=sk-doctor", "GEMINI_BASE_URL=" + host.URL + "/gemini",
	}
	expect := func(code int, env []string, lines ...string) {
		t.Helper()
		r := invoke(t, append(b.env, env...), "", "doctor")
		if r.code != code {
			t.Errorf("it ends with %d, want %d: %s", r.code, code, r.err)
		}
		for _, line := range lines {
			if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(r.out) {
				t.Errorf("no line is %q:\n%s", line, r.out)
			}
		}
		if strings.Contains(r.out+r.err, "sk-doctor") {
			t.Errorf("a credential is printed:\n%s%s", r.out, r.err)
		}
	}
	expect(0, providers, `ok +database +can be opened and read`, `ok +disk +.* free`, `ok +provider openai +answers after .*, lists 4 models`,
		`ok +provider anthropic +answers after .*, lists 2 models`, `ok +provider gemini +answers after .*, lists 2 models`,
		`warning +model claude-opus-4.5 +anthropic does not list claude-opus-4-5-20251101 now`, `off +provider xai +set XAI_API_KEY to switch it on`)
	expect(1, []string{"OPENAI_API_KEY=sk-doctor", "OPENAI_BASE_URL=" + host.URL + "/wrong"}, `FAILED +provider openai +.*\(status 401\): check its key, .*`)
	expect(1, []string{"XAI_API_KEY=sk-doctor", "XAI_BASE_URL=" + host.URL + "/html"}, `FAILED +provider xai +the provider answered with a web page.*: check its base URL; something else answers there`)
	expect(1, []string{"DEEPSEEK_API_KEY=sk-doctor", "DEEPSEEK_BASE_URL=http://127.0.0.1:1/v1"}, `FAILED +provider deepseek +.*: check its base URL, the network and proxies`)
	b.env = []string{"ELUMENTA_DATABASE=postgres://nobody@127.0.0.1:1/none"}
	expect(1, nil, `FAILED +database +cannot be opened: .*`)
	b.env = []string{"ELUMENTA_DATABASE=sqlite:" + t.TempDir() + "/none.db"}
	expect(0, nil, `warning +database +.* does not exist yet: the first elumenta serve makes it`)
}

// A disk that is as good as full is a failure: nothing can be written.
func TestDoctorOfTheDisk(t *testing.T) {
	for free, want := range map[uint64]string{0: "FAILED   disk ", 63 << 20: "FAILED   disk ", 65 << 20: "warning  disk ", 2 << 30: "ok       disk "} {
		var out strings.Builder
		d := &doctor{out: &out}
		d.room(free, "e.db")
		if !strings.HasPrefix(out.String(), want) || (d.failed > 0) != (want[0] == 'F') {
			t.Errorf("%d bytes: %s", free, out.String())
		}
	}
	if r := invoke(t, []string{"ELUMENTA_DATABASE=sqlite:/nonexistent/e.db"}, "", "doctor", "--no-providers"); r.code != exitFailed || !strings.Contains(r.out, "the directory /nonexistent does not exist") {
		t.Errorf("%+v", r)
	}
}

// Models that are about to go are named with how many assistants use them; the database's clock is compared.
func TestDoctorOfModels(t *testing.T) {
	database := storetest.Postgres(t)
	s := start(t, database, []string{"OPENAI_API_KEY=sk-doctor", "OPENAI_BASE_URL=http://127.0.0.1:1/v1"}, "--no-starters")
	env := []string{"ELUMENTA_URL=" + s.url, "ELUMENTA_API_KEY=" + s.key}
	for range 2 {
		must(t, env, "", "assistants", "create", "--name", "A", "--model", "gpt-5", "--instructions", "x")
	}
	r := invoke(t, []string{"ELUMENTA_DATABASE=" + database}, "", "doctor", "--no-providers")
	for _, want := range []string{`ok +clock +within .* of the database's`, `warning +model gpt-5 +retire[sd] on 2026-12-11; used by 2 assistants`} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(r.out) {
			t.Errorf("no line is %q:\n%s", want, r.out)
		}
	}
	if r.code != 0 {
		t.Errorf("it ends with %d: %s", r.code, r.err)
	}
}
