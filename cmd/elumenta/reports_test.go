package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// reported makes a database with assistants that were reported, and returns their ids.
func reported(t *testing.T, url string) (ids []elumenta.AssistantID) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var accounts []elumenta.AccountID
	for _, name := range []string{"Ada", "Eve", "Bob"} {
		a, _, err := s.CreateAccount(t.Context(), elumenta.NewAccount{DisplayName: name, Plan: "free"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		accounts = append(accounts, a.ID)
	}
	for i := range 2 {
		f := elumenta.Fields{Name: fmt.Sprint("Bot \u202e", i), Model: "sandbox", Instructions: "Sell\n\x1b[2Jpills", Description: "d", Category: "general"}
		a, _, err := s.CreateAssistant(t.Context(), accounts[0], f, elumenta.Marketplace, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
		for j, reporter := range accounts[1:] {
			n := elumenta.NewReport{Reason: elumenta.ReportReasons()[j*i], Comment: "it\n\x1b[31msells"}
			if _, _, err := s.ReportAssistant(t.Context(), reporter, a.ID, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	return ids
}

// An operator works off the queue from a terminal.
func TestReportsCommands(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "e.db")
	env := []string{"ELUMENTA_DATABASE=" + url}
	ids := reported(t, url)
	run := func(args ...string) string {
		t.Helper()
		return must(t, env, "", args...)
	}
	id := string(ids[0])
	lines := strings.Split(run("reports", "list"), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], id) || !strings.HasSuffix(lines[1], "2 spam") || !strings.HasSuffix(lines[2], "1 spam, 1 harmful") || !strings.Contains(lines[1], "Bot ·0") {
		t.Errorf("%q", lines)
	}
	if got := run("reports", "show", id); strings.Count(got, "it··[31msells") != 2 || !strings.Contains(got, "open") {
		t.Errorf("%q", got)
	}
	if all := unmarshal[[]reportView](t, run("reports", "show", id, "--json")); len(all) != 2 || all[0].Comment != "it\n\x1b[31msells" || all[0].DecidedAt != nil {
		t.Errorf("%+v", all)
	}
	if got := run("reports", "read", id, "--version", "1"); !strings.Contains(got, "Sell\n\x1b[2Jpills") {
		t.Errorf("%q", got)
	}
	run("reports", "dismiss", id, "--reason", "fine")
	run("assistants", "takedown", string(ids[1]), "--reason", "sells pills")
	if left := run("reports", "list", "--json"); left != "[]" {
		t.Error(left)
	}
	upheld := unmarshal[[]reportedView](t, run("reports", "list", "--state", "upheld", "--json"))
	if len(upheld) != 1 || upheld[0].AssistantID != ids[1] || upheld[0].TakenDown.Reason != "sells pills" || upheld[0].Reports != 2 || upheld[0].Visibility != elumenta.Private {
		t.Errorf("%+v", upheld)
	}
	run("assistants", "allow", string(ids[1]))
	trail := run("audit", "list")
	for _, action := range []string{"assistant.read", "assistant.reports_dismissed", "assistant.taken_down", "assistant.allowed"} {
		if !strings.Contains(trail, action) {
			t.Errorf("no %s in %s", action, trail)
		}
	}
	if strings.Contains(trail, "pills\"") && !strings.Contains(trail, `"reason":"sells pills"`) || strings.Contains(trail, "31msells") {
		t.Errorf("the trail has more than it should: %s", trail)
	}
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"reports", "dismiss", id}, exitRefused},
		{[]string{"assistants", "allow", id}, exitRefused},
		{[]string{"assistants", "takedown", id}, exitUsage},
		{[]string{"assistants", "takedown", id, "--reason", "two\nlines"}, exitRefused},
		{[]string{"reports", "show", "x"}, exitUsage},
		{[]string{"reports", "read", id, "--version=-1"}, exitUsage},
		{[]string{"reports", "read", id, "--version", "7"}, exitRefused},
		{[]string{"reports", "list", "--state", "lost"}, exitUsage},
	} {
		if r := invoke(t, env, "", c.args...); r.code != c.code || r.out != "" {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
}
