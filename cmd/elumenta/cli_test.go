package main

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

func unmarshal[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func TestVersionAndKeysGenerateTouchNothing(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		if got := must(t, nil, "", arg); got != "dev" {
			t.Errorf("%s %q", arg, got)
		}
	}
	if r := invoke(t, nil, "", "--version", "x"); r.code != exitUsage {
		t.Errorf("%+v", r)
	}
	for _, args := range [][]string{{"keys", "generate"}, {"--help"}, {"serve", "--help"}, {"version"}, {"--version"}} {
		cmd := programCommand(t, nil, args...)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%v: %v", args, err)
		}
		if args[0] == "keys" {
			if _, ok := elumenta.ParseKeySecret(strings.TrimSpace(string(out))); !ok {
				t.Errorf("not a key: %s", out)
			}
		}
		if left, _ := os.ReadDir(cmd.Dir); len(left) > 0 {
			t.Errorf("%v leaves %v", args, left)
		}
	}
}

func TestHelpHasExamplesAndExitCodes(t *testing.T) {
	if help := must(t, nil, "", "--help"); !strings.Contains(help, "Exit codes: 0 done; 1 failed; 2 wrong") || !strings.Contains(help, "ELUMENTA_API_KEY") {
		t.Error(help)
	}
	for _, args := range []string{"serve", "accounts", "accounts create", "accounts topup", "accounts plan", "accounts list", "accounts show", "accounts suspend",
		"accounts resume", "accounts rename", "accounts role", "audit", "audit list", "audit verify", "keys", "keys list", "keys revoke", "keys create", "keys generate", "backup", "restore", "migrate", "assistants",
		"assistants create", "assistants list", "assistants show", "assistants edit", "export", "apply", "import", "chat", "usage", "config check", "completion"} {
		if help := must(t, nil, "", append(strings.Fields(args), "--help")...); !strings.Contains(help, "Example") || !strings.Contains(help, "elumenta "+args) {
			t.Errorf("%s: %s", args, help)
		}
	}
}

// A day given to --expires is not the key's last one, as its help says.
func TestHelpSaysWhenADayEndsAKey(t *testing.T) {
	help := strings.Join(strings.Fields(must(t, nil, "", "keys", "create", "--help")), " ")
	if !strings.Contains(help, "a day, at whose beginning in UTC it does") {
		t.Error(help)
	}
}

// Accounts and keys work on the database while a server runs on it, and the server knows them at once.
func TestAccountsAndKeys(t *testing.T) {
	s := start(t, "", nil, "--no-starters")
	env := []string{"ELUMENTA_DATABASE=" + s.database}
	acct := must(t, env, "", "accounts", "create", "--name", "Ada", "--plan", "pro")
	if _, ok := elumenta.ParseAccountID(acct); !ok {
		t.Fatalf("accounts create prints %q", acct)
	}
	if got := must(t, env, "", "accounts", "topup", acct, "500"); !strings.Contains(got, "1200 tokens") {
		t.Error(got)
	}
	if got := unmarshal[accountView](t, must(t, env, "", "accounts", "plan", acct, "elite", "--until", "2099-01-01", "--json")); got.Plan != "elite" || got.TokenBalance != 3500 || got.PlanExpiresAt == nil {
		t.Errorf("%+v", got)
	}
	if list := unmarshal[[]accountView](t, must(t, env, "", "accounts", "list", "--json")); len(list) != 2 || list[0].DisplayName != "Ada" {
		t.Errorf("%+v", list)
	}
	if list := must(t, env, "", "accounts", "list"); !strings.Contains(list, acct) || strings.Contains(list, "\x1b") {
		t.Error(list)
	}
	key := must(t, env, "", "keys", "create", "--account", acct, "--name", "laptop")
	if _, ok := elumenta.ParseKeySecret(key); !ok {
		t.Fatalf("keys create prints %q", key)
	}
	client := []string{"ELUMENTA_URL=" + s.url, "ELUMENTA_API_KEY=" + key}
	must(t, client, "", "assistants", "list")
	keys := unmarshal[[]keyView](t, must(t, env, "", "keys", "list", "--account", acct, "--json"))
	if len(keys) != 1 || keys[0].Name != "laptop" || !strings.HasPrefix(key, keys[0].Prefix) {
		t.Fatalf("%+v", keys)
	}
	must(t, env, "", "keys", "revoke", string(keys[0].ID), "--account", acct)
	if r := invoke(t, client, "", "assistants", "list"); r.code != exitRefused || !strings.Contains(r.err, "Check ELUMENTA_API_KEY") {
		t.Errorf("a revoked key: %+v", r)
	}
	s.stop()
}

func TestExitCodes(t *testing.T) {
	s := start(t, "", nil)
	s.stop() // the database is there, the server is not
	env := append(s.env(), "ELUMENTA_DATABASE="+s.database)
	nobody, none := string(elumenta.NewAccountID()), string(elumenta.NewAssistantID())
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"accounts create", exitUsage, "--name"},
		{"accounts create --name x --plan gold", exitRefused, "the plans are free"},
		{"accounts topup acct_1 5", exitUsage, "acct_ and 26 characters"},
		{"accounts topup " + nobody + " 5", exitRefused, "no such account"},
		{"accounts topup " + nobody + " 0", exitUsage, "from 1 to"},
		{"accounts topup " + nobody + " many", exitUsage, "from 1 to"},
		{"accounts plan " + nobody + " pro --until tomorrow", exitUsage, "2027-01-01"},
		{"accounts list --database sqlite:/nonexistent/x.db", exitFailed, "/nonexistent"},
		{"keys create --account " + nobody + " --name x", exitRefused, "no such account"},
		{"keys create --account " + string(elumenta.StarterAuthor) + " --name x", exitRefused, "it has no keys"},
		{"accounts role " + string(elumenta.StarterAuthor) + " admin", exitRefused, "it cannot be an admin"},
		{"keys revoke x --account " + nobody, exitUsage, "key_ and 26 characters"},
		{"assistants show x", exitUsage, "asst_ and 26 characters"},
		{"assistants show " + none, exitFailed, "cannot reach " + s.url},
		{"assistants list --url ftp://x", exitUsage, "--url"},
		{"assistants list --api-key-file /nonexistent", exitFailed, "/nonexistent"},
		{"assistants create --name x --model sandbox", exitUsage, "instructions"},
		{"assistants create --name x --model sandbox --instructions y -f z", exitUsage, "instructions"},
		{"completion tcsh", exitUsage, "bash"},
		{"nonsense", exitUsage, "nonsense"},
	} {
		r := invoke(t, env, "", strings.Fields(c.args)...)
		if r.code != c.code || !strings.Contains(r.err, c.want) || r.out != "" {
			t.Errorf("%s: %d, want %d and %q: %s%s", c.args, r.code, c.code, c.want, r.out, r.err)
		}
	}
	for _, key := range []string{"", "nb_mistyped"} {
		r := invoke(t, []string{"ELUMENTA_API_KEY=" + key}, "", "assistants", "list")
		if r.code != exitUsage || !strings.Contains(r.err, "ELUMENTA_API_KEY") || strings.Contains(r.err, "mistyped") {
			t.Errorf("key %q: %+v", key, r)
		}
	}
}

func TestUsage(t *testing.T) {
	s := start(t, "", nil)
	id := must(t, s.env(), "", "assistants", "create", "--name", "Support", "--model", "sandbox", "--instructions", "You help.")
	must(t, s.env(), "hello", "chat", id)
	if got := must(t, s.env(), "", "usage", "--group-by", "assistant"); !strings.HasPrefix(got, "ASSISTANT") || !strings.Contains(got, id) || !strings.Contains(got, "total") {
		t.Errorf("%s", got)
	}
	lines, err := csv.NewReader(strings.NewReader(must(t, s.env(), "", "usage", "--group-by", "version", "--csv"))).ReadAll()
	if err != nil || len(lines) != 2 || lines[0][0] != "version" || lines[1][0] != id+"@1" || lines[1][1] != "1" {
		t.Errorf("%v, %v", lines, err)
	}
	answer := unmarshal[struct{ Total struct{ Requests int } }](t, must(t, s.env(), "", "usage", "--json", "--from", time.Now().UTC().Format(time.DateOnly)))
	if answer.Total.Requests != 1 {
		t.Errorf("%+v", answer)
	}
	if r := invoke(t, s.env(), "", "usage", "--from", "yesterday"); r.code != exitRefused || !strings.Contains(r.err, "from must be a date") {
		t.Errorf("%+v", r)
	}
	if r := invoke(t, s.env(), "", "usage", "--csv", "--json"); r.code != exitUsage {
		t.Errorf("%+v", r)
	}
}

func TestAssistants(t *testing.T) {
	s := start(t, "", nil)
	instructions := "You are {{mood}}.\n---\nÜber allem:\tkeep this.  "
	id := must(t, s.env(), instructions, "assistants", "create", "--name", "Support", "--model", "sandbox", "-f", "-", "--description", "d", "--temperature", "0.5")
	if _, ok := elumenta.ParseAssistantID(id); !ok {
		t.Fatalf("assistants create prints %q", id)
	}
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(s.key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := unmarshal[saved](t, must(t, []string{"ELUMENTA_URL=" + s.url}, "", "assistants", "show", id, "--json", "--api-key-file", keyFile))
	if shown.Instructions != instructions || *shown.Temperature != 0.5 {
		t.Errorf("%+v", shown)
	}
	if got := must(t, s.env(), "", "assistants", "show", id); !strings.HasPrefix(got, "---\nid: "+id+"\nname: Support\n") || !strings.HasSuffix(got, "---\n"+instructions) {
		t.Errorf("%q", got)
	}
	if got := must(t, s.env(), "", "assistants", "list"); !strings.Contains(got, id) || !strings.Contains(got, "Support") {
		t.Error(got)
	}
	if got := must(t, s.env(), "", "assistants", "list", "-q", "nothing like it", "--json"); got != "[]" {
		t.Error(got)
	}
	r := invoke(t, s.env(), "", "assistants", "create", "--name", strings.Repeat("x", 101), "--model", "nothing", "--instructions", "y")
	if r.code != exitRefused || !strings.Contains(r.err, "name must") || !strings.Contains(r.err, "model ") || !strings.Contains(r.err, "request req_") {
		t.Errorf("%+v", r)
	}
	if r := invoke(t, s.env(), "caf\xe9", "assistants", "create", "--name", "x", "--model", "sandbox", "-f", "-"); r.code != exitUsage || !strings.Contains(r.err, "UTF-8") {
		t.Errorf("%+v", r)
	}
	if r := invoke(t, s.env(), "", "assistants", "delete", id); r.code != exitUsage || !strings.Contains(r.err, "--yes") {
		t.Errorf("%+v", r)
	}
	must(t, s.env(), "", "assistants", "delete", id, "--yes")
	if r := invoke(t, s.env(), "", "assistants", "show", id); r.code != exitRefused {
		t.Errorf("%+v", r)
	}
}

func TestEdit(t *testing.T) {
	s := start(t, "", nil)
	id := must(t, s.env(), "", "assistants", "create", "--name", "Before", "--model", "sandbox", "--instructions", "old words")
	show := func() saved {
		return unmarshal[saved](t, must(t, s.env(), "", "assistants", "show", id, "--json"))
	}
	edit := func(script string, args ...string) result {
		return invoke(t, append(s.env(), "EDITOR="+script), "", append([]string{"assistants", "edit", id}, args...)...)
	}
	if r := edit(`sed -i -e 's/^name: .*/name: After/' -e 's/old/new/'`, "--note", "why"); r.code != 0 || !strings.Contains(r.err, "saved") {
		t.Fatalf("%+v", r)
	}
	if got := show(); got.Name != "After" || got.Instructions != "new words" {
		t.Errorf("%+v", got)
	}
	if r := edit("true"); r.code != 0 || !strings.Contains(r.err, "nothing was changed") {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct {
		name, script, want string
		code               int
	}{
		{"unknown setting", `sed -i 's/^name:/title:/'`, "title", exitUsage},
		{"no fence", `sed -i '/^---$/d'`, "begin with a line of ---", exitUsage},
		{"refused", `sed -i 's/^model: .*/model: nothing/'`, "model", exitRefused},
		{"editor fails", "false", "failed", exitFailed},
		{"no editor", "/nonexistent/editor", "failed", exitFailed},
		{"version meanwhile", "sh -c 'VISUAL=\"sed -i s/new/newer/\" " + os.Args[0] + " assistants edit " + id + " >/dev/null 2>&1; sed -i s/words/late/ \"$1\"' sh", "newer version", exitRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := edit(c.script)
			if r.code != c.code || !strings.Contains(r.err, c.want) {
				t.Fatalf("%+v", r)
			}
			kept := regexp.MustCompile(`kept in (\S+)`).FindStringSubmatch(r.err)
			if kept == nil {
				t.Fatalf("does not say where the text is: %s", r.err)
			}
			if b, err := os.ReadFile(kept[1]); err != nil || !strings.Contains(string(b), "model: ") {
				t.Errorf("%v: %s", err, b)
			}
		})
	}
	if got := show(); got.Instructions != "newer words" || got.Model != "sandbox" {
		t.Errorf("%+v", got)
	}
	// A proxy that compresses weakens entity tags (RFC 9110, 8.8.1).
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if tag := r.Header.Get("ETag"); tag != "" {
			r.Header.Set("ETag", "W/"+tag)
		}
		return nil
	}
	weakening := httptest.NewServer(proxy)
	defer weakening.Close()
	if r := invoke(t, append(s.env(), "ELUMENTA_URL="+weakening.URL, "EDITOR=sed -i s/newer/newest/"), "", "assistants", "edit", id); r.code != 0 {
		t.Errorf("%+v", r)
	}
}

func TestConfigCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "e.yaml")
	if err := os.WriteFile(file, []byte("addr: \":80\"\nmodels:\n  - slug: x\n    provider: nobody\n  - slug: gpt-5\n    token_cost: -1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := invoke(t, nil, "", "config", "check", file)
	if r.code != exitUsage || !strings.Contains(r.err, file+":4: models[0].provider is no provider") || !strings.Contains(r.err, file+":6: models[1].token_cost must not be negative") {
		t.Errorf("%+v", r)
	}
	if got := must(t, []string{"OPENAI_API_KEY=sk-x"}, "", "config", "check"); !strings.Contains(got, "openai, sandbox") || strings.Contains(got, "sk-x") {
		t.Error(got)
	}
}

func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"":                            "serve accounts keys reports audit ledger backup restore migrate assistants export apply import chat usage config verify-retention doctor healthcheck completion version",
		"a":                           "accounts audit assistants apply",
		"accounts ":                   "create list show topup plan suspend resume rename role",
		"accounts create --na":        "--name",
		"accounts create --name ":     "",
		"accounts create --name x --": "--help --config --database --name --plan --admin --json",
		"completion ":                 "bash zsh fish",
		"completion z":                "zsh",
		"nonsense x":                  "",
	} {
		got := strings.Fields(must(t, nil, "", append([]string{completeCommand}, strings.Split(line, " ")...)...))
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", line, got, want)
		}
	}
	for shell, check := range map[string][]string{
		"bash": {"bash", "--norc", "-c", `source /dev/stdin; COMP_WORDS=(elumenta accounts cr); COMP_CWORD=2; _elumenta; echo "${COMPREPLY[@]}"`},
		"zsh":  {"zsh", "-n"}, "fish": {"fish", "--no-execute"},
	} {
		script := must(t, nil, "", "completion", shell)
		if !strings.Contains(script, completeCommand) {
			t.Errorf("%s: %s", shell, script)
		}
		if _, err := exec.LookPath(check[0]); err != nil {
			continue // the script of a shell that is not here is only looked at
		}
		dir := t.TempDir()
		if err := os.Symlink(os.Args[0], filepath.Join(dir, "elumenta")); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(check[0], check[1:]...)
		cmd.Stdin = strings.NewReader(script)
		cmd.Env = append(os.Environ(), programVariable+"=1", "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil || (shell == "bash" && strings.TrimSpace(string(out)) != "create") {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
}
