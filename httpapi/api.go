// Package httpapi serves the HTTP contract of docs/contract.md: routes, authentication, limits, errors in one shape, event
// streams and the OpenAPI document that describes them.
package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/elumenta/elumenta"
)

// Base is the path under which the API's routes stand.
const Base = "/api/v2"

// Generator answers generations. Its Authenticate may return a caller from a cache: Generate confirms it when it
// reserves.
type Generator interface {
	// Authenticate finds the caller of a key. Errors are those of elumenta.Accounts.
	Authenticate(ctx context.Context, key elumenta.KeySecret) (*elumenta.Caller, error)
	// Generate answers through the sink and returns after it has called sink.End or sink.Fail.
	Generate(ctx context.Context, caller *elumenta.Caller, r *elumenta.Request, sink elumenta.Sink)
	// Forget has the next Authenticate read a key anew.
	Forget(hash elumenta.KeyHash)
	// Health is what this process has seen of a provider.
	Health(provider string) elumenta.ProviderHealth
}

// Tracer follows requests, for traces.
type Tracer interface {
	// Request begins to follow one. It returns the context that goes with it, and what to call at its end with the route's pattern, the
	// status and the code of the error that was answered; nil if nothing is recorded of it.
	Request(r *http.Request, id elumenta.RequestID) (ctx context.Context, end func(route string, status int, failure elumenta.Code))
}

// Options are what an API needs. Zero sizes, times and limits mean the defaults.
type Options struct {
	Accounts   elumenta.Accounts
	Operators  elumenta.Operators
	Assistants elumenta.AssistantStore
	Usage      elumenta.UsageReader
	Generator  Generator
	// Settings are those at first; Reload replaces them.
	Settings
	// Surfaces are APIs of other shapes; ModelSurface, if not nil, lists models in the shape of one of them.
	Surfaces     []SurfaceRoute
	ModelSurface elumenta.ModelSurface
	Secret       elumenta.InstallationSecret
	Logger       *slog.Logger
	// Tracer, if not nil, follows requests.
	Tracer Tracer
	// Metrics, if not nil, is where the API's metrics are registered.
	Metrics prometheus.Registerer
	// Ready says why the node should get no traffic, or nil. Its text is logged and not shown.
	Ready func(context.Context) error
	// Version is shown in the OpenAPI document.
	Version string
	// BodyTimeout is how long a client may take to send a body (60 s).
	BodyTimeout time.Duration
	// WriteTimeout is how long one write to a client may take (30 s).
	WriteTimeout time.Duration
}

func (o *Options) setDefaults() {
	set(&o.BodyTimeout, time.Minute)
	set(&o.WriteTimeout, 30*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Ready == nil {
		o.Ready = func(context.Context) error { return nil }
	}
}

func set[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// API serves the contract. It is an http.Handler and safe for concurrent use.
type API struct {
	Options
	mux         *http.ServeMux
	huma        huma.API
	pace        *pace
	uploads     uploads
	metrics     *metrics
	buffers     sync.Pool // *[]byte: bodies and answers
	decoders    sync.Pool // *generateReader
	answers     sync.Pool // *whole
	started     time.Time
	document    []byte
	docs        []byte
	current     atomic.Pointer[Settings]
	documentTag string // entity tag of the document
}

// New makes an API.
func New(o Options) (*API, error) {
	o.setDefaults()
	a := &API{
		Options: o,
		mux:     http.NewServeMux(),
		pace:    newPace(),
		uploads: uploads{bytes: map[elumenta.AccountID]int64{}},
		metrics: newMetrics(o.Metrics),
		started: time.Now().UTC(),
	}
	a.Reload(o.Settings)
	a.Settings = Settings{} // they are in current
	a.buffers.New = func() any { return new([]byte) }
	a.decoders.New = func() any { return new(generateReader) }
	a.answers.New = func() any { return new(whole) }
	a.huma = huma.NewAPI(a.config(), humago.NewAdapter(humaMux{a}, ""))
	a.assistantRoutes()
	a.labelRoutes()
	a.marketplaceRoutes()
	a.sharingRoutes()
	a.keyRoutes()
	a.accountRoutes()
	a.modelRoutes()
	a.adminRoutes()
	a.generateRoute()
	a.surfaceRoutes()
	a.probeRoutes()
	if err := a.documentRoutes(); err != nil {
		return nil, err
	}
	a.handle("/", a.noRoute)
	return a, nil
}

func (a *API) config() huma.Config {
	return huma.Config{
		OpenAPI:          a.describe(),
		Formats:          map[string]huma.Format{"application/json": {Marshal: marshal}, "json": {Marshal: marshal}}, // huma asks for application/problem+json as json
		DefaultFormat:    "application/json",
		NoFormatFallback: false,
		Transformers:     []huma.Transformer{a.transform},
	}
}

func marshal(w io.Writer, v any) error {
	if b, ok := v.(rendered); ok {
		_, err := w.Write(append(b, '\n'))
		return err
	}
	return json.MarshalWrite(w, v, json.Deterministic(true)) // one entity tag, one text
}

// humaMux is our mux as huma knows it.
type humaMux struct{ a *API }

// HandleFunc adds a route.
func (m humaMux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.a.mux.HandleFunc(pattern, h)
}

// ServeHTTP serves the routes.
func (m humaMux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.a.mux.ServeHTTP(w, r) }

// need says what a route asks of a request before its handler runs.
type need struct {
	body       body          // what its largest body goes by
	optional   bool          // the body may be left out
	generation bool          // a generation: it is not counted as a call, and its caller may be a cached one
	scoped     bool          // a key that is limited to assistants, models or a budget may make it, too
	unlimited  bool          // only a key without any limit may make it
	csv        bool          // it may answer with comma-separated values
	role       elumenta.Role // only an account with this role may make it; empty: every account
}

// optionalBody is what an operation's metadata calls need.optional.
const optionalBody = "optional body"

// register adds a route to huma: its guard, and a handler whose errors are the domain's.
func register[I, O any](a *API, op huma.Operation, n need, h func(ctx context.Context, c *call, in *I) (*O, error)) {
	op.Path = Base + op.Path
	op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		if c := w.(*call); a.admit(c, r, n) { //nolint:forcetypeassert // by ServeHTTP
			next(huma.WithValue(ctx, callKey{}, c))
		}
	}}
	op.Security = []map[string][]string{{"key": {}}}
	op.Metadata = map[string]any{optionalBody: n.optional}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		c, _ := ctx.Value(callKey{}).(*call)
		out, err := h(elumenta.WithActor(ctx, a.actor(c)), c, in)
		if err != nil {
			return nil, &failed{elumenta.AsError(err)}
		}
		return out, nil
	})
}
