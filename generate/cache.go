package generate

import (
	"context"

	"github.com/maypok86/otter/v2"

	"github.com/elumenta/elumenta"
)

// cache holds copies of what requests are composed from. They have no time limit: a reservation confirms their
// revisions, and what it finds stale is loaded anew. What is not found is not cached.
type cache struct {
	store      Store
	callers    *otter.Cache[elumenta.KeyHash, *elumenta.Caller]
	assistants *otter.Cache[assistantKey, *assistant]
	labels     *otter.Cache[labelKey, *label]
}

// assistant is a snapshot and the hash of what its instructions always begin with.
type assistant struct {
	*elumenta.Snapshot
	constant uint64
}

// labelKey names what ResolveLabel was asked.
type labelKey struct {
	owner elumenta.AccountID
	id    elumenta.AssistantID
	label string
}

// label is what a label stood for when the assistant had a revision.
type label struct {
	*elumenta.Label
	revision int64
}

// assistantKey names what Resolve was asked. The viewer is part of it, since it decides what may be seen.
type assistantKey struct {
	viewer  elumenta.AccountID
	id      elumenta.AssistantID
	version int
}

const (
	maxCallers     = 50_000
	maxLabels      = 50_000
	snapshotWeight = 1 << 10 // what a snapshot weighs beside its texts
	variableWeight = 1 << 7
)

// weight is about how many bytes of memory a snapshot takes.
func weight(s *elumenta.Snapshot) uint32 {
	n := snapshotWeight + len(s.Instructions) + len(s.Variables)*variableWeight + elumenta.VariablesSize(s.Variables)
	if f := s.Settings.ResponseFormat; f != nil {
		n += len(f.Schema)
	}
	return uint32(n) // the limits of an assistant's fields are far below
}

func newCache(store Store, bytes uint64) *cache {
	return &cache{
		store:   store,
		callers: otter.Must(&otter.Options[elumenta.KeyHash, *elumenta.Caller]{MaximumSize: maxCallers}),
		labels:  otter.Must(&otter.Options[labelKey, *label]{MaximumSize: maxLabels}),
		assistants: otter.Must(&otter.Options[assistantKey, *assistant]{
			MaximumWeight: bytes,
			Weigher: func(_ assistantKey, s *assistant) uint32 {
				return weight(s.Snapshot)
			},
		}),
	}
}

func (c *cache) caller(ctx context.Context, hash elumenta.KeyHash) (*elumenta.Caller, error) {
	if caller, ok := c.callers.GetIfPresent(hash); ok {
		return caller, nil
	}
	caller, err := c.store.Authenticate(ctx, hash)
	if err != nil {
		return nil, err
	}
	c.callers.Set(hash, caller)
	return caller, nil
}

func (c *cache) forgetCaller(hash elumenta.KeyHash) { c.callers.Invalidate(hash) }

// assistant resolves a request's assistant; hit reports whether a copy was used.
func (c *cache) assistant(ctx context.Context, viewer elumenta.AccountID, req *elumenta.Request, fresh bool) (s *assistant, hit bool, err error) {
	ref := req.Assistant
	if ref.Label == "" {
		return c.snapshot(ctx, viewer, ref, fresh)
	}
	for range maxStale + 1 {
		l, labelHit, err := c.label(ctx, viewer, ref, fresh)
		if err != nil {
			return nil, labelHit, err
		}
		s, hit, err := c.snapshot(ctx, viewer, elumenta.AssistantRef{ID: ref.ID, Version: l.Choose(ref.ID, req.User)}, fresh)
		// A reservation confirms the snapshot's revision alone: where the label is of another one, one of them is old.
		if err != nil || s.Revision == l.revision {
			return s, hit || labelHit, err
		}
		fresh = true
	}
	return nil, false, errChanging()
}

func (c *cache) snapshot(ctx context.Context, viewer elumenta.AccountID, ref elumenta.AssistantRef, fresh bool) (s *assistant, hit bool, err error) {
	key := assistantKey{viewer, ref.ID, ref.Version}
	if !fresh {
		if s, ok := c.assistants.GetIfPresent(key); ok {
			return s, true, nil
		}
	}
	snapshot, err := c.store.Resolve(ctx, viewer, ref)
	if err != nil {
		c.assistants.Invalidate(key)
		return nil, false, err
	}
	s = &assistant{snapshot, promptHash(string(snapshot.Constant()))}
	c.assistants.Set(key, s)
	return s, false, nil
}

func (c *cache) label(ctx context.Context, owner elumenta.AccountID, ref elumenta.AssistantRef, fresh bool) (l *label, hit bool, err error) {
	key := labelKey{owner, ref.ID, ref.Label}
	if !fresh {
		if l, ok := c.labels.GetIfPresent(key); ok {
			return l, true, nil
		}
	}
	is, revision, err := c.store.ResolveLabel(ctx, owner, ref.ID, ref.Label)
	if err != nil {
		c.labels.Invalidate(key)
		return nil, false, err
	}
	l = &label{is, revision}
	c.labels.Set(key, l)
	return l, false, nil
}
