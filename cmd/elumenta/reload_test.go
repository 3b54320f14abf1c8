package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
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
	s.log.await(t, "reloaded providers and models")
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
	write("[[plans]]\nname = \"team\"\n" + host("two", after, "newest"))
	s.signal(syscall.SIGHUP)
	s.log.await(t, "models go by the plans")
	if got := status("newest"); got != http.StatusUnprocessableEntity {
		t.Errorf("beside another plan: %d", got)
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
	s.log.await(t, "reloaded providers")
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
