package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The health check finds the server by what configures it, and fails where none answers or one stops.
func TestHealthcheck(t *testing.T) {
	s := start(t, "", nil, "--drain-delay", "1h")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "e.toml")
	if err := os.WriteFile(file, []byte("addr = \"127.0.0.1:"+port+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	everywhere := []string{"ELUMENTA_ADDR=:" + port, "HTTP_PROXY=http://127.0.0.1:1"}
	if got := must(t, everywhere, "", "healthcheck"); got != "ready" {
		t.Errorf("printed %q", got)
	}
	must(t, nil, "", "healthcheck", "--config", file)
	must(t, nil, "", "healthcheck", "--addr", "0.0.0.0:"+port)

	cert, key := certificate(t)
	encrypted := start(t, "", nil, "--tls-cert", cert, "--tls-key", key)
	must(t, []string{"ELUMENTA_TLS_CERT=" + cert, "ELUMENTA_TLS_KEY=" + key}, "", "healthcheck", "--addr", strings.TrimPrefix(encrypted.url, "https://"))

	s.signal(syscall.SIGTERM)
	s.log.await(t, "msg=stopping")
	if r := invoke(t, everywhere, "", "healthcheck"); r.code != 1 || !strings.Contains(r.err, "503") {
		t.Errorf("while it stops: %+v", r)
	}
	s.signal(syscall.SIGTERM)
	<-s.ended
	if r := invoke(t, everywhere, "", "healthcheck"); r.code != 1 || !strings.Contains(r.err, "refused") {
		t.Errorf("without a server: %+v", r)
	}
	if r := invoke(t, nil, "", "healthcheck", "--addr", "nowhere"); r.code != 2 {
		t.Errorf("with a mistake: %+v", r)
	}
}
