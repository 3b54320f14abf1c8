package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// TestLogOfTheOthers: what is settled twice, or again after nobody took it, keeps no other generation out of the log.
func TestLogOfTheOthers(t *testing.T) {
	charged, corrected := elumenta.Outcome{State: elumenta.Charged}, elumenta.Outcome{State: elumenta.GivenBack, Correct: true}
	for name, settle := range map[string]func(s *store.Store, r *elumenta.Reservation) error{
		"settled twice": func(s *store.Store, r *elumenta.Reservation) error {
			_, first := s.Settle(t.Context(), r.Account, r.Generation, charged)
			_, second := s.Settle(t.Context(), r.Account, r.Generation, charged)
			return errors.Join(first, second)
		},
		"corrected": func(s *store.Store, r *elumenta.Reservation) error {
			_, first := s.Settle(t.Context(), r.Account, r.Generation, charged)
			_, second := s.Settle(t.Context(), r.Account, r.Generation, corrected)
			return errors.Join(first, second)
		},
		"settled after a withdrawal": func(s *store.Store, r *elumenta.Reservation) error {
			ended, end := context.WithCancel(t.Context())
			end()
			if _, err := s.Settle(ended, r.Account, r.Generation, charged); err == nil {
				return errors.New("settled in a context that has ended")
			}
			_, err := s.Settle(t.Context(), r.Account, r.Generation, charged)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := sqliteURL(t)
			s := openLogged(t, url, nil)
			s.StopBackground()
			r := composed(t, s, "unlimited", time.Hour)
			var open []elumenta.GenerationID
			for range 100 {
				r.Generation = elumenta.NewGenerationID()
				if _, err := s.Reserve(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				open = append(open, r.Generation)
			}
			if err := settle(s, &r); err != nil {
				t.Fatal(err)
			}
			before := len(logged(t, url))
			for _, id := range open[:99] {
				if _, err := s.Settle(t.Context(), r.Account, id, charged); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(logged(t, url)) - before; n != 99 {
				t.Errorf("%d of 99 settlements were logged", n)
			}
			storetest.Verified(t, s)
		})
	}
}

// TestLogOvertaken: of two settlements of a generation the first one to be carried out counts, whichever of them knew the generation.
func TestLogOvertaken(t *testing.T) {
	for name, batches := range map[string][][]bool{ // of whether it is the one that knows
		"one later": {{false}, {true}}, "the other later": {{true}, {false}},
		"together": {{false, true}}, "together, the other way round": {{true, false}},
	} {
		for _, correct := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, correct %v", name, correct), func(t *testing.T) {
				t.Parallel()
				s := openLogged(t, sqliteURL(t), nil)
				s.StopBackground()
				r := composed(t, s, "basic", time.Hour)
				grant, err := s.Reserve(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Settle(t.Context(), r.Account, r.Generation, elumenta.Outcome{State: elumenta.GivenBack}); err != nil {
					t.Fatal(err)
				}
				r.Generation = elumenta.NewGenerationID()
				if _, err = s.Reserve(t.Context(), r); err != nil { // from now on they are logged
					t.Fatal(err)
				}
				settlings := map[bool]store.Settling{true: s.BeginSettle(r.Account, r.Generation, elumenta.Outcome{State: elumenta.Charged})}
				settlings[false] = s.BeginSettle(r.Account, r.Generation, elumenta.Outcome{State: elumenta.GivenBack, Correct: correct})
				want, left := elumenta.SettleState(0), *grant.Balance
				for _, batch := range batches {
					var all []store.Settling
					for _, knows := range batch {
						all = append(all, settlings[knows])
					}
					if err := s.SettleTogether(t.Context(), all...); err != nil {
						t.Fatal(err)
					}
					for i, knows := range batch {
						switch {
						case want == 0 && knows:
							want = elumenta.Charged
						case want == 0 || correct && !knows:
							want = elumenta.GivenBack
						}
						if got := all[i].Settled().State; got != want {
							t.Errorf("state %v instead of %v", got, want)
						}
					}
				}
				if want == elumenta.GivenBack {
					left += r.Price
				}
				check(t, s, r.Account, left)
				storetest.Verified(t, s)
			})
		}
	}
}

// TestLogAfterOvertaking: what is reserved after a settlement overtook another is logged, though what was open then is not.
func TestLogAfterOvertaking(t *testing.T) {
	url := sqliteURL(t)
	s := openLogged(t, url, nil)
	s.StopBackground()
	r, charged := composed(t, s, "unlimited", time.Hour), elumenta.Outcome{State: elumenta.Charged}
	reserve := func() elumenta.GenerationID {
		r.Generation = elumenta.NewGenerationID()
		if _, err := s.Reserve(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		return r.Generation
	}
	overtaken, before := reserve(), reserve()
	s.BeginSettle(r.Account, overtaken, charged)
	if _, err := s.Settle(t.Context(), r.Account, overtaken, charged); err != nil {
		t.Fatal(err)
	}
	for i, id := range []elumenta.GenerationID{before, reserve()} {
		if _, err := s.Settle(t.Context(), r.Account, id, charged); err != nil {
			t.Fatal(err)
		}
		if n := len(logged(t, url)); n != i {
			t.Errorf("%d instead of %d settlements are in the log", n, i)
		}
	}
	storetest.Verified(t, s)
}
