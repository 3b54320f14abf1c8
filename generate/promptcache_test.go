package generate_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
)

// settling notes which generations missed a hit that was due.
type settling struct {
	generate.Store
	missed *atomic.Bool
}

func (s settling) Settle(ctx context.Context, account elumenta.AccountID, id elumenta.GenerationID, o elumenta.Outcome) (elumenta.Settled, error) {
	s.missed.Store(o.CacheMiss)
	return s.Store.Settle(ctx, account, id, o)
}

// cacheCase is a provider whose cache does what a test says.
type cacheCase struct {
	*bench
	usage   elumenta.Usage
	missed  atomic.Bool
	hold    chan struct{} // if any, the provider answers when it is closed
	catalog *elumenta.Catalog
	metrics *prometheus.Registry
}

// newCacheCase must be called in a test's own bubble of time. It has the models marks, prefix and none.
func newCacheCase(t *testing.T) *cacheCase {
	c := &cacheCase{metrics: prometheus.NewRegistry()}
	c.bench = newBench(t, nil, nil)
	if err := c.service.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.store.SetPlan(t.Context(), c.account, elumenta.PlanChange{Plan: "unlimited"}); err != nil {
		t.Fatal(err)
	}
	answer := script(func(context.Context, *elumenta.Prompt, func(elumenta.Event) error) (elumenta.Completion, error) {
		if c.hold != nil {
			<-c.hold
		}
		return elumenta.Completion{Finish: elumenta.FinishStop, Usage: c.usage}, nil
	})
	model := func(slug, upstream string, kind elumenta.CacheKind, ttl time.Duration) elumenta.Model {
		caps := elumenta.Capabilities{Tools: true, Cache: kind, CacheMinimum: 1000, CacheTTL: ttl}
		return elumenta.Model{Slug: slug, MinPlan: "free", TokenCost: price, Capabilities: caps,
			Routes: []elumenta.Route{{Provider: answer, Target: elumenta.Target{Name: upstream, Capabilities: caps}}}}
	}
	c.catalog = elumenta.NewCatalog([]elumenta.Model{model("marks", "p", elumenta.CacheMarks, 5*time.Minute), model("prefix", "p", elumenta.CachePrefix, 0),
		model("none", "q", elumenta.CacheNone, 0)})
	c.service = generate.New(generate.Options{Store: settling{c.store, &c.missed}, Plans: elumenta.DefaultPlans(), Catalog: c.catalog, Metrics: c.metrics})
	return c
}

// upstream moves a model.
func (c *cacheCase) upstream(slug, name string) {
	m, _ := c.catalog.Get(slug)
	m.Routes[0].Target.Name = name
	c.service.Reload(generate.Options{Plans: elumenta.DefaultPlans(), Catalog: c.catalog})
}

// counted is the counter by model, status and reason.
func (c *cacheCase) counted() map[string]float64 {
	c.t.Helper()
	families, err := c.metrics.Gather()
	if err != nil {
		c.t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "elumenta_prompt_cache_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			label := map[string]string{}
			for _, l := range m.GetLabel() {
				label[l.GetName()] = l.GetValue()
			}
			counts[label["model"]+" "+label["status"]+" "+label["reason"]] = m.GetCounter().GetValue()
		}
	}
	return counts
}

func (c *cacheCase) assistant(model string, text elumenta.Text, variables ...elumenta.Variable) elumenta.AssistantID {
	c.t.Helper()
	a, _, err := c.store.CreateAssistant(c.t.Context(), c.account, elumenta.Fields{Name: "n", Model: model, Instructions: text, Variables: variables}, elumenta.Private, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return a.ID
}

// wants runs a generation whose provider counts usage.
func (c *cacheCase) wants(what string, req elumenta.Request, u elumenta.Usage, status elumenta.CacheStatus, reason elumenta.CacheReason) {
	c.t.Helper()
	c.usage = u
	s := &sink{}
	c.run(c.t.Context(), req, s)
	if s.failure != nil {
		c.t.Fatal(s.failure)
	}
	if got := s.result; got.CacheStatus != status || got.CacheReason != reason || c.missed.Load() != reason.Due() {
		c.t.Errorf("%s: %s %q, a miss that counts: %v; want %s %q", what, got.CacheStatus, got.CacheReason, c.missed.Load(), status, reason)
	}
}

var (
	longText = elumenta.Text(strings.Repeat("All of these words are instructions. ", 200))
	nothing  = elumenta.Usage{PromptTokens: 2000, CompletionTokens: 1}
	written  = elumenta.Usage{PromptTokens: 2000, CacheWriteTokens: 1990}
	read     = elumenta.Usage{PromptTokens: 2000, CachedTokens: 1990}
)

// A miss is explained by what this node saw of the same beginning before.
func TestPromptCacheReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCacheCase(t)
		defer c.close()
		id := c.assistant("marks", longText)
		req := elumenta.Request{Assistant: elumenta.AssistantRef{ID: id}}
		c.wants("the first call", req, written, elumenta.CacheWritten, elumenta.CacheFirst)
		c.wants("the second", req, read, elumenta.CacheHit, "")
		time.Sleep(4 * time.Minute)
		c.wants("a read keeps it alive", req, read, elumenta.CacheHit, "")
		time.Sleep(4 * time.Minute)
		c.wants("written anew too early", req, written, elumenta.CacheWritten, elumenta.CacheReasonUnknown)
		time.Sleep(6 * time.Minute)
		c.wants("too late", req, written, elumenta.CacheWritten, elumenta.CacheExpired)

		tools := req
		tools.Tools = []elumenta.Tool{{Name: "look", Parameters: json.RawMessage(`{"type":"object"}`)}}
		c.wants("tools stand before the instructions", tools, written, elumenta.CacheWritten, elumenta.CachePrefixChanged)
		c.wants("with them again", tools, read, elumenta.CacheHit, "")
		c.wants("without them, it is still there", req, nothing, elumenta.CacheMiss, elumenta.CacheReasonUnknown)
		if _, err := c.store.UpdateAssistant(t.Context(), c.account, id, 0, &elumenta.Patch{Instructions: elumenta.Some("New. " + longText)}); err != nil {
			t.Fatal(err)
		}
		c.wants("another version", req, written, elumenta.CacheWritten, elumenta.CachePrefixChanged)
		if _, err := c.store.UpdateAssistant(t.Context(), c.account, id, 0, &elumenta.Patch{Instructions: elumenta.Some(longText)}); err != nil {
			t.Fatal(err)
		}
		c.wants("a version with the text of before", req, written, elumenta.CacheWritten, elumenta.CacheReasonUnknown)
		c.wants("another assistant with it", elumenta.Request{Assistant: elumenta.AssistantRef{ID: c.assistant("marks", longText)}}, written, elumenta.CacheWritten, elumenta.CacheReasonUnknown)

		other := req
		other.Model = "prefix"
		c.wants("another model", other, nothing, elumenta.CacheMiss, elumenta.CacheFirst)
		time.Sleep(10 * time.Minute)
		c.wants("nobody says for how long this provider keeps it", other, nothing, elumenta.CacheMiss, elumenta.CacheReasonUnknown)
		system := elumenta.Request{Model: "prefix", System: []elumenta.Text{longText}}
		c.wants("a system text alone", system, nothing, elumenta.CacheMiss, elumenta.CacheFirst)
		c.wants("the same again", system, nothing, elumenta.CacheMiss, elumenta.CacheReasonUnknown)
		system.System = []elumenta.Text{"At noon. " + longText}
		c.wants("another one", system, nothing, elumenta.CacheMiss, elumenta.CacheFirst)

		c.wants("no cache", elumenta.Request{Model: "none"}, nothing, elumenta.CacheUnsupported, "")
		if diff := cmp.Diff(map[string]float64{
			"marks hit ": 3, "marks written first": 1, "marks written expired": 1, "marks written prefix_changed": 2, "marks written unknown": 3,
			"marks miss unknown": 1, "none unsupported ": 1, "prefix miss first": 3, "prefix miss unknown": 2,
		}, c.counted()); diff != "" {
			t.Errorf("counted (-want +got):\n%s", diff)
		}

		req = elumenta.Request{Assistant: elumenta.AssistantRef{ID: c.assistant("marks", "Moving. "+longText)}}
		c.wants("new", req, written, elumenta.CacheWritten, elumenta.CacheFirst)
		c.upstream("marks", "q")
		c.wants("at another upstream", req, written, elumenta.CacheWritten, elumenta.CacheOtherUpstream)
		c.upstream("marks", "p")
		c.wants("back at the first", req, read, elumenta.CacheHit, "")
		time.Sleep(6 * time.Minute)
		c.wants("expired there", req, written, elumenta.CacheWritten, elumenta.CacheExpired)
	})
}

// Calls that begin before the first one is over cannot read what it writes.
func TestPromptCacheConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCacheCase(t)
		defer c.close()
		req := elumenta.Request{Assistant: elumenta.AssistantRef{ID: c.assistant("marks", longText)}}
		for _, reason := range []elumenta.CacheReason{elumenta.CacheFirst, elumenta.CacheExpired} {
			release := make(chan struct{})
			c.usage, c.hold = written, release
			var sinks [3]sink
			var running sync.WaitGroup
			for i := range sinks {
				running.Go(func() { c.run(t.Context(), req, &sinks[i]) })
			}
			synctest.Wait()
			time.Sleep(time.Second)
			close(release)
			running.Wait()
			for i := range sinks {
				if got := sinks[i].result.CacheReason; got != reason {
					t.Errorf("%q, want %q", got, reason)
				}
			}
			time.Sleep(6 * time.Minute)
		}
	})
}

// What cannot be cached is no miss: a cache that wants marks holds nothing behind the last one.
func TestPromptCacheBelowMinimum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCacheCase(t)
		defer c.close()
		variable := elumenta.Variable{Name: "v"}
		request := func(id elumenta.AssistantID) elumenta.Request {
			return elumenta.Request{Assistant: elumenta.AssistantRef{ID: id}}
		}
		short := c.assistant("marks", "Be short. {{v}}"+longText, variable)
		for range 2 {
			c.wants("marks end at the first variable", request(short), nothing, elumenta.CacheBelowMinimum, "")
		}
		c.wants("nothing stands before the variable", request(c.assistant("marks", "{{v}}"+longText, variable)), nothing, elumenta.CacheBelowMinimum, "")
		late := c.assistant("marks", longText+"{{v}}", variable)
		for i, value := range []string{"a", "b"} {
			req := request(late)
			req.Variables = map[string]string{"v": value}
			c.wants("a variable at the end", req, written, elumenta.CacheWritten, [...]elumenta.CacheReason{elumenta.CacheFirst, elumenta.CacheReasonUnknown}[i])
		}
		short = c.assistant("prefix", "Be short. {{v}}"+longText, variable)
		for range 2 {
			c.wants("what calls share is too short", request(short), nothing, elumenta.CacheMiss, elumenta.CachePrefixBelowMinimum)
		}
		c.wants("too short altogether", elumenta.Request{Model: "prefix"}, done.Usage, elumenta.CacheBelowMinimum, "")
	})
}
