package store

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	// MaxDifferences bounds the differences that a verification lists.
	MaxDifferences = 100
	// verifyTimeout bounds each statement of a verification: none returns more than a page.
	verifyTimeout = time.Minute
)

// Verification is what Verify checked, and what it found.
type Verification struct {
	Accounts, Entries, Generations, Keys, IdempotencyKeys int64
	// RecordsSince is the moment since which the records of single generations are kept; zero means that all are there. What
	// is older was checked by the journal and the rollups alone.
	RecordsSince time.Time
	// UnknownPlans are plans that the configuration does not have, and how many accounts are on them: they keep their tokens
	// and cannot generate.
	UnknownPlans map[string]int64
	// AuditHead is the end of the audit trail: kept elsewhere, it shows later whether entries were removed or written anew.
	AuditHead elumenta.AuditHead
	// Differences are the first MaxDifferences of those that were Found.
	Differences []Difference
	Found       int64
}

// Difference is something that should not be. Account is empty for what concerns all of them.
type Difference struct {
	Account elumenta.AccountID
	// About is what the difference is about: "balance", "entry 7", a generation's or a key's id, "audit trail".
	About, Message string
}

// VerifyOptions choose what a verification does beside checking.
type VerifyOptions struct {
	// AuditHeads were kept from earlier verifications; the audit trail must have them.
	AuditHeads []elumenta.AuditHead
	// Progress, if not nil, is told after each page how many entries of how many are checked.
	Progress func(checked, of int64)
}

// Verify recomputes from the journal everything that is derived from it, in one state of the database and in bounded
// memory, and compares: balances, numbers of entries, open generations, generations and their entries, what keys have spent,
// Idempotency-Keys, the rollups of usage, and the audit trail, by its chain of hashes. It changes nothing, and others may work meanwhile. On SQLite the
// write-ahead log grows as long as it reads. An error means that it could not check; what it found stands in the result.
func (s *Store) Verify(ctx context.Context, o VerifyOptions) (*Verification, error) {
	v := &verifier{plans: s.plans(), progress: o.Progress, seed: maphash.MakeSeed(), buckets: new(fingerprint)}
	v.found.UnknownPlans = map[string]int64{}
	err := s.engine.snapshotAs(ctx, caughtUp, func(ctx context.Context, q querier) error {
		v.q = q
		return v.run(ctx)
	})
	if err != nil {
		return nil, failure(err)
	}
	head, err := s.VerifyAudit(ctx, o.AuditHeads...)
	if broken, ok := errors.AsType[*elumenta.AuditBrokenError](err); ok {
		v.differ("", "audit trail", "%v", broken)
	} else if err != nil {
		return nil, err
	}
	v.found.AuditHead = head
	return &v.found, nil
}

// verifier reads accounts, entries and generations side by side, each once, in the order of their keys.
type verifier struct {
	q        querier
	plans    elumenta.Plans
	progress func(checked, of int64)
	total    int64 // entries, as the accounts count them
	found    Verification

	accounts    *stream[verifiedAccount]
	entries     *stream[verifiedEntry]
	generations *stream[verifiedGeneration]
	oldest      string // lowest id of a generation whose record must be there; "" is all

	seed    maphash.Seed
	buckets *fingerprint
	usage   usageTotals // of all accounts
}

func (v *verifier) differ(account elumenta.AccountID, about, format string, args ...any) {
	v.found.Found++
	if len(v.found.Differences) < MaxDifferences {
		v.found.Differences = append(v.found.Differences, Difference{account, about, fmt.Sprintf(format, args...)})
	}
}

// bounded runs one statement's reading with a deadline.
func bounded(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	return f(ctx)
}

func (v *verifier) run(ctx context.Context) error {
	var err error
	if err = bounded(ctx, func(ctx context.Context) (err error) {
		if v.found.RecordsSince, err = recordsSince(ctx, v.q); err != nil {
			return err
		}
		return v.q.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(entries), 0) AS BIGINT) FROM accounts`).Scan(&v.total)
	}); err != nil {
		return err
	}
	if !v.found.RecordsSince.IsZero() {
		v.oldest = string(elumenta.FirstGenerationID(v.found.RecordsSince))
	}
	v.accounts, v.entries, v.generations = v.allAccounts(), v.entriesAfter("", 0), v.generationsAfter("", "")
	for after := ""; ; {
		page, err := v.accounts.page(ctx)
		if err != nil {
			return err
		}
		last := "~" // what is behind the last account belongs to none
		if len(page) > 0 {
			last = string(page[len(page)-1].id)
		}
		if err := v.verifyPage(ctx, page, after, last); err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		after = last
	}
	return v.verifyEveryone(ctx)
}

// verifyPage checks accounts of adjoining ids, and that nothing between after and last belongs to an account that is not there.
func (v *verifier) verifyPage(ctx context.Context, page []verifiedAccount, after, last string) error {
	side, err := v.readSide(ctx, after, last)
	if err != nil {
		return err
	}
	for i := range page {
		a := &page[i]
		v.found.Accounts++
		if _, known := v.plans.Get(a.plan); !known {
			v.found.UnknownPlans[a.plan]++
		}
		if err := v.skipUnknown(ctx, string(a.id)); err != nil {
			return err
		}
		if err := v.verifyAccount(ctx, a, side); err != nil {
			return err
		}
		side.forget(a.id)
	}
	if err := v.skipUnknown(ctx, last+"~"); err != nil {
		return err
	}
	for _, id := range side.accounts() {
		v.differ(id, "account", "there are keys or usage of it, and no such account")
	}
	return nil
}

// skipUnknown reports entries and generations of accounts below next, which are not there.
func (v *verifier) skipUnknown(ctx context.Context, next string) error {
	reported := ""
	report := func(account string) {
		if account != reported {
			reported = account
			v.differ(elumenta.AccountID(account), "account", "there are entries or generations of it, and no such account")
		}
	}
	for {
		e, err := v.entries.peek(ctx)
		if err != nil {
			return err
		}
		if e == nil || string(e.account) >= next {
			break
		}
		report(string(e.account))
		v.found.Entries++
		v.entries.skip()
	}
	for {
		g, err := v.generations.peek(ctx)
		if err != nil {
			return err
		}
		if g == nil || string(g.account) >= next {
			return nil
		}
		report(string(g.account))
		v.found.Generations++
		v.generations.skip()
	}
}
