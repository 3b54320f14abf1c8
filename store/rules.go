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
}

// Reload replaces Options.Plans, DeniedNames and KeepRecords. What was granted, published and removed before stays as it is; what is
// decided after it returns goes by the new ones, on this node.
func (s *Store) Reload(plans elumenta.Plans, denied elumenta.DeniedNames, keep time.Duration) {
	if len(plans) == 0 {
		plans = elumenta.DefaultPlans()
	}
	s.rules.Store(&rules{plans, denied, keep})
}

func (s *Store) plans() elumenta.Plans { return s.rules.Load().plans }

func (s *Store) denied() elumenta.DeniedNames { return s.rules.Load().denied }
