package httpapi

import (
	"net/netip"

	"github.com/elumenta/elumenta"
)

// Settings are what Reload replaces while requests run. Zero sizes and limits mean the defaults.
type Settings struct {
	Catalog *elumenta.Catalog
	// Providers are those that the program knows, in the order in which operators read them.
	Providers []elumenta.ProviderSetup
	Plans     elumenta.Plans
	// DeniedNames may not be names of published assistants.
	DeniedNames elumenta.DeniedNames
	// TrustedProxies may name the client in X-Forwarded-For. By default none may.
	TrustedProxies []netip.Prefix
	// CORSOrigins are the origins whose pages may call the API; "*" is every origin. By default none may.
	CORSOrigins []string
	// GenerateBody, AssistantBody and Body limit a request's body, in bytes (20 MiB, 4 MiB, 64 KiB).
	GenerateBody, AssistantBody, Body int64
	// RequestsPerMinute limits an account's calls other than generations (600); none on an unlimited plan.
	RequestsPerMinute int
}

// Reload replaces the settings, from the next request on. The Generator must have been given the catalog and the plans before.
// What accounts have called in the last minute still counts.
func (a *API) Reload(s Settings) {
	set(&s.GenerateBody, 20<<20)
	set(&s.AssistantBody, 4<<20)
	set(&s.Body, 64<<10)
	set(&s.RequestsPerMinute, 600)
	a.current.Store(&s)
	a.pace.set(s.RequestsPerMinute)
}

func (a *API) settings() *Settings { return a.current.Load() }

// GenerateBody is the largest body of a generation, in bytes.
func (a *API) GenerateBody() int64 { return a.settings().GenerateBody }

// body is what the largest body of a route goes by.
type body uint8

const (
	_ body = iota // none
	bodyOfGeneration
	bodyOfAssistant
	bodyOfHistory // of an assistant
	otherBody
)

// historyBodies is how many times larger than an assistant one with its versions may be.
const historyBodies = 5

func (s *Settings) most(b body) int64 {
	switch b {
	case bodyOfGeneration:
		return s.GenerateBody
	case bodyOfAssistant:
		return s.AssistantBody
	case bodyOfHistory:
		return historyBodies * s.AssistantBody
	default:
		return s.Body
	}
}
