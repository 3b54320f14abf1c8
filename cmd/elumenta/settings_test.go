package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What serve refuses, config check and doctor refuse in the same words.
func TestChecksFindWhatServeDoes(t *testing.T) {
	cert, key := certificate(t)
	_, otherKey := certificate(t)
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "e.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "ELUMENTA_CONFIG=" + path
	}
	for _, c := range []struct {
		env  string // variables with blanks between them
		want string
	}{
		{"ELUMENTA_DRAIN_TIMEOUT=abc", "ELUMENTA_DRAIN_TIMEOUT"},
		{"ELUMENTA_NO_STARTERS=maybe", "ELUMENTA_NO_STARTERS"},
		{"ELUMENTA_ADDR=foo", "--addr (ELUMENTA_ADDR): must be HOST:PORT"},
		{"ELUMENTA_LOG_LEVEL=zzz", "(ELUMENTA_LOG_LEVEL): must be debug"},
		{"ELUMENTA_TRUSTED_PROXIES=x/99", "(ELUMENTA_TRUSTED_PROXIES): must be addresses"},
		{"ELUMENTA_CORS_ORIGINS=foo", "(ELUMENTA_CORS_ORIGINS): must be origins"},
		{"ELUMENTA_DATABASE=mysql://x", "(ELUMENTA_DATABASE): must be sqlite:PATH"},
		{"ELUMENTA_BOOTSTRAP_KEY=nb_foo", "ELUMENTA_BOOTSTRAP_KEY: is not a well-formed key"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=:::", "OTEL_EXPORTER_OTLP_ENDPOINT must be an address"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1 OTEL_RESOURCE_ATTRIBUTES=x", "OTEL_RESOURCE_ATTRIBUTES is not"},
		{"ELUMENTA_TLS_CERT=" + cert, "needs both a certificate and a key"},
		{"ELUMENTA_TLS_CERT=/nonexistent/c.pem ELUMENTA_TLS_KEY=" + key, "cannot read /nonexistent/c.pem"},
		{file("[tls]\ncert = \"" + cert + "\"\nkey = \"" + otherKey + "\"\n"), "belong together"},
		{file("addr = \"127.0.0.1:8080\"\nmetrics_addr = \":8080\"\n"), "give it another port"},
		{"ELUMENTA_ADDR=foo ELUMENTA_BOOTSTRAP_KEY=nb_foo", "ELUMENTA_ADDR"},
		{"ELUMENTA_ADDR=foo ELUMENTA_BOOTSTRAP_KEY=nb_foo", "ELUMENTA_BOOTSTRAP_KEY"},
	} {
		for _, args := range []string{"config check", "doctor --no-providers", "serve"} {
			r := invoke(t, strings.Fields(c.env), "", strings.Fields(args)...)
			if r.code != exitUsage || !strings.Contains(r.err, c.want) || strings.Contains(r.err, "nb_foo") {
				t.Errorf("%s, %s: %+v", c.env, args, r)
			}
		}
	}
	taken := []string{"ELUMENTA_TLS_CERT=" + cert, "ELUMENTA_TLS_KEY=" + key, "ELUMENTA_BOOTSTRAP_KEY=" + newKey(), "ELUMENTA_DRAIN_TIMEOUT=1m", "ELUMENTA_NO_STARTERS=true",
		"ELUMENTA_TRUSTED_PROXIES=10.0.0.0/8,::1", "ELUMENTA_METRICS_ADDR=127.0.0.1:9090", "ELUMENTA_LOG_LEVEL=", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"}
	must(t, taken, "", "config", "check")
}
