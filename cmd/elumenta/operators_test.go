package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

// Operators are told what switches a provider on, of all that the program knows.
func TestProvidersOfTheProgram(t *testing.T) {
	s := start(t, "", []string{"DEEPSEEK_API_KEY=CANARY"})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/v2/admin/providers", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || strings.Contains(string(body), "CANARY") {
		t.Fatalf("%v: %s", err, body)
	}
	var got []string
	for _, p := range unmarshal[struct {
		Items []struct {
			Name, Variable string
			Configured     bool
			Models         []struct{ Slug string }
		}
	}](t, string(body)).Items {
		got = append(got, fmt.Sprint(p.Name, " ", p.Configured, " ", p.Variable, " ", len(p.Models)))
	}
	want := []string{
		"openai false OPENAI_API_KEY 4", "anthropic false ANTHROPIC_API_KEY 3", "gemini false GEMINI_API_KEY 2", "deepseek true DEEPSEEK_API_KEY 2",
		"xai false XAI_API_KEY 1", "ollama false OLLAMA_HOST 0", "sandbox true  1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What operators do from a terminal, on the database of a running server, which knows it at once.
func TestOperatorsCommands(t *testing.T) {
	s := start(t, "", nil)
	env := []string{"ELUMENTA_DATABASE=" + s.database}
	run := func(args ...string) string {
		t.Helper()
		return must(t, env, "", args...)
	}
	ada := run("accounts", "create", "--name", "Ada Lovelace", "--plan", "pro")
	key := run("keys", "create", "--account", ada, "--name", "leaked")

	for range 2 {
		run("accounts", "topup", ada, "500", "--reason", "invoice 4711", "--idempotency-key", "4711")
	}
	if got := run("accounts", "topup", ada, "500", "--reason", "invoice 4711", "--idempotency-key", "4711"); !strings.Contains(got, "1200 tokens") || !strings.Contains(got, "nothing was added") {
		t.Error(got)
	}
	if r := invoke(t, env, "", "accounts", "topup", ada, "600", "--reason", "invoice 4711", "--idempotency-key", "4711"); r.code != exitRefused || !strings.Contains(r.err, "another body") {
		t.Errorf("%+v", r)
	}
	if got := run("accounts", "plan", ada, "pro", "--until", "2099-01-01"); !strings.Contains(got, "on pro and has 1200 tokens") {
		t.Errorf("the plan begins again: %s", got)
	}
	if got := run("accounts", "rename", ada, "Countess"); got != ada+" is now Countess" {
		t.Error(got)
	}
	if got := unmarshal[accountView](t, run("accounts", "role", ada, "admin", "--json")); got.Role != elumenta.RoleAdmin || got.DisplayName != "Countess" {
		t.Errorf("%+v", got)
	}
	if got := run("accounts", "show", ada); !strings.Contains(got, "1200: 700 of its plan, 500 topped up") || !strings.Contains(got, "until 2099-01-01") {
		t.Error(got)
	}
	client := []string{"ELUMENTA_URL=" + s.url, "ELUMENTA_API_KEY=" + key}
	must(t, client, "", "assistants", "list")
	if got := run("accounts", "suspend", ada, "--reason", "does not pay"); got != ada+" is suspended" {
		t.Error(got)
	}
	if r := invoke(t, client, "", "assistants", "list"); r.code != exitRefused || !strings.Contains(r.err, "suspended") {
		t.Errorf("%+v", r)
	}
	for _, flags := range [][]string{{"-q", "count"}, {"-q", ada}, {"--plan", "pro"}, {"--suspended"}} {
		list := unmarshal[[]accountView](t, run(append([]string{"accounts", "list", "--json"}, flags...)...))
		if len(list) != 1 || string(list[0].ID) != ada || !list[0].Suspended {
			t.Errorf("%v: %+v", flags, list)
		}
	}
	run("accounts", "resume", ada)
	found := unmarshal[[]keyView](t, run("keys", "list", "--prefix", key[:8], "--json"))
	if len(found) != 1 || string(found[0].AccountID) != ada {
		t.Fatalf("%+v", found)
	}
	run("keys", "revoke", string(found[0].ID))
	if r := invoke(t, client, "", "assistants", "list"); r.code != exitRefused {
		t.Errorf("a revoked key: %+v", r)
	}
	testAuditCommands(t, s, env, ada, key)
}

func testAuditCommands(t *testing.T, s *server, env []string, ada, key string) {
	t.Helper()
	listed := must(t, env, "", "audit", "list", "--account", ada)
	for _, want := range []string{"account.topped_up", `"reason":"invoice 4711"`, "account.suspended", "key.revoked", "by cli", `"tokens":500`} {
		if !strings.Contains(listed, want) {
			t.Errorf("no %s in %s", want, listed)
		}
	}
	for _, never := range []string{"Countess", "leaked", key} {
		if strings.Contains(listed, never) {
			t.Errorf("%s is in the trail: %s", never, listed)
		}
	}
	entries := unmarshal[[]auditView](t, must(t, env, "", "audit", "list", "--action", "account.topped_up", "--json"))
	if len(entries) != 1 || entries[0].Actor != "cli" || string(*entries[0].AccountID) != ada || entries[0].Details["tokens"] != 500.0 {
		t.Errorf("%+v", entries)
	}
	all := unmarshal[[]auditView](t, must(t, env, "", "audit", "list", "--json"))
	if rest := unmarshal[[]auditView](t, must(t, env, "", "audit", "list", "--json", "--limit", "2", "--before", "4")); len(rest) != 2 || rest[0].Seq != 3 {
		t.Errorf("before 4: %+v", rest)
	}
	head := must(t, env, "", "audit", "verify")
	if kept, ok := elumenta.ParseAuditHead(head); !ok || kept.Seq != int64(len(all)) || kept.Hash.String() != all[0].Hash {
		t.Errorf("the head %s, the newest entry %+v", head, all[0])
	}
	must(t, env, "", "accounts", "create", "--name", "Grace")
	must(t, env, "", "audit", "verify", "--expect", head)
	if v := unmarshal[auditVerifyView](t, must(t, env, "", "audit", "verify", "--json")); !v.OK || v.Entries != int64(len(all))+1 || v.BrokenAt != nil {
		t.Errorf("%+v", v)
	}
	s.stop()
	// The database as it was before, with a trail that has not come so far.
	other := []string{"ELUMENTA_DATABASE=" + newDatabase(t)}
	must(t, other, "", "accounts", "create", "--name", "Ada")
	r := invoke(t, other, "", "audit", "verify", "--expect", head)
	if r.code != exitFailed || !strings.Contains(r.err, "broken at entry 2") || r.out != "" {
		t.Errorf("%+v", r)
	}
	r = invoke(t, other, "", "audit", "verify", "--json", "--expect", head)
	if v := unmarshal[auditVerifyView](t, r.out); r.code != exitFailed || v.OK || *v.BrokenAt != 2 || v.Entries != 1 {
		t.Errorf("%+v", r)
	}
}

func TestOperatorsCommandsRefuse(t *testing.T) {
	env := []string{"ELUMENTA_DATABASE=" + newDatabase(t)}
	admin := must(t, env, "", "accounts", "create", "--name", "Admin", "--admin")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"accounts", "suspend", admin}, exitRefused, "last admin"},
		{[]string{"accounts", "role", admin, "user"}, exitRefused, "last admin"},
		{[]string{"accounts", "role", admin, "root"}, exitUsage, "user"},
		{[]string{"accounts", "rename", admin, ""}, exitRefused, "display_name is required"},
		{[]string{"accounts", "plan", admin, "gold"}, exitRefused, "the plans are free"},
		{[]string{"accounts", "topup", admin, "9223372036854775808"}, exitUsage, "whole number"},
		{[]string{"accounts", "topup", admin, "1.5"}, exitUsage, "whole number"},
		{[]string{"accounts", "topup", admin, "5", "--reason", strings.Repeat("x", 201)}, exitRefused, "reason"},
		{[]string{"accounts", "topup", admin, "5", "--idempotency-key", "a b"}, exitUsage, "visible"},
		{[]string{"accounts", "show", string(elumenta.NewAccountID())}, exitRefused, "no such account"},
		{[]string{"accounts", "list", "--plan", "gold"}, exitRefused, "the plans are free"},
		{[]string{"audit", "list", "--action", "nothing"}, exitUsage, "--help"},
		{[]string{"audit", "list", "--limit", "0"}, exitUsage, "--limit"},
		{[]string{"audit", "list", "--account", "x"}, exitUsage, "acct_"},
		{[]string{"audit", "verify", "--expect", "7"}, exitUsage, "--expect"},
		{[]string{"keys", "list"}, exitUsage, "--prefix"},
		{[]string{"keys", "list", "--account", admin, "--prefix", "nb_12345"}, exitUsage, "together"},
		{[]string{"keys", "revoke", string(elumenta.NewKeyID())}, exitRefused, "no such key"},
	} {
		r := invoke(t, env, "", c.args...)
		if r.code != c.code || !strings.Contains(r.err, c.want) || r.out != "" {
			t.Errorf("%v: %d, want %d and %q: %s%s", c.args, r.code, c.code, c.want, r.out, r.err)
		}
	}
	if got := unmarshal[accountView](t, must(t, env, "", "accounts", "show", admin, "--json")); got.TokenBalance != 50 || got.Role != elumenta.RoleAdmin || got.Suspended {
		t.Errorf("something was changed: %+v", got)
	}
}
