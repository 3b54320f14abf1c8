package main

import (
	"os/exec"
	"strings"
	"testing"
)

// The manual page has what --help has, and the formatters of Linux and of the BSDs find no fault with it.
func TestManPage(t *testing.T) {
	page := must(t, nil, "", "man") + "\n"
	for _, want := range []string{
		".SH NAME\nelumenta \\- Reusable AI assistants behind one API\n", ".SH DESCRIPTION\nCommands that work on a server", "Exit codes: 0 done; 1 failed;",
		".SS serve [flags]\nServe the API.\n", ".SS accounts create \\-\\-name=STRING [flags]\n", ".SS apply <dir> [flags]\n", ".SS version\n",
		".TP\n\\fB\\-\\-addr\\fR=\\fIHOST:PORT\\fR\nWhere to listen.", ".TP\n\\fB\\-y\\fR, \\fB\\-\\-yes\\fR\n", ".TP\n.I <dir>\n",
		".EX\nelumenta serve\n", "OPENAI_API_KEY=\\[u2026] elumenta serve \\-\\-addr :8080", ".SH ENVIRONMENT\n", ".B ELUMENTA_ADDR\nThe same as\n.BR \\-\\-addr .\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{".SS man", "\n\n\n", "\n'"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if n := strings.Count(page, ".B ELUMENTA_DATABASE\n"); n != 1 {
		t.Errorf("ELUMENTA_DATABASE stands there %d times", n)
	}
	for _, check := range [][]string{{"man", "--warnings", "-l", "-"}, {"mandoc", "-T", "lint", "-W", "error"}} {
		if _, err := exec.LookPath(check[0]); err != nil {
			continue // a formatter that is not here finds nothing
		}
		var faults strings.Builder
		cmd := exec.Command(check[0], check[1:]...)
		cmd.Stdin, cmd.Stderr = strings.NewReader(page), &faults
		out, err := cmd.Output()
		if err != nil || faults.Len() > 0 || (check[0] == "man" && !strings.Contains(string(out), "--drain-timeout=TIME")) {
			t.Errorf("%s: %v: %s%s", check[0], err, faults.String(), out)
		}
	}
}
