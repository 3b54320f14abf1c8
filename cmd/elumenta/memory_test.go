package main

import (
	"net/http"
	"strings"
	"testing"
)

// What a limit leaves is no more than the collector's usual growth here.
func TestHeapFloorKeepsToTheMemoryLimit(t *testing.T) {
	metric := func(s *server, name string) string {
		t.Helper()
		status, body := s.get("/metrics")
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		for line := range strings.Lines(body) {
			if value, ok := strings.CutPrefix(line, name+" "); ok {
				return strings.TrimSpace(value)
			}
		}
		t.Fatalf("no metric %s", name)
		return ""
	}
	limited := start(t, "", []string{"GOMEMLIMIT=4MiB"})
	if limit := metric(limited, "go_gc_gomemlimit_bytes"); limit != "4.194304e+06" {
		t.Errorf("limit of %s bytes", limit)
	}
	if growth := metric(limited, "go_gc_gogc_percent"); growth != "100" {
		t.Errorf("growth of %s percent where there is no room", growth)
	}
	limited.stop()
	if growth := metric(start(t, "", nil), "go_gc_gogc_percent"); growth == "100" {
		t.Errorf("growth of %s percent where there is room", growth)
	}
}
