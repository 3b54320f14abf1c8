package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// The service manager learns when the server answers, not before it can take a SIGHUP, and how long it may need to stop.
func TestServiceManager(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = manager.Close() }()
	if err := manager.SetReadDeadline(time.Now().Add(testLimit)); err != nil {
		t.Fatal(err)
	}
	told := func(want string) {
		t.Helper()
		message := make([]byte, 1024)
		n, err := manager.Read(message)
		if err != nil || string(message[:n]) != want {
			t.Fatalf("the manager was told %q, not %q: %v", message[:n], want, err)
		}
	}
	s := start(t, "", []string{"NOTIFY_SOCKET=" + socket}, "--drain-delay", "1ms", "--drain-timeout", "10m")
	told("READY=1")
	s.signal(syscall.SIGHUP)
	s.log.await(t, "reloaded the configuration")
	s.stop()
	told("STOPPING=1\nEXTEND_TIMEOUT_USEC=620001000")
}

// Kubernetes kills no server that still ends what it interrupted.
func TestChartGivesTimeToStop(t *testing.T) {
	text, err := os.ReadFile("../../deploy/helm/elumenta/templates/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	grace := regexp.MustCompile(`terminationGracePeriodSeconds: \{\{ add \.Values\.drain\.delaySeconds \.Values\.drain\.timeoutSeconds (\d+) \}\}`).FindSubmatch(text)
	if grace == nil {
		t.Fatal("the chart has no terminationGracePeriodSeconds after draining")
	}
	if seconds, err := time.ParseDuration(string(grace[1]) + "s"); err != nil || seconds < 2*endWait+telemetryWait {
		t.Errorf("%v after draining, want %v", seconds, 2*endWait+telemetryWait)
	}
}
