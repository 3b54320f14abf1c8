package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func model(t *testing.T, c *Config, slug string) elumenta.Model {
	t.Helper()
	i := slices.IndexFunc(c.Models, func(m elumenta.Model) bool { return m.Slug == slug })
	if i < 0 {
		t.Fatalf("no model %s", slug)
	}
	return c.Models[i]
}

func provider(t *testing.T, c *Config, name string) Provider {
	t.Helper()
	i := slices.IndexFunc(c.Providers, func(p Provider) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no provider %s", name)
	}
	return c.Providers[i]
}

func TestDefaults(t *testing.T) {
	c, err := Load("", Overrides{}, environment())
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "127.0.0.1:8080" || c.Database != "sqlite:elumenta.db" || c.DrainDelay != 0 || c.DrainTimeout != 30*time.Second {
		t.Errorf("defaults of the contract: %q %q %s %s", c.Addr, c.Database, c.DrainDelay, c.DrainTimeout)
	}
	if diff := cmp.Diff(elumenta.DefaultPlans(), c.Plans); diff != "" {
		t.Errorf("plans: %s", diff)
	}
	costs := map[string]int64{}
	for _, m := range c.Models {
		costs[m.Slug] = m.TokenCost
		if m.MinPlan != "free" || m.Category != "text" || m.ContextWindow == 0 || m.Description == "" || m.UpstreamID == "" {
			t.Errorf("%s: %+v", m.Slug, m)
		}
	}
	want := map[string]int64{
		"gpt-5-nano": 1, "gpt-5": 2, "gpt-5.2": 4, "gpt-5.2-pro": 39, "claude-haiku-4.5": 1, "claude-sonnet-4.5": 4, "claude-opus-4.5": 6,
		"gemini-2.5-flash": 1, "gemini-3-pro": 3, "deepseek-v3": 1, "deepseek-r1": 1, "grok-4-fast": 1, "sandbox": 0,
	}
	if diff := cmp.Diff(want, costs); diff != "" {
		t.Errorf("the contract's catalog: %s", diff)
	}
	for _, p := range c.Providers {
		if p.Enabled != (p.Name == "sandbox") {
			t.Errorf("%s without a key: enabled %t", p.Name, p.Enabled)
		}
	}
}

func TestCatalogCapabilities(t *testing.T) {
	c, err := Load("", Overrides{}, environment())
	if err != nil {
		t.Fatal(err)
	}
	if m := model(t, c, "gpt-5"); m.Capabilities.Temperature != nil || m.Capabilities.TopP != nil || m.Capabilities.Stop != 0 {
		t.Error("GPT-5 takes neither temperature nor top_p nor stop")
	}
	if m := model(t, c, "claude-sonnet-4.5"); *m.Capabilities.Temperature != (elumenta.Range{Max: 1}) || m.Capabilities.Cache != elumenta.CacheMarks {
		t.Errorf("Claude: %+v", m.Capabilities)
	}
	minimum := map[string]int{"claude-sonnet-4.5": 1024, "claude-haiku-4.5": 4096, "claude-opus-4.5": 4096, "gpt-5": 1024, "deepseek-v3": 64, "sandbox": 0}
	for slug, want := range minimum {
		if got := model(t, c, slug).Capabilities.CacheMinimum; got != want {
			t.Errorf("%s: cache minimum %d, want %d", slug, got, want)
		}
	}
}

const everythingTOML = `
addr = ":9000"
database = "postgres://u:secret@db/e"
metrics_addr = "127.0.0.1:9090"
trusted_proxies = ["10.0.0.0/8", "192.0.2.1"]
cors_origins = ["https://app.example.com"]
drain_delay = "5s"
plan_order = ["free", "team", "basic", "pro", "vip", "elite", "unlimited"]
[log]
format = "json"
level = "debug"
[limits]
first_piece = "30s"
generate_body = "1MiB"
open_generations = 7
[[plans]]
name = "team"
monthly_tokens = 2_000
[[plans]]
name = "free"
once_tokens = 10
[[providers]]
name = "local"
base_url = "http://127.0.0.1:8000/v1/"
[[models]]
slug = "llama"
provider = "local"
min_plan = "team"
vision = true
[[models]]
slug = "gpt-5"
token_cost = 9
temperature = [0.5, 1]
`

const everythingYAML = `
addr: ":9000"
database: "postgres://u:secret@db/e"
metrics_addr: 127.0.0.1:9090
trusted_proxies: [10.0.0.0/8, 192.0.2.1]
cors_origins:
  - https://app.example.com
drain_delay: 5s
plan_order: [free, team, basic, pro, vip, elite, unlimited]
log: {format: json, level: debug}
limits:
  first_piece: 30s
  generate_body: 1MiB
  open_generations: 7
plans:
  - name: team
    monthly_tokens: 2000
  - {name: free, once_tokens: 10}
providers:
  - name: local
    base_url: http://127.0.0.1:8000/v1/
models:
  - slug: llama
    provider: local
    min_plan: team
    vision: true
  - slug: gpt-5
    token_cost: 9
    temperature: [0.5, 1]
`

func TestFile(t *testing.T) {
	for name, text := range map[string]string{"e.toml": everythingTOML, "e.yaml": everythingYAML} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(write(t, name, text), Overrides{}, environment())
			if err != nil {
				t.Fatal(err)
			}
			if c.Addr != ":9000" || c.MetricsAddr != "127.0.0.1:9090" || c.DrainDelay != 5*time.Second || c.Log != (Log{"json", slog.LevelDebug}) {
				t.Errorf("%+v", c)
			}
			if c.Limits.FirstPiece != 30*time.Second || c.Limits.BetweenPieces != time.Minute || c.Limits.GenerateBody != 1<<20 {
				t.Errorf("%+v", c.Limits)
			}
			want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")}
			if !slices.Equal(c.TrustedProxies, want) {
				t.Errorf("trusted proxies %v", c.TrustedProxies)
			}
			if got := strings.Join(c.Plans.Names(), " "); got != "free team basic pro vip elite unlimited" {
				t.Errorf("plans %s", got)
			}
			if p, _ := c.Plans.Get("team"); p.MonthlyTokens != 2000 || p.OpenGenerations != 7 {
				t.Errorf("%+v", p)
			}
			if p, _ := c.Plans.Get("free"); p.OnceTokens != 10 || p.PerHour != 20 {
				t.Errorf("%+v", p)
			}
			if p := provider(t, c, "local"); p.BaseURL != "http://127.0.0.1:8000/v1" || !p.Enabled || p.Format != FormatChat {
				t.Errorf("%+v", p)
			}
			if m := model(t, c, "llama"); m.UpstreamID != "llama" || m.MinPlan != "team" || !m.Capabilities.Vision || m.TokenCost != 1 {
				t.Errorf("%+v", m)
			}
			m := model(t, c, "gpt-5")
			if m.TokenCost != 9 || *m.Capabilities.Temperature != (elumenta.Range{Min: 0.5, Max: 1}) || m.ContextWindow != 400_000 {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestOverridesBeatFile(t *testing.T) {
	delay := time.Second
	c, err := Load(write(t, "e.toml", everythingTOML), Overrides{
		Addr: ":1", Database: "sqlite:x.db", LogLevel: "warn", TrustedProxies: []string{"::1"}, DrainDelay: &delay,
	}, environment())
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != ":1" || c.Database != "sqlite:x.db" || c.Log != (Log{"json", slog.LevelWarn}) || len(c.TrustedProxies) != 1 || c.DrainDelay != delay {
		t.Errorf("%+v", c)
	}
}

func TestProvidersFromEnvironment(t *testing.T) {
	path := write(t, "e.toml", `
[[providers]]
name = "openai"
api_key = "from-file"
base_url = "http://file.example/v1"
[[providers]]
name = "router"
base_url = "https://router.example/v1"
api_key_env = "ROUTER_KEY"
[[providers]]
name = "off"
base_url = "https://off.example/v1"
api_key_env = "NOT_SET"
`)
	c, err := Load(path, Overrides{}, environment("OPENAI_API_KEY", "from-env\n", "ANTHROPIC_API_KEY", "a", "ANTHROPIC_BASE_URL", "http://a.example/", "ROUTER_KEY", "r", "XAI_BASE_URL", "http://x.example/v1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		name, key, base, variable string
		enabled                   bool
	}{
		{"openai", "from-env", "http://file.example/v1", "OPENAI_API_KEY", true},
		{"anthropic", "a", "http://a.example", "ANTHROPIC_API_KEY", true},
		{"gemini", "", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY", false},
		{"deepseek", "", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", false},
		{"xai", "", "http://x.example/v1", "XAI_API_KEY", false},
		{"router", "r", "https://router.example/v1", "ROUTER_KEY", true},
		{"off", "", "https://off.example/v1", "NOT_SET", false},
		{"ollama", "", "http://127.0.0.1:11434/v1", "OLLAMA_HOST", false},
		{"sandbox", "", "", "", true},
	} {
		p := provider(t, c, want.name)
		if setup := p.Setup(); setup.Name != want.name || setup.Configured != want.enabled || setup.Variable != want.variable {
			t.Errorf("%+v", setup)
		}
		key := ""
		if len(p.Credentials) > 0 {
			key = p.Credentials[0].Reveal()
		}
		if key != want.key || p.BaseURL != want.base || p.Enabled != want.enabled {
			t.Errorf("%s: %q %q %t", want.name, key, p.BaseURL, p.Enabled)
		}
	}
}

// Routes are sorted by order, the first one's provider and id are the model's, and what a route leaves out is the model's own.
func TestRoutesAndKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.toml")
	if err := os.WriteFile(path, []byte(`
[[providers]]
name = "two-keys"
base_url = "http://two.example/v1"
api_key = "one, two"
circuit_breaker = false
[[models]]
slug = "gpt-5.2"
routes = [{provider = "two-keys", upstream_id = "other", region = "eu", order = 2, weight = 7}, {provider = "openai"}, {provider = "xai", order = 2}]
hedge_after = "1500ms"
[[models]]
slug = "new"
routes = [{provider = "two-keys"}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, Overrides{}, environment("OPENAI_API_KEY", "a,b , c"))
	if err != nil {
		t.Fatal(err)
	}
	own := "gpt-5.2"
	for slug, want := range map[string][]Route{
		own:     {{"openai", own, "", 0, 1}, {"two-keys", "other", "eu", 2, 7}, {"xai", own, "", 2, 1}},
		"new":   {{"two-keys", "new", "", 0, 1}},
		"gpt-5": {{"openai", "gpt-5", "", 0, 1}},
	} {
		at := slices.IndexFunc(c.Models, func(m elumenta.Model) bool { return m.Slug == slug })
		m := &c.Models[at]
		for i := range want {
			if want[i].UpstreamID == own {
				want[i].UpstreamID = m.UpstreamID
			}
		}
		if got := c.RoutesOf(m); !slices.Equal(got, want) || m.Provider != want[0].Provider || m.UpstreamID != want[0].UpstreamID || (m.HedgeAfter == 1500*time.Millisecond) != (slug == own) {
			t.Errorf("%s: %+v, %s %s", slug, got, m.Provider, m.UpstreamID)
		}
	}
	for name, want := range map[string]string{"openai": "a b c", "two-keys": "one two", "xai": ""} {
		var keys []string
		p := provider(t, c, name)
		for _, k := range p.Credentials {
			keys = append(keys, k.Reveal())
		}
		if strings.Join(keys, " ") != want || p.Unguarded != (name == "two-keys") {
			t.Errorf("%s: %q, unguarded %t", name, keys, p.Unguarded)
		}
	}
}

// Every setting but providers, models and routes can be named where it differs.
func TestChanged(t *testing.T) {
	a, b := defaults(), defaults()
	if got := a.Changed(b); got != nil {
		t.Errorf("%v", got)
	}
	b.Addr, b.Limits.GenerateBody, b.DrainDelay, b.Providers = "x", 1, 1, nil
	if got := a.Changed(b); !slices.Equal(got, []string{"addr", "drain_delay", "limits"}) {
		t.Errorf("%v", got)
	}
	for f := range reflect.TypeFor[Config]().Fields() {
		if keyless := f.Tag.Get("key") == ""; keyless != slices.Contains([]string{"Providers", "Models", "Routes"}, f.Name) {
			t.Errorf("%s: without a key %t", f.Name, keyless)
		}
	}
}

func TestOllamaHost(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1":                  "http://127.0.0.1:11434/v1",
		"gpu.lan:1234":               "http://gpu.lan:1234/v1",
		"0.0.0.0":                    "http://127.0.0.1:11434/v1",
		":8888":                      "http://127.0.0.1:8888/v1",
		"[::]:11434":                 "http://[::1]:11434/v1",
		"http://gpu.lan":             "http://gpu.lan:80/v1",
		"https://gpu.lan/ollama/":    "https://gpu.lan:443/ollama/v1",
		"http://127.0.0.1:11434/v1/": "http://127.0.0.1:11434/v1",
	} {
		c, err := Load("", Overrides{}, environment("OLLAMA_HOST", in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if p := provider(t, c, "ollama"); p.BaseURL != want || !p.Enabled {
			t.Errorf("%s: %s, want %s", in, p.BaseURL, want)
		}
	}
	for _, in := range []string{"ftp://x", "http://u:p@x", "a b", "http://x?y"} {
		if _, err := Load("", Overrides{}, environment("OLLAMA_HOST", in)); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
}

func TestKeepRecords(t *testing.T) {
	for in, want := range map[string]time.Duration{`"0"`: 0, `"1d"`: 24 * time.Hour, `"36500d"`: 36_500 * 24 * time.Hour} {
		c, err := Load(write(t, "f.toml", "[usage]\nkeep_records = "+in), Overrides{}, environment())
		if err != nil || c.KeepRecords != want {
			t.Errorf("%s: %v, %v", in, c, err)
		}
	}
	for _, in := range []string{`""`, `"d"`, `"90"`, `"-1d"`, `"1.5d"`, `"36501d"`, `"99999999999999999999d"`, `"24h"`, `90`} {
		if _, err := Load(write(t, "f.toml", "[usage]\nkeep_records = "+in), Overrides{}, environment()); err == nil || !strings.Contains(err.Error(), "usage.keep_records must be") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestAssistantStorage(t *testing.T) {
	for in, want := range map[string]int64{`"0"`: 0, `"500MiB"`: 500 << 20, `"1PiB"`: 1 << 50} {
		c, err := Load(write(t, "f.toml", "[limits]\nassistant_storage = "+in), Overrides{}, environment())
		if err != nil || c.Limits.AssistantStorage != want {
			t.Errorf("%s: %v, %v", in, c, err)
		}
	}
	for _, in := range []string{`""`, `"-1MiB"`, `"2PiB"`, `"much"`, `1024`} {
		if _, err := Load(write(t, "f.toml", "[limits]\nassistant_storage = "+in), Overrides{}, environment()); err == nil || !strings.Contains(err.Error(), "limits.assistant_storage must be") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestExample(t *testing.T) {
	text, err := os.ReadFile("../elumenta.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Load("../elumenta.example.toml", Overrides{}, environment())
	if err != nil {
		t.Fatal(err)
	}
	want, err := Load("", Overrides{}, environment())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fmt.Sprintf("%+v", want.Limits), fmt.Sprintf("%+v", got.Limits)); diff != "" {
		t.Errorf("the example says that it shows the defaults: %s", diff)
	}
	if got.Addr != want.Addr || got.Database != want.Database || got.DrainTimeout != want.DrainTimeout || got.Log != want.Log ||
		got.KeepRecords != want.KeepRecords || !cmp.Equal(got.Plans, want.Plans) {
		t.Error("the example says that it shows the defaults")
	}
	// The settings in comments must be right, too.
	setting := regexp.MustCompile(`(?m)^# ((\[\[?[a-z]+\]\]?)|([a-z_]+ = .*))$`)
	open := setting.ReplaceAllString(string(text), "$1")
	order := regexp.MustCompile(`(?m)^plan_order = .*\n`)
	open = order.FindString(open) + order.ReplaceAllString(open, "")
	c, err := Load(write(t, "open.toml", open), Overrides{}, environment())
	if err != nil {
		t.Fatal(err)
	}
	if m := model(t, c, "llama3.2"); m.Provider != "ollama" || m.TokenCost != 0 {
		t.Errorf("%+v", m)
	}
	if p := provider(t, c, "ollama"); !p.Enabled {
		t.Error("the entry turns ollama on")
	}
	if got := strings.Join(c.Plans.Names(), " "); got != "free basic pro team vip elite unlimited" {
		t.Errorf("plans %s", got)
	}
}
