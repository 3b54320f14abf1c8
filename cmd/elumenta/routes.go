package main

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/gemini"
	"github.com/elumenta/elumenta/provider/http1"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/sandbox"
	"github.com/elumenta/elumenta/provider/wire"
	"github.com/elumenta/elumenta/telemetry"
)

// routes are the models with the places that serve them.
type routes struct {
	models    []elumenta.Model
	providers []elumenta.ProviderSetup
	enabled   []string // names of the providers that are on
	clients   []*http.Client
}

// newRoutes makes them. t follows their calls, and tells providers the trace of each if told is set.
func newRoutes(c *config.Config, log *slog.Logger, t *telemetry.Telemetry, told bool) *routes {
	r := &routes{models: slices.Clone(c.Models)}
	formats := map[config.Format]elumenta.Provider{
		config.FormatResponses: openai.Responses{}, config.FormatChat: openai.Chat{}, config.FormatAnthropic: anthropic.Provider{},
		config.FormatGemini: gemini.Provider{}, config.FormatSandbox: sandbox.Provider{},
	}
	on := map[string]elumenta.Route{}
	for i := range c.Providers {
		p := &c.Providers[i]
		r.providers = append(r.providers, p.Setup())
		if !p.Enabled {
			continue
		}
		client := newClient()
		if told {
			client.Transport = t.Transport(client.Transport)
		}
		client.Transport = wire.NewTransport(client.Transport)
		r.clients = append(r.clients, client)
		r.enabled = append(r.enabled, p.Name)
		route := elumenta.Route{
			Provider: t.Provider(formats[p.Format]), Format: string(p.Format), Credentials: p.Credentials, Unguarded: p.Unguarded,
			Target: elumenta.Target{Name: p.Name, BaseURL: p.BaseURL, Client: client},
		}
		if len(p.Credentials) > 0 {
			route.Target.Credential = p.Credentials[0]
		}
		on[p.Name] = route
	}
	used := map[string]bool{}
	for i := range r.models {
		m := &r.models[i]
		for _, way := range c.RoutesOf(m) {
			route, ok := on[way.Provider]
			if !ok {
				continue
			}
			used[way.Provider] = true
			route.Order, route.Weight, route.Region = way.Order, way.Weight, way.Region
			route.Target.Model, route.Target.Capabilities = way.UpstreamID, m.Capabilities
			m.Routes = append(m.Routes, route)
		}
	}
	for _, name := range r.enabled {
		if !used[name] {
			log.Warn("no model uses this provider: add one to the configuration file, as elumenta.example.toml shows", "provider", name)
		}
	}
	return r
}

func (r *routes) close() {
	for _, c := range r.clients {
		c.CloseIdleConnections()
	}
}

// newClient makes a provider's client. It has no time limit of its own: whoever calls sets one. It follows no redirect,
// which would carry a prompt to a host that nobody configured.
func newClient() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		Transport: http1.New(&http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxResponseHeaderBytes: 64 << 10,
			HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
