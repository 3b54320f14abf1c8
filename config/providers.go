package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
)

// Format is a wire format that a provider may speak.
type Format string

// The formats. FormatSandbox is the built-in model's and cannot be configured.
const (
	FormatResponses Format = "responses" // OpenAI Responses
	FormatChat      Format = "chat"      // OpenAI Chat Completions, as most hosts speak it
	FormatAnthropic Format = "anthropic" // Anthropic Messages
	FormatGemini    Format = "gemini"    // Gemini generateContent
	FormatSandbox   Format = "sandbox"
)

// Provider is a host that serves models.
type Provider struct {
	// Name is what a model's provider refers to.
	Name   string
	Format Format
	// BaseURL has no trailing slash.
	BaseURL string
	// Credentials are its keys, in the order in which they were given; one that was not given is empty.
	Credentials []elumenta.Secret
	// Enabled is false for a provider without the key that it needs: its models are not available.
	Enabled bool
	// Unguarded is whether it is called whatever became of earlier calls: without a circuit breaker, Retry-After and keys left out.
	Unguarded bool
	// keyEnv is the environment variable that holds the key, baseEnv the one that holds the base URL.
	keyEnv, baseEnv string
}

// Setup says whether the provider is on, and what switches it on.
func (p *Provider) Setup() elumenta.ProviderSetup {
	s := elumenta.ProviderSetup{Name: p.Name, Configured: p.Enabled, Variable: p.keyEnv}
	if p.Name == ollamaProvider && s.Variable == "" {
		s.Variable = ollamaEnv
	}
	return s
}

// ollamaProvider needs no key, and is on with the address of ollamaEnv.
const (
	ollamaProvider = "ollama"
	ollamaEnv      = "OLLAMA_HOST"
)

// sandboxProvider is always there.
const sandboxProvider = "sandbox"

// builtinProviders have the base URLs that the providers' own SDKs use.
func builtinProviders() []Provider {
	return []Provider{
		{Name: "openai", Format: FormatResponses, BaseURL: "https://api.openai.com/v1", keyEnv: "OPENAI_API_KEY", baseEnv: "OPENAI_BASE_URL"},
		{Name: "anthropic", Format: FormatAnthropic, BaseURL: "https://api.anthropic.com", keyEnv: "ANTHROPIC_API_KEY", baseEnv: "ANTHROPIC_BASE_URL"},
		{Name: "gemini", Format: FormatGemini, BaseURL: "https://generativelanguage.googleapis.com", keyEnv: "GEMINI_API_KEY", baseEnv: "GEMINI_BASE_URL"},
		{Name: "deepseek", Format: FormatChat, BaseURL: "https://api.deepseek.com/v1", keyEnv: "DEEPSEEK_API_KEY", baseEnv: "DEEPSEEK_BASE_URL"},
		{Name: "xai", Format: FormatChat, BaseURL: "https://api.x.ai/v1", keyEnv: "XAI_API_KEY", baseEnv: "XAI_BASE_URL"},
		{Name: ollamaProvider, Format: FormatChat, BaseURL: "http://127.0.0.1:11434/v1"},
		{Name: sandboxProvider, Format: FormatSandbox, Enabled: true, Unguarded: true},
	}
}

func (b *builder) provider(name string) *Provider {
	for i := range b.Providers {
		if b.Providers[i].Name == name {
			return &b.Providers[i]
		}
	}
	return nil
}

func (b *builder) providerNames() string {
	names := make([]string, len(b.Providers))
	for i := range b.Providers {
		names[i] = b.Providers[i].Name
	}
	return strings.Join(names, ", ")
}

func (b *builder) providers(list []fileProvider) {
	seen := map[string]bool{}
	for i := range list {
		path := fmt.Sprintf("providers[%d]", i)
		f := &list[i]
		switch {
		case f.Name == nil:
			b.missing(path, "name", "needs a name")
			continue
		case !validName(*f.Name):
			b.at(path+".name", "must match [a-z0-9][a-z0-9-]{0,31}")
			continue
		case *f.Name == sandboxProvider:
			b.at(path+".name", "is built in and cannot be changed: %s", sandboxProvider)
			continue
		case seen[*f.Name]:
			b.at(path+".name", "stands there twice: %s", *f.Name)
			continue
		}
		seen[*f.Name] = true
		b.fileProvider(path, f)
	}
}

func (b *builder) fileProvider(path string, f *fileProvider) {
	p := b.provider(*f.Name)
	if p == nil {
		b.Providers = append(b.Providers, Provider{Name: *f.Name, Format: FormatChat})
		p = &b.Providers[len(b.Providers)-1]
		if f.BaseURL == nil {
			b.missing(path, "base_url", "needs a base_url, such as http://127.0.0.1:8000/v1")
		}
	}
	if f.Format != nil {
		formats := []Format{FormatChat, FormatResponses, FormatAnthropic, FormatGemini}
		if !slices.Contains(formats, Format(*f.Format)) {
			b.at(path+".format", "must be chat, responses, anthropic or gemini")
		}
		p.Format = Format(*f.Format)
	}
	if f.BaseURL != nil {
		b.setBaseURL(p, *f.BaseURL, b.report(path+".base_url"))
	}
	if f.CircuitBreaker != nil {
		p.Unguarded = !*f.CircuitBreaker
	}
	switch {
	case f.APIKey != nil && f.APIKeyEnv != nil:
		b.at(path, "has api_key and api_key_env: give one of them")
	case f.APIKey != nil:
		b.setCredentials(p, *f.APIKey, b.report(path+".api_key"))
	case f.APIKeyEnv != nil && !validEnv(*f.APIKeyEnv):
		b.at(path+".api_key_env", "must be the name of an environment variable, not the key itself")
	case f.APIKeyEnv != nil:
		p.keyEnv = *f.APIKeyEnv
	case p.keyEnv == "":
		p.Enabled = true // a host of one's own, without a key
	}
}

// environment lays the providers' variables over the file.
func (b *builder) environment() {
	for i := range b.Providers {
		p := &b.Providers[i]
		if p.baseEnv != "" {
			if v := strings.TrimSpace(b.getenv(p.baseEnv)); v != "" {
				b.setBaseURL(p, v, b.in(p.baseEnv))
			}
		}
		if p.keyEnv != "" {
			if v := b.getenv(p.keyEnv); v != "" {
				b.setCredentials(p, v, b.in(p.keyEnv))
			}
		}
	}
	if v := strings.TrimSpace(b.getenv(ollamaEnv)); v != "" {
		base, err := ollamaURL(v)
		if err != nil {
			b.in(ollamaEnv)("%s", err)
			return
		}
		p := b.provider(ollamaProvider)
		p.BaseURL, p.Enabled = base, true
	}
}

// setCredentials reads a provider's key, or several, with commas between them.
func (b *builder) setCredentials(p *Provider, list string, report func(string, ...any)) {
	keys := strings.Split(list, ",")
	if len(keys) > elumenta.MaxProviderKeys {
		report("has %d keys; at most %d are used", len(keys), elumenta.MaxProviderKeys)
		return
	}
	var secrets []elumenta.Secret
	for i := range keys {
		keys[i] = strings.TrimSpace(keys[i])
		key := keys[i]
		if key == "" {
			report("is empty: give the provider's key or leave it out")
			return
		}
		for _, c := range []byte(key) {
			if c <= ' ' || c > '~' {
				report("holds a character that no key has: check how it was copied")
				return
			}
		}
		if slices.Contains(keys[:i], keys[i]) {
			report("has the same key twice")
			return
		}
		secrets = append(secrets, elumenta.NewSecret(key))
	}
	p.Credentials, p.Enabled = secrets, true
}

func (b *builder) setBaseURL(p *Provider, s string, report func(string, ...any)) {
	u, err := url.Parse(s)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		report("must be an http:// or https:// URL")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		report("must be a URL without a user, a query and a fragment; the key goes into api_key")
	default:
		p.BaseURL = strings.TrimRight(s, "/")
	}
}

// ollamaURL reads OLLAMA_HOST as Ollama does (https://github.com/ollama/ollama/blob/main/envconfig/config.go): a scheme,
// host and port, each of which may be missing. An address that only a server can use becomes the loopback one.
func ollamaURL(s string) (string, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	port := map[string]string{"http": "80", "https": "443"}[scheme]
	if !ok {
		scheme, rest, port = "http", s, "11434"
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil || (scheme != "http" && scheme != "https") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("must be HOST, HOST:PORT or a URL, such as 127.0.0.1:11434")
	}
	host := u.Hostname()
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	if u.Port() != "" {
		port = u.Port()
	}
	path := strings.TrimRight(u.Path, "/")
	if !strings.HasSuffix(path, "/v1") {
		path += "/v1"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + path, nil
}

func validEnv(s string) bool {
	if s == "" || len(s) > 128 || (s[0] >= '0' && s[0] <= '9') {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}
