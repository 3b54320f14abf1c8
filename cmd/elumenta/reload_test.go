package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A reload takes another provider and its model without a dropped stream; a file with a mistake changes nothing.
func TestReload(t *testing.T) {
	before, after := newUpstream(t), newUpstream(t)
	file := filepath.Join(t.TempDir(), "e.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host := func(name string, u *upstream, slug string) string {
		return "[[providers]]\nname = \"" + name + "\"\napi_key = \"sk-" + slug + "\"\nbase_url = \"" + u.URL + "\"\n[[models]]\nslug = \"" + slug + "\"\nprovider = \"" + name + "\"\ntoken_cost = 0\n"
	}
	write(host("one", before, "old"))
	s := start(t, "", nil, "--config", file)
	status := func(model string) int {
		t.Helper()
		resp := s.generate(`{"model": "` + model + `", "prompt": "Hello", "stream": true}`)
		defer func() { _ = resp.Body.Close() }()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	running := s.generate(`{"model": "old", "prompt": "Hello", "stream": true}`)
	defer func() { _ = running.Body.Close() }()
	<-before.arrived

	write("[[models]]\nslug = \"half\"\n")
	s.signal(syscall.SIGHUP)
	s.log.await(t, "was not reloaded")
	s.log.await(t, filepath.Base(file)+":1:") // where the mistake is
	write(host("two", after, "new"))
	s.signal(syscall.SIGHUP)
	s.log.await(t, "reloaded the configuration")
	after.release <- struct{}{}
	if got := status("new"); got != http.StatusOK {
		t.Errorf("the new model answers %d", got)
	}
	if got := status("old"); got != http.StatusUnprocessableEntity {
		t.Errorf("the old model answers %d", got)
	}
	if key := after.key.Load(); key != "Bearer sk-new" {
		t.Errorf("the provider was given %v", key)
	}
	for path, want := range map[string]string{"/api/v2/models": `"slug":"new"`, "/v1/models": `"id":"new"`, "/api/v2/admin/providers": `"name":"two","configured":true`} {
		if _, body := s.get(path); !strings.Contains(body, want) || strings.Contains(body, `"old"`) {
			t.Errorf("%s: %s", path, body)
		}
	}
	if strings.Contains(s.log.String(), "need a restart") {
		t.Errorf("nothing needs a restart:\n%s", s.log)
	}
	before.release <- struct{}{}
	body, err := io.ReadAll(running.Body)
	if err != nil || !strings.Contains(string(body), " second half") || !strings.Contains(string(body), "generation_end") {
		t.Errorf("the stream that ran: %v: %s", err, body)
	}

	write("drain_timeout = \"29s\"\n" + host("two", after, "newer"))
	s.signal(syscall.SIGHUP)
	s.log.await(t, "settings=[drain_timeout]") // the last line of a reload
	after.release <- struct{}{}
	if got := status("newer"); got != http.StatusOK || after.key.Load() != "Bearer sk-newer" {
		t.Errorf("beside a setting that needs a restart: %d, with %v", got, after.key.Load())
	}
}

// Who may call, what names must not have, limits and plans are taken over as well; a route that is cut off stays so, unless it
// speaks another format by now.
func TestReloadSettings(t *testing.T) {
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusInternalServerError) }))
	defer broken.Close()
	file := filepath.Join(t.TempDir(), "e.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tables := "[[providers]]\nname = \"broken\"\nbase_url = \"" + broken.URL + "\"\n[[models]]\nslug = \"broken\"\nprovider = \"broken\"\ntoken_cost = 0\n"
	write(tables)
	s := start(t, "", nil, "--config", file)
	call := func(method, path, body string, headers ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.key)
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp
	}
	check := func(about string, origin string, status map[string]int) {
		t.Helper()
		r := call(http.MethodGet, "/api/v2/models", "", "Origin", "https://app.example", "X-Forwarded-For", "203.0.113.77")
		if got := r.Header.Get("Access-Control-Allow-Origin"); got != origin {
			t.Errorf("%s: %q may call", about, got)
		}
		for body, want := range status {
			method, rest, _ := strings.Cut(body, " ")
			path, body, _ := strings.Cut(rest, " ")
			if got := call(method, path, body).StatusCode; got != want {
				t.Errorf("%s: %s %s %.60s: %d, want %d", about, method, path, body, got, want)
			}
		}
	}
	long := `POST /api/v2/assistants {"name": "Long", "model": "sandbox", "instructions": "` + strings.Repeat("x", 3000) + `"}`
	short := strings.Replace(long, strings.Repeat("x", 3000), "x", 1)
	account := `POST /api/v2/admin/accounts {"display_name": "Ada", "plan": "team"}`
	acme := `PATCH /api/v2/user/me {"display_name": "Acme"}`
	for range 12 {
		call(http.MethodPost, "/api/v2/generate", `{"model": "broken", "prompt": "Hello"}`)
	}
	check("before", "", map[string]int{long: http.StatusCreated, short: http.StatusCreated, account: http.StatusUnprocessableEntity, acme: http.StatusOK})
	if strings.Contains(s.log.String(), "203.0.113.77") {
		t.Error("a stranger's X-Forwarded-For is believed")
	}

	write("trusted_proxies = [\"127.0.0.0/8\"]\ncors_origins = [\"https://app.example\"]\n[limits]\nassistant_body = \"2KiB\"\nassistant_storage = \"3KB\"\n[usage]\nkeep_records = \"90d\"\n" +
		"[marketplace]\ndenied_names = [\"acme\"]\n[[plans]]\nname = \"team\"\nper_hour = 1\n" + tables)
	s.signal(syscall.SIGHUP)
	s.log.await(t, "reloaded the configuration")
	check("after", "https://app.example", map[string]int{long: http.StatusRequestEntityTooLarge, short: http.StatusUnprocessableEntity, account: http.StatusCreated, acme: http.StatusUnprocessableEntity})
	s.log.await(t, "203.0.113.77")
	if _, body := s.get("/api/v2/admin/providers"); !strings.Contains(body, `"model":"broken","state":"open"`) {
		t.Errorf("the broken route is not cut off any more: %s", body)
	}
	if strings.Contains(s.log.String(), "need a restart") {
		t.Errorf("nothing needs a restart:\n%s", s.log)
	}

	write("drain_timeout = \"29s\"\n" + strings.Replace(tables, "[[models]]", "format = \"gemini\"\n[[models]]", 1))
	s.signal(syscall.SIGHUP)
	s.log.await(t, "settings=[drain_timeout]") // the last line of a reload
	if _, body := s.get("/api/v2/admin/providers"); !strings.Contains(body, `"model":"broken","state":"closed"`) {
		t.Errorf("the route is cut off for what it answered in another format: %s", body)
	}
}

// A renewed certificate counts from the next connection and a log level at once; files that do not belong together change nothing.
func TestReloadCertificate(t *testing.T) {
	dir := t.TempDir()
	copied := func(from, name string) string {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	firstCert, firstKey := certificate(t)
	cert, key := copied(firstCert, "cert.pem"), copied(firstKey, "key.pem")
	file := filepath.Join(dir, "e.toml")
	s := start(t, "", nil, "--tls-cert", cert, "--tls-key", key, "--config", copied(os.DevNull, "e.toml"))
	served := func(certFile string) error {
		text, err := os.ReadFile(certFile)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(text)
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	if err := served(firstCert); err != nil {
		t.Fatal(err)
	}
	renewedCert, renewedKey := certificate(t)
	copied(renewedCert, "cert.pem")
	s.signal(syscall.SIGHUP)
	s.log.await(t, "belong together")
	if err := served(firstCert); err != nil {
		t.Errorf("after half of a renewal: %v", err)
	}
	copied(renewedKey, "key.pem")
	if err := os.WriteFile(file, []byte("[log]\nlevel = \"debug\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.signal(syscall.SIGHUP)
	s.log.await(t, "reloaded the configuration")
	if err := served(renewedCert); err != nil {
		t.Errorf("after a renewal: %v", err)
	}
	if err := served(firstCert); err == nil {
		t.Error("the old certificate is still served")
	}
	s.log.await(t, "level=DEBUG") // of the handshake that failed
	if strings.Contains(s.log.String(), "need a restart") {
		t.Errorf("nothing needs a restart:\n%s", s.log)
	}
}
