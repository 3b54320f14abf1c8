package elumenta

import (
	"strconv"
	"time"
)

// ProviderSetup is a provider that the program knows, configured or not.
type ProviderSetup struct {
	Name string // as Model.Provider and Target.Name have it
	// Configured is whether it is on: its models have a route.
	Configured bool
	// Variable is the environment variable that switches it on, empty for one that is always on.
	Variable string
}

// ProviderHealth is what one process has seen of a provider since it started. It holds no text of the provider's.
type ProviderHealth struct {
	// Attempts are the calls that have ended. One that is neither a success nor a failure was left by its client, or cut off by
	// this server.
	Attempts, Successes int64
	// Failures counts by kind; kinds that did not occur are not in it. KindRejected is the input's fault, not the provider's.
	Failures map[ErrorKind]int64
	// LastSuccess and LastFailure are zero for none; LastKind is the last failure's.
	LastSuccess, LastFailure time.Time
	LastKind                 ErrorKind
	// Keys are the provider's keys in the order of the configuration, as times until which each is left out since the provider
	// refused it; zero for one that is in use.
	Keys []time.Time
	// Routes are the models that it serves.
	Routes []RouteHealth
}

// RouteHealth is whether a provider is called for a model now.
type RouteHealth struct {
	Model string // slug
	State RouteState
	Until time.Time // of RouteResting and RouteOpen: when it is called again; otherwise zero
}

// RouteState is whether a route is called.
type RouteState string

// The states.
const (
	RouteClosed  RouteState = "closed"    // it is called
	RouteOpen    RouteState = "open"      // cut off by its circuit breaker
	RouteTrial   RouteState = "half_open" // a few calls are let through, to see whether it is well again
	RouteResting RouteState = "resting"   // the provider asked to be left alone, by its Retry-After
)

// Attempt is one call of a provider on the way to an answer.
type Attempt struct {
	Provider string // as in the configuration
	Region   string // of the route; may be empty
	// Kind is why it failed; zero for the call that gave the answer.
	Kind     ErrorKind
	Duration time.Duration
}

// AppendJSON appends {"provider", "region", "error", "duration_ms"}: region where there is one, error null for the call that
// gave the answer.
func (a *Attempt) AppendJSON(b []byte) []byte {
	b = append(b, `{"provider":`...)
	b = strconv.AppendQuote(b, a.Provider) // names of the configuration: plain ASCII
	if a.Region != "" {
		b = append(b, `,"region":`...)
		b = strconv.AppendQuote(b, a.Region)
	}
	b = append(b, `,"error":`...)
	if a.Kind == 0 {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendQuote(b, a.Kind.String())
	}
	b = append(b, `,"duration_ms":`...)
	b = strconv.AppendInt(b, a.Duration.Milliseconds(), 10)
	return append(b, '}')
}

// AppendAttempts appends a JSON array of attempts.
func AppendAttempts(b []byte, attempts []Attempt) []byte {
	b = append(b, '[')
	for i := range attempts {
		if i > 0 {
			b = append(b, ',')
		}
		b = attempts[i].AppendJSON(b)
	}
	return append(b, ']')
}

// MarshalJSON is AppendJSON.
func (a Attempt) MarshalJSON() ([]byte, error) { return a.AppendJSON(nil), nil }
