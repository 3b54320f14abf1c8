package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const unitFile = "../deploy/systemd/elumenta.service"

// systemd itself reads the unit without a complaint, its hardening is what docs/deployment.md says, and its filter lets the server
// sync by asynchronous I/O; without these calls the server would go on, slower, and nobody would notice.
func TestSystemdUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed: scripts/test-deps does it on Debian and Ubuntu")
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("systemd-analyze %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	text := string(readFile(t, unitFile))
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	installed := filepath.Join(t.TempDir(), "elumenta.service")
	if err := os.WriteFile(installed, []byte(strings.ReplaceAll(text, "/usr/bin/elumenta", program)), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := run("verify", "--man=no", installed); said != "" {
		t.Errorf("systemd-analyze verify says:\n%s", said)
	}
	for line := range strings.Lines(text) {
		if _, command, ok := strings.Cut(line, "="); ok && strings.HasPrefix(line, "Exec") && !strings.HasPrefix(command, "/usr/bin/elumenta ") && !strings.HasPrefix(command, "/bin/sh ") {
			t.Errorf("not every Debian has what the unit calls: %s", line)
		}
	}
	run("security", "--offline=true", "--threshold=12", installed) // 1.2 of 10

	allowed := map[string]bool{}
	var expand func(name string, to bool)
	expand = func(name string, to bool) {
		if !strings.HasPrefix(name, "@") {
			allowed[name] = to
			return
		}
		for _, line := range strings.Split(run("syscall-filter", name), "\n")[1:] {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				expand(line, to)
			}
		}
	}
	for line := range strings.Lines(text) {
		if filter, ok := strings.CutPrefix(strings.TrimSpace(line), "SystemCallFilter="); ok {
			names, refused := strings.CutPrefix(filter, "~")
			for name := range strings.FieldsSeq(names) {
				expand(name, !refused)
			}
		}
	}
	for _, call := range []string{"io_setup", "io_submit", "io_getevents", "io_destroy", "eventfd2", "statx", "fadvise64", "fdatasync", "epoll_pwait"} {
		if !allowed[call] {
			t.Errorf("the unit's filter refuses %s", call)
		}
	}
	if refused := []string{"mount", "ptrace", "setuid", "bpf"}; slices.ContainsFunc(refused, func(call string) bool { return allowed[call] }) {
		t.Errorf("the unit's filter allows one of %v", refused)
	}
}
