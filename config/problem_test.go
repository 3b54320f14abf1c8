package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

func problems(t *testing.T, name, text string, env ...string) []string {
	t.Helper()
	_, err := load(name, []byte(text), Overrides{}, environment(env...))
	if err == nil {
		return nil
	}
	list, ok := errors.AsType[Problems](err)
	if !ok {
		t.Fatalf("%T is not Problems", err)
	}
	lines := make([]string, len(list))
	for i, p := range list {
		lines[i] = p.String()
	}
	return lines
}

func TestMistakesAreNamedWithTheirLines(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		want             []string // beginnings of lines
	}{
		{"unknown keys", "f.toml", "adr = 1\n[log]\nfromat = \"json\"\n[[models]]\nslug = \"gpt-5\"\ncolour = 1\n", []string{
			"f.toml:1: adr is not a known setting: did you mean addr?", "f.toml:3: log.fromat is not a known setting: did you mean format?",
			"f.toml:6: models[0].colour is not a known setting",
		}},
		{"types", "f.toml", "addr = 8080\ntrusted_proxies = \"10.0.0.0/8\"\n\n[limits]\nfirst_piece = 30\nopen_generations = 1.5\n", []string{
			"f.toml:1: addr must be a string, is a whole number", "f.toml:2: trusted_proxies must be a list, is a string",
			"f.toml:5: limits.first_piece must be a string", "f.toml:6: limits.open_generations must be a whole number, is a number",
		}},
		{"types in YAML", "f.yaml", "addr: 8080\nlimits:\n  first_piece: soon\nmodels: {}\nlog: x\n", []string{
			"f.yaml:1: addr must be a string", "f.yaml:3: limits.first_piece must be a duration", "f.yaml:4: models must be a list, is a table",
			"f.yaml:5: log must be a table of settings, is a string",
		}},
		{"routes", "f.toml", `[[models]]
slug = "gpt-5"
routes = []
[[models]]
slug = "gpt-5.2"
routes = [
  {order = 1},
  {provider = "nobody"},
  {provider = "openai", upstream_id = "", region = "E U", order = -1},
  {provider = "openai", weight = 0},
  {provider = "openai", weight = 1001, colour = 1},
]
[limits]
retry_budget_percent = -1
[[models]]
slug = "h"
provider = "openai"
hedge_after = "1s"
[[models]]
slug = "i"
routes = [{provider = "openai"}, {provider = "xai"}]
hedge_after = "10ms"
[[models]]
slug = "j"
routes = [{provider = "openai"}, {provider = "xai"}]
hedge_after = "3m"
`, []string{
			"f.toml:3: models[0].routes must have 1 to 8 routes", "f.toml:7: models[1].routes[0] needs a provider", "f.toml:8: models[1].routes[1].provider is no provider: \"nobody\"",
			"f.toml:9: models[1].routes[2].upstream_id must have 1 to 200 bytes", "f.toml:9: models[1].routes[2].region must match", "f.toml:9: models[1].routes[2].order must not be negative",
			"f.toml:10: models[1].routes[3].weight must be 1 to 1000", "f.toml:11: models[1].routes[4].colour is not a known setting", "f.toml:11: models[1].routes[4].weight must be 1 to 1000", "f.toml:14: limits.retry_budget_percent must not be negative",
			"f.toml:18: models[2].hedge_after needs a model with two routes", "f.toml:22: models[3].hedge_after must be 50ms to limits.first_piece, 2m0s, or 0", "f.toml:26: models[4].hedge_after must be 50ms to limits.first_piece",
		}},
		{"limits that cannot be meant", "f.toml", `[limits]
first_piece = "20m"
between_pieces = "2h"
open_generations = -1
retry_budget_percent = 100000
`, []string{
			"f.toml:2: limits.first_piece must be at most limits.generation, 10m0s, which ends the whole", "f.toml:3: limits.between_pieces must be at most limits.generation",
			"f.toml:4: limits.open_generations must not be negative", "f.toml:5: limits.retry_budget_percent must be at most 6300: a request has 64 routes and keys",
		}},
		{"one limit lowered alone", "f.toml", "[limits]\ngeneration = \"30s\"\nretry_budget_percent = 6300\n", nil},
		{"limits that are the same", "f.toml", "[limits]\ngeneration = \"30s\"\nfirst_piece = \"30s\"\n", nil},
		{"keys", "f.toml", `[[providers]]
name = "a"
base_url = "http://a.example/v1"
api_key = "one,,two"
[[providers]]
name = "b"
base_url = "http://b.example/v1"
api_key = "one, two, one"
[[providers]]
name = "c"
base_url = "http://c.example/v1"
api_key = "1,2,3,4,5,6,7,8,9"
`, []string{
			"f.toml:4: providers[0].api_key is empty", "f.toml:8: providers[1].api_key has the same key twice", "f.toml:12: providers[2].api_key has 9 keys; at most 8",
		}},
		{"several at once, values", "f.toml", `addr = "8080"
database = "mysql://x"
trusted_proxies = [
  "10.0.0.0/8",
  "10.0.0.0/33",
]
cors_origins = ["app.example.com", "https://App.example.com", "https://app.example.com:443"]
[[models]]
slug = "a"
provider = "nobody"
min_plan = "gold"
token_cost = -1
temperature = [1, 0]
cache = "always"
[[models]]
slug = "a"
provider = "openai"
[[models]]
slug = "b"
[[models]]
slug = "c"
provider = "openai"
replaced_by = "z"
`, []string{
			"f.toml:1: addr must be HOST:PORT", "f.toml:2: database must be sqlite:PATH or postgres://", `f.toml:5: trusted_proxies[1] must be addresses or CIDR ranges, such as 10.0.0.0/8; "10.0.0.0/33" is neither`,
			"f.toml:7: cors_origins[0] must be origins", "f.toml:7: cors_origins[1] must be origins", "f.toml:7: cors_origins[2] must be origins", `f.toml:10: models[0].provider is no provider: "nobody"; there are openai, anthropic`,
			`f.toml:11: models[0].min_plan is no plan: "gold"; there are free, basic`, "f.toml:12: models[0].token_cost must not be negative",
			"f.toml:13: models[0].temperature must be a range", "f.toml:14: models[0].cache must be one of marks, none, prefix",
			"f.toml:16: models[1].slug stands there twice: a", "f.toml:18: models[2] needs a provider", `f.toml:23: models[3].replaced_by is no model of the catalog: "z"`,
		}},
		{"plans", "f.yml", `plans:
  - name: free
    per_hour: -3
  - name: free
  - name: Team
  - monthly_tokens: 3
  - name: x
    unlimited: true
    once_tokens: 4
plan_order: [free, gold, free]
`, []string{
			"f.yml:3: plans[0].per_hour must not be negative", "f.yml:4: plans[1].name stands there twice: free", "f.yml:5: plans[2].name must match",
			"f.yml:6: plans[3] needs a name", "f.yml:7: plans[4] is unlimited and has tokens", `f.yml:10: plan_order[1] is no plan: "gold"`, "f.yml:10: plan_order[2] stands there twice: free",
			"f.yml:10: plan_order must name every plan: without basic, pro, vip, elite, x, unlimited",
		}},
		{"too many tokens", "f.toml", `[[plans]]
name = "free"
once_tokens = 9_223_372_036_854_775_807
monthly_tokens = 1_000_000_000_001
[[models]]
slug = "gpt-5"
token_cost = 1_000_000_000_001
`, []string{
			"f.toml:3: plans[0].once_tokens must be at most 1000000000000", "f.toml:4: plans[0].monthly_tokens must be at most 1000000000000",
			"f.toml:7: models[0].token_cost must be at most 1000000000000",
		}},
		{"providers", "f.toml", `[[providers]]
name = "sandbox"
[[providers]]
name = "a"
[[providers]]
name = "b"
base_url = "ftp://x"
format = "grpc"
[[providers]]
name = "c"
base_url = "https://u:p@x"
api_key = "k"
api_key_env = "K"
[[providers]]
name = "d"
base_url = "https://x"
api_key_env = "sk-123"
[[models]]
slug = "m"
provider = "e"
[[providers]]
name = "e"
base_url = "https://x"
format = "anthropic"
`, []string{
			"f.toml:2: providers[0].name is built in", "f.toml:3: providers[1] needs a base_url", "f.toml:7: providers[2].base_url must be an http", "f.toml:8: providers[2].format must be chat, responses",
			"f.toml:9: providers[3] has api_key and api_key_env", "f.toml:11: providers[3].base_url must be a URL without a user", "f.toml:17: providers[4].api_key_env must be the name of an environment variable",
			"f.toml:18: models[0] needs max_output_tokens",
		}},
		{"syntax", "f.toml", "addr = \"x\"\nlog = {\n", []string{"f.toml:2: "}},
		{"twice", "f.toml", "addr = \"127.0.0.1:1\"\naddr = \"127.0.0.1:1\"\n", []string{"f.toml:2: "}},
		{"syntax in YAML", "f.yaml", "addr: \"x\nlog: [\n", []string{"f.yaml:"}},
		{"twice in YAML", "f.yaml", "addr: \":1\"\naddr: \":1\"\n", []string{"f.yaml:2: "}},
		{"several documents", "f.yaml", "addr: \":1\"\n---\naddr: \":2\"\n", []string{"f.yaml: must hold one document"}},
		{"a list", "f.yaml", "- a\n", []string{"f.yaml:"}},
		{"not UTF-8", "f.toml", "addr = \":1\"\n# \xff\n", []string{"f.toml:2: is not valid UTF-8"}},
		{"another format", "f.json", "{}", []string{"f.json: must end in .toml, .yaml or .yml"}},
		{"too large", "f.toml", strings.Repeat("#\n", maxFileSize), []string{"f.toml: is larger than"}},
		{"half of TLS", "f.toml", "[tls]\ncert = \"c\"\n", []string{"tls: needs both a certificate and a key"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := problems(t, c.file, c.text)
			for i := range max(len(got), len(c.want)) {
				if i >= len(got) || i >= len(c.want) || !strings.HasPrefix(got[i], c.want[i]) {
					t.Fatalf("line %d differs; got\n%s\nwant\n%s", i, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			}
		})
	}
}

func TestFlagsAndEnvironmentAreNamed(t *testing.T) {
	_, err := Load("", Overrides{Addr: "8080", LogLevel: "loud", TrustedProxies: []string{"x"}, MetricsAddr: "y"},
		environment("OPENAI_API_KEY", "sk-\x01secret", "GEMINI_BASE_URL", "nowhere", "OLLAMA_HOST", "ftp://x"))
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{
		"--addr (ELUMENTA_ADDR): must be HOST:PORT", "--log-level (ELUMENTA_LOG_LEVEL): must be debug", "--trusted-proxies (ELUMENTA_TRUSTED_PROXIES): must be",
		"--metrics-addr (ELUMENTA_METRICS_ADDR): must be", "OPENAI_API_KEY: holds a character", "GEMINI_BASE_URL: must be an http", "OLLAMA_HOST: must be HOST",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%s", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Error("a credential is quoted")
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.toml")
	_, err := Load(path, Overrides{}, environment())
	if err == nil || err.Error() != path+": cannot be read: no such file or directory" {
		t.Errorf("%v", err)
	}
	if _, err := Load(t.TempDir(), Overrides{}, environment()); err == nil {
		t.Error("a directory is taken")
	}
}

// Whatever is wrong around a credential, no message and no printed configuration holds it.
func TestCredentialsAreNeverQuoted(t *testing.T) {
	const canary = "sk-canary-93jf"
	for i, text := range []string{
		"[[providers]]\nname = \"a\"\nbase_url = \"x\"\napi_key = \"" + canary + "\"\n",
		"[[providers]]\nname = \"a\"\napi_key = \"" + canary + "\n",
		"[[providers]]\nname = \"a\"\napi_key = " + canary + "\n",
		"[[providers]]\nname = \"a\"\napi_key = [\"" + canary + "\"]\n",
		"[[providers]]\nname = \"a\"\napi_key_env = \"" + canary + "\"\n",
		"[[providers]]\nname = \"a\"\nbase_url = \"https://u:" + canary + "@x\"\n",
		"database = \"mysql://u:" + canary + "@x\"\n",
		"database = \"postgres://u:" + canary + "@x:y/%zz\"\n",
	} {
		got := strings.Join(problems(t, "f.toml", text), "\n")
		if got == "" || strings.Contains(got, canary) {
			t.Errorf("%d: %q", i, got)
		}
	}
	for i, text := range []string{
		"providers:\n  - name: a\n    api_key: \"" + canary + "\n",
		"providers:\n  - name: a\n    api_key: [" + canary + "]\n",
		"providers:\n  - name: a\n    api_key: *" + canary + "\n",
		"providers:\n  - name: a\n  api_key: " + canary + "\n",
	} {
		got := strings.Join(problems(t, "f.yaml", text), "\n")
		if got == "" || strings.Contains(got, canary) {
			t.Errorf("YAML %d: %q", i, got)
		}
	}
	c, err := load("f.toml", []byte("[[providers]]\nname = \"openai\"\napi_key = \""+canary+"\"\n"), Overrides{}, environment())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", c.Providers, c.Providers, c.Providers), canary) {
		t.Error("a printed configuration shows the credential")
	}
}

func FuzzParseFile(f *testing.F) {
	for _, text := range []string{everythingTOML, everythingYAML, "", "a = [[{b = 1}]]", "x: &a [*a]", "x: &a {<<: *a}", "[a]\n[a.b]\n[[a.c]]\n[a.c.d]\n", "a.b.c = 1", "- 1", "? [x]\n: y"} {
		f.Add("f.toml", []byte(text))
		f.Add("f.yaml", []byte(text))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if name != "f.toml" {
			name = "f.yaml"
		}
		c, err := load(name, data, Overrides{}, environment())
		if (c == nil) == (err == nil) {
			t.Fatal("neither or both")
		}
		if list, ok := errors.AsType[Problems](err); err != nil && (!ok || len(list) == 0) {
			t.Fatalf("%v", err)
		}
	})
}

func TestAddressesThatCannotBothBeTaken(t *testing.T) {
	for _, c := range []struct {
		addr, metrics string
		refused       bool
	}{
		{":8080", ":8080", true}, {"127.0.0.1:8080", ":8080", true}, {"0.0.0.0:8080", "127.0.0.1:8080", true}, {"[::1]:8080", "[::]:8080", true}, {"localhost:8080", "0.0.0.0:8080", true},
		{":8080", ":9090", false}, {"127.0.0.1:8080", "127.0.0.2:8080", false}, {"0.0.0.0:8080", "[::1]:8080", false}, {":0", "127.0.0.1:0", false},
	} {
		_, err := Load("", Overrides{Addr: c.addr, MetricsAddr: c.metrics}, environment())
		if (err != nil) != c.refused {
			t.Errorf("%s and %s: %v", c.addr, c.metrics, err)
		}
	}
}

// TestHostsLiberties: what a host of Chat Completions wants otherwise is the model's to say.
func TestHostsLiberties(t *testing.T) {
	path := write(t, "e.toml", `
[[models]]
slug = "llama"
provider = "ollama"
token_cost = 1
context_window = 8192
chat_max_tokens_field = "max_completion_tokens"
chat_stream_options = false
[[models]]
slug = "qwen"
provider = "ollama"
token_cost = 1
context_window = 8192
`)
	c, err := Load(path, Overrides{}, environment())
	if err != nil {
		t.Fatal(err)
	}
	for slug, own := range map[string]bool{"llama": true, "qwen": false} {
		at := slices.IndexFunc(c.Models, func(m elumenta.Model) bool { return m.Slug == slug })
		if caps := c.Models[at].Capabilities; caps.NoStreamOptions != own || (caps.ChatMaxTokensField == "max_completion_tokens") != own {
			t.Errorf("%s: %+v", slug, caps)
		}
	}
}
