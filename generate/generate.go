// Package generate is the pipeline of a generation: resolve the assistant, compose the prompt, reserve the price, call
// the provider, relay its answer, settle. It keeps nothing of what passes through it.
package generate

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/elumenta/elumenta"
)

// Store is what the pipeline reads and books.
type Store interface {
	elumenta.Assistants
	elumenta.Ledger
	// Authenticate finds a key that is not revoked, with its account, as both are now.
	Authenticate(ctx context.Context, hash elumenta.KeyHash) (*elumenta.Caller, error)
}

// Options configure a Service. Durations that are zero take the default in brackets.
type Options struct {
	Store   Store
	Catalog *elumenta.Catalog
	Plans   elumenta.Plans
	Logger  *slog.Logger          // [discards]
	Metrics prometheus.Registerer // [none]

	FirstPiece    time.Duration // most a stream waits for its first event [120 s]
	BetweenPieces time.Duration // most a stream waits between two events [60 s]
	Whole         time.Duration // most that a whole generation may take [10 min]
	Silence       time.Duration // after which a stream is opened, then kept alive [15 s]
	SettleWait    time.Duration // most that an answer is held while the database is away [60 s]
	CacheBytes    uint64        // most that cached assistants may take [64 MiB]

	// RetryBudget is how many further calls of providers the requests of a model may cause, for each request, after the first
	// ten [0.2]; below 0: none.
	RetryBudget float64
}

func (o *Options) setDefaults() {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.FirstPiece, 2 * time.Minute}, {&o.BetweenPieces, time.Minute}, {&o.Whole, 10 * time.Minute}, {&o.Silence, 15 * time.Second}, {&o.SettleWait, time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	switch {
	case o.RetryBudget == 0:
		o.RetryBudget = 0.2
	case o.RetryBudget < 0:
		o.RetryBudget = 0
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Service runs generations. It is safe for concurrent use.
type Service struct {
	Options
	routing *routing
	*shared
}

// shared is what stays over reloads. Each generation goes on to its end with the Service that was current when it began.
type shared struct {
	current atomic.Pointer[Service]
	cache   *cache
	metrics *metrics
	prompts *promptCache

	background sync.WaitGroup // settling that outlives its request

	mu        sync.Mutex // guards what follows, held for no I/O
	interrupt context.Context
	cancel    context.CancelCauseFunc
	stopped   chan struct{} // closed by Close
}

// New makes a Service. Close ends it.
func New(o Options) *Service {
	o.setDefaults()
	s := &Service{Options: o, shared: &shared{cache: newCache(o.Store, o.CacheBytes), metrics: newMetrics(o.Metrics), prompts: newPromptCache(), stopped: make(chan struct{})}}
	s.interrupt, s.cancel = context.WithCancelCause(context.Background())
	s.begin(nil)
	return s
}

// Reload replaces the catalog, plans, time limits and retry budget: of o it takes those alone. Generations that run go on with the
// old ones. Counters of providers stay, and so does how a route or key was doing that has not changed: a route of the same model,
// provider, base URL, format, upstream id and keys, or a key of the same provider, base URL and format.
func (s *Service) Reload(o Options) {
	o.setDefaults()
	before := s.current.Load()
	next := &Service{Options: before.Options, shared: s.shared}
	next.Catalog, next.Plans, next.RetryBudget = o.Catalog, o.Plans, o.RetryBudget
	next.FirstPiece, next.BetweenPieces, next.Whole = o.FirstPiece, o.BetweenPieces, o.Whole
	next.begin(before.routing)
}

// begin makes the Service the current one.
func (s *Service) begin(before *routing) {
	s.routing = newRouting(s.Catalog, s.RetryBudget, before)
	s.metrics.begin(s.routing)
	s.current.Store(s)
}

// Authenticate finds the caller of a key. It may return a cached copy: Generate confirms it before anything happens.
func (s *Service) Authenticate(ctx context.Context, key elumenta.KeySecret) (*elumenta.Caller, error) {
	caller, err := s.cache.caller(ctx, key.Hash())
	return caller, err
}

// Forget has the next Authenticate read a key anew.
func (s *Service) Forget(hash elumenta.KeyHash) { s.cache.forgetCaller(hash) }

// Interrupt cancels every running generation: streams end in an error and nothing is charged for them. Generations
// that start afterwards run. It is for a node that has lost its lease.
func (s *Service) Interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel(elumenta.Unavailable(errors.New("generation interrupted")))
	s.interrupt, s.cancel = context.WithCancelCause(context.Background())
}

// Close interrupts what is running and waits until what outlives its request is settled, or until ctx ends; who called Generate waits
// for that. What is not settled by then is given back by the ledger's lease.
func (s *Service) Close(ctx context.Context) error {
	s.Interrupt()
	s.mu.Lock()
	select {
	case <-s.stopped:
	default:
		close(s.stopped)
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.background.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Generate runs one generation and answers it through sink: it calls End or Fail once, last. The price is reserved
// before the provider is called and is final before End.
func (s *Service) Generate(ctx context.Context, caller *elumenta.Caller, req *elumenta.Request, sink elumenta.Sink) {
	if req.ReceivedAt.IsZero() {
		req.ReceivedAt = time.Now()
	}
	if req.ID == "" {
		req.ID = elumenta.NewGenerationID()
	}
	s = s.current.Load()
	p, err := s.admit(ctx, caller, req)
	if err != nil {
		s.fail(sink, req, elumenta.AsError(err), elumenta.Settled{State: elumenta.GivenBack})
		return
	}
	r := newRelay(s, p, sink)
	defer r.stop() // also where something panics: the sink is not to be written to any more
	completion, err := s.call(ctx, p, r)
	s.finish(ctx, p, r, completion, err)
}

// finish settles a reservation and ends the answer.
func (s *Service) finish(ctx context.Context, p *prepared, r *relay, completion elumenta.Completion, err error) {
	outcome, failure := r.outcome(ctx, completion, err)
	cached := s.promptCached(p, r, &outcome)
	s.metrics.settledOutcome(p.model, outcome)
	settled, err := s.settle(ctx, p, outcome)
	if p.caller.Key.Limits.Scoped() {
		settled.Balance = nil // such a key reads nothing of the account
	}
	provider := r.stop()
	if err != nil {
		s.fail(r.sink, p.req, elumenta.AsError(err), elumenta.Settled{State: elumenta.GivenBack})
		return
	}
	if failure == nil && settled.State != elumenta.Charged {
		failure = elumenta.Unavailable(errors.New("the reservation was given back before it was settled"))
	}
	if failure != nil {
		r.explain(failure)
		s.fail(r.sink, p.req, failure, settled)
		return
	}
	p.result = elumenta.Result{
		Started: p.result.Started, Finish: completion.Finish, StopSequence: completion.StopSequence, Usage: completion.Usage, Settled: settled,
		CacheStatus: cached.status, CacheReason: cached.reason, CacheMinimum: p.model.Capabilities.CacheMinimum,
		Warnings: append(p.result.Warnings, completion.Warnings...),
		Attempts: r.attempts, Provider: provider, Gateway: time.Since(p.req.ReceivedAt) - provider,
	}
	if !r.opened {
		if r.sink.Open(&p.result.Started) != nil {
			return // the client is gone; it is charged for the complete answer
		}
	}
	_ = r.sink.End(&p.result)
}

func (s *Service) fail(sink elumenta.Sink, req *elumenta.Request, e *elumenta.Error, settled elumenta.Settled) {
	level := slog.LevelDebug
	switch e.Code {
	case elumenta.CodeInternal:
		level = slog.LevelError
	case elumenta.CodeUnavailable:
		level = slog.LevelWarn
	}
	attrs := []any{"request_id", req.RequestID, "generation_id", req.ID, "error", e.Code}
	if e.Cause != nil {
		attrs = append(attrs, "cause", e.Cause)
	}
	s.Logger.Log(context.Background(), level, "generation failed", attrs...)
	_ = sink.Fail(e, settled)
}
