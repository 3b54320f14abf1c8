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
	assistants *otter.Cache[assistantKey, *elumenta.Snapshot]
}

// assistantKey names what Resolve was asked. The viewer is part of it, since it decides what may be seen.
type assistantKey struct {
	viewer  elumenta.AccountID
	id      elumenta.AssistantID
	version int
}

const (
	maxCallers     = 50_000
	snapshotWeight = 1 << 10 // what a snapshot weighs beside its instructions
)

func newCache(store Store, bytes uint64) *cache {
	return &cache{
		store:   store,
		callers: otter.Must(&otter.Options[elumenta.KeyHash, *elumenta.Caller]{MaximumSize: maxCallers}),
		assistants: otter.Must(&otter.Options[assistantKey, *elumenta.Snapshot]{
			MaximumWeight: bytes,
			Weigher: func(_ assistantKey, s *elumenta.Snapshot) uint32 {
				return uint32(len(s.Instructions)) + snapshotWeight
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

// assistant resolves a request's assistant. Labels are not cached: where one points may depend on the user.
func (c *cache) assistant(ctx context.Context, viewer elumenta.AccountID, req *elumenta.Request, fresh bool) (s *elumenta.Snapshot, hit bool, err error) {
	key := assistantKey{viewer, req.Assistant.ID, req.Assistant.Version}
	cacheable := req.Assistant.Label == ""
	if cacheable && !fresh {
		if s, ok := c.assistants.GetIfPresent(key); ok {
			return s, true, nil
		}
	}
	s, err = c.store.Resolve(ctx, viewer, req.Assistant, req.User)
	if err != nil {
		c.assistants.Invalidate(key)
		return nil, false, err
	}
	if cacheable {
		c.assistants.Set(key, s)
	}
	return s, false, nil
}
