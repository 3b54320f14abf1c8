package store

import (
	"time"

	"github.com/elumenta/elumenta"
)

// rules are what Reload replaces.
type rules struct {
	plans  elumenta.Plans
	denied elumenta.DeniedNames
	keep   time.Duration
	// assistantStorage is Options.AssistantStorage.
	assistantStorage int64
}

// Reload replaces Options.Plans, DeniedNames, KeepRecords and AssistantStorage. What was granted, published, removed and stored before
// stays as it is; what is decided after it returns goes by the new ones, on this node.
func (s *Store) Reload(plans elumenta.Plans, denied elumenta.DeniedNames, keep time.Duration, assistantStorage int64) {
	if len(plans) == 0 {
		plans = elumenta.DefaultPlans()
	}
	s.rules.Store(&rules{plans, denied, keep, assistantStorage})
}

func (s *Store) plans() elumenta.Plans { return s.rules.Load().plans }

func (s *Store) denied() elumenta.DeniedNames { return s.rules.Load().denied }
