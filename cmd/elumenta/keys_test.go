package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

// Keys are made with limits, listed with them and held to them by a server that runs.
func TestLimitedKeys(t *testing.T) {
	s := start(t, "", nil)
	env := []string{"ELUMENTA_DATABASE=" + s.database}
	acct := must(t, env, "", "accounts", "create", "--name", "Ada", "--plan", "pro")
	create := func(flags ...string) string {
		return must(t, env, "", append([]string{"keys", "create", "--account", acct, "--name", "k"}, flags...)...)
	}
	asst := elumenta.AssistantID(must(t, s.env(), "", "assistants", "create", "--name", "A", "--model", "sandbox", "--instructions", "x"))
	create("--assistant", string(asst), "--model", "sandbox", "--model", "gpt-5", "--budget", "100", "--expires", "2999-01-31")
	readOnly := create("--read-only", "--expires", "36h")
	keys := unmarshal[[]keyView](t, must(t, env, "", "keys", "list", "--account", acct, "--json"))
	expires := time.Date(2999, 1, 31, 0, 0, 0, 0, time.UTC)
	want := keyView{
		ID: keys[1].ID, AccountID: elumenta.AccountID(acct), Name: "k", Prefix: keys[1].Prefix, CreatedAt: keys[1].CreatedAt, Assistants: []elumenta.AssistantID{asst},
		Models: []string{"sandbox", "gpt-5"}, Budget: new(int64(100)), BudgetSpent: new(int64(0)), ExpiresAt: &expires,
	}
	if diff := cmp.Diff(want, keys[1]); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	if v := keys[0]; !v.ReadOnly || v.ExpiresAt == nil || v.ExpiresAt.Sub(v.CreatedAt).Round(time.Hour) != 36*time.Hour {
		t.Errorf("%+v", v)
	}
	table := must(t, env, "", "keys", "list", "--account", acct)
	for _, want := range []string{"assistants: 1, models: sandbox gpt-5, 0 of 100 tokens spent, until 2999-01-31 00:00:00", "read only, until "} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	client := []string{"ELUMENTA_URL=" + s.url, "ELUMENTA_API_KEY=" + readOnly}
	must(t, client, "", "assistants", "list")
	if r := invoke(t, client, "hi", "chat", "sandbox"); r.code != exitRefused || !strings.Contains(r.err, "reading only") {
		t.Errorf("a key for reading generates: %+v", r)
	}
	for flags, advice := range map[string]string{
		"--expires soon": "36h or 30d", "--expires=-1h": "in the future", "--expires 0d": "in the future", "--budget=-1": "between 0 and",
		"--assistant x": "asst_ and 26 characters", "--model m --model m": "listed twice", "--read-only --budget 5": "does not go together",
	} {
		args := append([]string{"keys", "create", "--account", acct, "--name", "k"}, strings.Fields(flags)...)
		if r := invoke(t, env, "", args...); r.code == 0 || !strings.Contains(r.err, advice) || r.out != "" {
			t.Errorf("%s: %+v", flags, r)
		}
	}
	s.stop()
}

// A key for what is not there would be printed, and never work.
func TestKeysCreateChecksWhatAKeyIsFor(t *testing.T) {
	b := newBooks(t)
	file := filepath.Join(t.TempDir(), "e.toml")
	if err := os.WriteFile(file, []byte("[[models]]\nslug = \"mine\"\nprovider = \"ollama\"\ntoken_cost = 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	create := func(flags ...string) result {
		return invoke(t, b.env, "", append([]string{"keys", "create", "--account", b.account, "--name", "k"}, flags...)...)
	}
	for _, c := range []struct {
		flags string
		code  int
		want  string
	}{
		{"--model snadbox", exitRefused, "models[0] is not in the catalog of the program itself"},
		{"--model mine", exitRefused, "name it with --config"},
		{"--model mine --model sandbox --model x --config " + file, exitRefused, "models[2] is not in the catalog of " + file},
		{"--model mine --config /nonexistent/e.toml", exitUsage, "/nonexistent/e.toml: cannot be read"},
		{"--assistant " + string(elumenta.NewAssistantID()), exitRefused, "assistants[0] is no assistant of this database"},
		{"--assistant x --model y", exitRefused, "asst_ and 26 characters"},
		{"--budget -1", exitUsage, "-1 is below zero: no argument may be"},
	} {
		if r := create(strings.Fields(c.flags)...); r.code != c.code || !strings.Contains(r.err, c.want) || strings.Contains(r.err, "perhaps try") || r.out != "" {
			t.Errorf("%s: %+v", c.flags, r)
		}
	}
	if keys := b.must("keys", "list", "--account", b.account, "--json"); keys != "[]" {
		t.Errorf("keys were made: %s", keys)
	}
	if r := create("--model", "mine", "--config", file); r.code != 0 {
		t.Errorf("%+v", r)
	}
}

// A key that leaked is found by whatever one has of it; what is no key's beginning is not said to be nobody's.
func TestKeysListTakesKeysAlone(t *testing.T) {
	b := newBooks(t)
	key := b.must("keys", "create", "--account", b.account, "--name", "leaked")
	for _, prefix := range []string{key[:8], key[:10], key, " " + key + "\n"} {
		if list := unmarshal[[]keyView](t, b.must("keys", "list", "--json", "--prefix", prefix)); len(list) != 1 || list[0].Name != "leaked" {
			t.Errorf("%d characters: %+v", len(prefix), list)
		}
	}
	for _, prefix := range []string{"nb_ok", "zz", "nb_1234", "sk-12345678", "nb_1234-6", key[3:]} {
		if r := invoke(t, b.env, "", "keys", "list", "--prefix", prefix); r.code != exitUsage || !strings.Contains(r.err, "at least 5 letters or digits") || r.out != "" {
			t.Errorf("%q: %+v", prefix, r)
		}
	}
	if r := invoke(t, b.env, "", "keys", "list", "--account", string(elumenta.NewAccountID())); r.code != exitRefused || !strings.Contains(r.err, "no such account") || r.out != "" {
		t.Errorf("%+v", r)
	}
}

func TestParseWhen(t *testing.T) {
	now := time.Date(2026, 1, 30, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"2027-01-31":                time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
		"2027-01-31T12:00:00+01:00": time.Date(2027, 1, 31, 11, 0, 0, 0, time.UTC),
		"30d":                       time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		"90m":                       time.Date(2026, 1, 30, 13, 30, 0, 0, time.UTC),
	} {
		if got, err := parseWhen(s, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "d", "1.5d", "99999d", "tomorrow", "2027-02-30"} {
		if got, err := parseWhen(s, now); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}
