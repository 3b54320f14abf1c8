package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A reload that failed, and which certificate runs on meanwhile, are seen without reading the log.
func TestReloadIsMeasured(t *testing.T) {
	firstEnd, renewedEnd := time.Now().Add(time.Hour), time.Now().Add(1000*time.Hour)
	cert, key := certificateUntil(t, firstEnd)
	renewedCert, renewedKey := certificateUntil(t, renewedEnd)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func(from, name string) string {
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
	s := start(t, "", nil, "--no-starters", "--metrics-addr", addr, "--tls-cert", put(cert, "c.pem"), "--tls-key", put(key, "k.pem"))
	s.url = "http://" + addr
	metric := func(name string) float64 {
		t.Helper()
		_, text := s.get("/metrics")
		_, after, _ := strings.Cut(text, "\n"+name+" ")
		line, _, _ := strings.Cut(after, "\n")
		value, err := strconv.ParseFloat(line, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return value
	}
	const takenAt = "elumenta_config_last_reload_success_timestamp_seconds"
	check := func(about string, successful float64, end time.Time) {
		t.Helper()
		if got := metric("elumenta_config_last_reload_successful"); got != successful {
			t.Errorf("%s: successful is %v", about, got)
		}
		if got := metric("elumenta_certificate_expiry_timestamp_seconds"); got != float64(end.Unix()) {
			t.Errorf("%s: the certificate expires at %v, want %v", about, got, end.Unix())
		}
	}
	check("at the start", 1, firstEnd)
	started := metric(takenAt)
	put(renewedCert, "c.pem")
	s.signal(syscall.SIGHUP)
	s.log.await(t, "was not reloaded")
	check("without the new key", 0, firstEnd)
	if got := metric(takenAt); got != started || time.Since(time.Unix(int64(got), 0)).Abs() > testLimit {
		t.Errorf("a failed reload is counted as one at %v, the start as one at %v", got, started)
	}
	put(renewedKey, "k.pem")
	s.signal(syscall.SIGHUP)
	s.log.await(t, "reloaded the configuration")
	check("with it", 1, renewedEnd)
	if got := metric(takenAt); got <= started {
		t.Errorf("the last good reload was at %v, the start at %v", got, started)
	}
	s.stop()
}
