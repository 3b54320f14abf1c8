package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// mutant is a fault that someone could build in: edits of one file of the program.
type mutant struct {
	name, file string
	edits      []edit
}

// edit replaces a text that stands in the file once.
type edit struct{ old, new string }

// mutants are the faults that the torture must find, or it proves nothing.
var mutants = []mutant{ //nolint:gochecknoglobals // never changed
	{"charge after the call", "store/ledger_decide.go", []edit{{
		`	taken, ok := a.Balance.Take(price)
	if ok {
		return taken, nil
	}
`, `	if taken, ok := a.Balance.Take(price); ok {
		a.Balance.GiveBack(taken)
		return elumenta.Taken{}, nil
	}
`}, {
		`	row.state = o.State
	b.release(row, key.id)
`, `	row.state = o.State
	if taken, ok := a.Balance.Take(row.price); ok && row.state == elumenta.Charged {
		row.taken = taken
		b.enter(a, elumenta.Entry{Kind: elumenta.EntryReserve, Monthly: taken.Monthly, Topup: taken.Topup, Generation: key.id, At: b.now})
	} else if ok {
		a.Balance.GiveBack(taken)
	}
	b.release(row, key.id)
`}}},
	{"skip the give-back", "generate/generate.go", []edit{{
		`	settled, err := s.settle(ctx, p, outcome)
`, `	if outcome.State == elumenta.GivenBack {
		r.stop()
		s.fail(r.sink, p.req, failure, elumenta.Settled{State: elumenta.GivenBack})
		return
	}
	settled, err := s.settle(ctx, p, outcome)
`}}},
	{"cache the key", "store/ledger_decide.go", []edit{{
		`	s.Key = key == nil || key.account != r.Account || key.revision != r.KeyRevision
`, `	if key == nil {
		b.keys[r.Key] = &keyRow{account: r.Account}
	}
`}}},
	{"forget the version check", "store/ledger_decide.go", []edit{{
		`		s.Assistant = revision == nil || *revision != r.AssistantRevision
`, `		s.Assistant = revision == nil
`}}},
	{"commit in a goroutine", "generate/generate.go", []edit{{
		`	settled, err := s.settle(ctx, p, outcome)
`, `	settled := elumenta.Settled{State: elumenta.Charged, TokensSpent: p.model.TokenCost}
	if outcome.State == elumenta.Charged {
		s.background.Go(func() { _, _ = s.settle(ctx, p, outcome) })
	} else {
		settled, err = s.settle(ctx, p, outcome)
	}
`}}},
}

// apply returns the file's text with the fault in it.
func (m *mutant) apply() ([]byte, error) {
	raw, err := os.ReadFile(m.file)
	if err != nil {
		return nil, err
	}
	text := string(raw)
	for _, e := range m.edits {
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("the mutant %q (internal/torture/mutants.go) replaces a text that stands %d times in %s instead of once; make it fit the code again:\n%s",
				m.name, n, m.file, e.old)
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	if _, err := format.Source([]byte(text)); err != nil {
		return nil, fmt.Errorf("the mutant %q is not Go: %w", m.name, err)
	}
	return []byte(text), nil
}

// build builds the program with the fault in it. The source is not touched.
func (m *mutant) build(ctx context.Context, dir string) (binary string, err error) {
	text, err := m.apply()
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	list, _ := json.Marshal(map[string]map[string]string{"Replace": {original: changed}}) // strings
	if err := errors.Join(os.WriteFile(changed, text, 0o600), os.WriteFile(overlay, list, 0o600)); err != nil {
		return "", err
	}
	return build(ctx, dir, overlay)
}

const (
	mutantLoad     = 6 * time.Second
	mutantRounds   = 10
	mutantAccounts = 100
)

// tryMutants runs each mutant, a round on one engine after the other, until a check fails.
func (o *options) tryMutants(ctx context.Context, dir string, out io.Writer) error {
	var survived []error
	for i := range mutants {
		m := &mutants[i]
		if o.check {
			if _, err := m.apply(); err != nil {
				return err
			}
			continue
		}
		binary, err := m.build(ctx, dir)
		if err != nil {
			return err
		}
		by, took, err := o.hunt(ctx, dir, binary)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if by == "" {
			by = "NOT FOUND"
			survived = append(survived, fmt.Errorf("the mutant %q was not found", m.name))
		}
		_, _ = fmt.Fprintf(out, "%-26s %4.0fs  %s\n", m.name, took.Seconds(), by)
	}
	if o.check {
		_, _ = fmt.Fprintf(out, "%d mutants fit the code\n", len(mutants))
	}
	return errors.Join(survived...)
}

// hunt returns which checks find the fault in a program, on which engine, and after how long.
func (o *options) hunt(ctx context.Context, dir, binary string) (by string, took time.Duration, err error) {
	began, short := time.Now(), *o
	short.duration, short.accounts = mutantLoad, min(o.accounts, mutantAccounts)
	for round := range mutantRounds {
		engine := o.engines[round%len(o.engines)]
		short.seed = o.seed + uint64(round)
		at := filepath.Join(dir, fmt.Sprintf("%s-%d", engine, round))
		found, err := short.run(engine, at, binary, io.Discard).torture(ctx)
		if err = errors.Join(err, os.RemoveAll(at)); err != nil {
			return "", 0, err
		}
		if found.failed() {
			return fmt.Sprintf("%s, on %s", found.foundBy(), engine), time.Since(began), nil
		}
	}
	return "", time.Since(began), nil
}
