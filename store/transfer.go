package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/elumenta/elumenta"
	"golang.org/x/sync/errgroup"
)

// Transfer moves everything from one database to another, of the same kind or not.
type Transfer struct {
	// From and To are URLs as in Options.
	From, To string
	// Plans are the plans that accounts may be on; empty means elumenta.DefaultPlans. They count for balances that what is
	// given back goes to.
	Plans elumenta.Plans
	// Progress, if not nil, is told after every page. It is not called from two goroutines at once.
	Progress func(TransferProgress)
}

// TransferProgress says how far a transfer is.
type TransferProgress struct {
	Phase TransferPhase
	// Table is the Number-th of Tables tables. It is empty while ledgers are verified, whose rows are entries.
	Table          string
	Number, Tables int
	// Rows of AllRows rows of the table are done; Earlier of them in an earlier run.
	Rows, AllRows, Earlier int64
}

// TransferPhase is what a transfer is doing.
type TransferPhase string

// The phases, in their order.
const (
	Copying   TransferPhase = "copying"
	Comparing TransferPhase = "comparing"
	Verifying TransferPhase = "verifying"
)

// TransferReport says what a transfer did.
type TransferReport struct {
	// From and To name the two databases, without passwords.
	From, To string
	// Resumed says that an earlier run had begun it.
	Resumed bool
	// Tables are the same in both databases.
	Tables []TransferredTable
	// Source and Target are what Verify found in each. Differences were there before: they have been moved with the rest.
	Source, Target *Verification
}

// TransferredTable is a table's content: how many rows, and a hash over all of them.
type TransferredTable struct {
	Name   string
	Rows   int64
	SHA256 [32]byte
}

// transfer is a Transfer under way.
type transfer struct {
	known          *schema
	source, target *side
	progress       func(TransferProgress)
	report         TransferReport
}

// Run moves everything. Nothing may be written to the source meanwhile: no server may run on it, and commands have to
// wait. The target must be empty, or one that an earlier run to it was stopped at: then this one goes on from there. Until all
// is moved, and found to be the same, nobody can use the target. The source stays as it is, but that reservations nobody
// settled are given back. An error that is about one of the databases says which.
func (t Transfer) Run(ctx context.Context) (_ *TransferReport, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = ctx.Err() // the rest is what it broke off
		}
	}()
	known, err := readSchema(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	run := &transfer{known: known, progress: t.Progress}
	if run.progress == nil {
		run.progress = func(TransferProgress) {}
	}
	id, err := run.look(ctx, t.From, t.To)
	if err != nil {
		return nil, err
	}
	if run.source, err = openSide(ctx, run.report.From, t.From, t.Plans); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, run.source.close()) }()
	if run.target, err = openSide(ctx, run.report.To, t.To, t.Plans); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, run.target.close()) }()
	if err := run.source.prepareSource(ctx, known); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, run.source.unlock()) }()
	if err := run.target.prepareTarget(ctx); err != nil {
		return nil, err
	}
	if !run.report.Resumed {
		if err := run.target.begin(ctx, id); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(context.Context) error{run.copy, run.compare, run.verify} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return &run.report, run.target.finish(ctx)
}

// look refuses what cannot be moved, before anything is changed.
func (t *transfer) look(ctx context.Context, from, to string) (id []byte, err error) {
	var source, target *finding
	if t.report.From, source, err = look(ctx, from, t.known); err != nil {
		return nil, err
	}
	if t.report.To, target, err = look(ctx, to, t.known); err != nil {
		return nil, err
	}
	id = identity(source.secret)
	switch {
	case source.unfinished != nil:
		return nil, fmt.Errorf("%s: %w", t.report.From, errUnfinished)
	case source.secret == nil:
		return nil, fmt.Errorf("%s holds nothing that could be moved", t.report.From)
	case target.unfinished != nil && !bytes.Equal(target.unfinished, id):
		return nil, fmt.Errorf("%s: another database was being moved into it, and not all of it is there: name an empty database, or go on with that one", t.report.To)
	case target.unfinished == nil && target.filled != "":
		return nil, fmt.Errorf("%s is not empty: its table %s has rows; name an empty database", t.report.To, target.filled)
	}
	t.report.Resumed = target.unfinished != nil
	return id, nil
}

func (t *transfer) copy(ctx context.Context) error {
	for i := range t.known.tables {
		if err := t.copyTable(ctx, i); err != nil {
			return err
		}
	}
	if err := t.target.copySettings(ctx, t.source); err != nil {
		return err
	}
	if !t.target.postgres() {
		return nil
	}
	names := make([]string, len(t.known.tables))
	for i, table := range t.known.tables {
		names[i] = table.name
	}
	return t.target.failed("ANALYZE", t.target.exec(ctx, `ANALYZE `+strings.Join(names, ", ")))
}

// copyTable goes on behind the last row that is there: rows come in the order of their keys, and a page whole or not at all.
func (t *transfer) copyTable(ctx context.Context, number int) error {
	table := &t.known.tables[number]
	all, err := t.source.number(ctx, `SELECT count(*) FROM `+table.name)
	if err != nil {
		return err
	}
	last, err := t.target.lastKey(ctx, table)
	if err != nil {
		return err
	}
	there := int64(0)
	if last != nil {
		if there, err = t.target.number(ctx, `SELECT count(*) FROM `+table.name); err != nil {
			return err
		}
	}
	done := TransferProgress{Phase: Copying, Table: table.name, Number: number + 1, Tables: len(t.known.tables), Rows: there, AllRows: all, Earlier: there}
	for limit := firstRows; ; {
		p, err := t.source.read(ctx, table, last, limit, func(ctx context.Context, p *rowPage) error {
			return t.target.failed("table "+table.name, t.target.write(ctx, table, p))
		})
		if err != nil {
			return err
		}
		done.Rows += int64(p.rows)
		t.progress(done)
		if p.rows < limit {
			return nil
		}
		last, limit = p.key(table), p.next(limit)
	}
}

// compare reads everything that was stored, on both sides.
func (t *transfer) compare(ctx context.Context) error {
	var different []string
	for i := range t.known.tables {
		table := &t.known.tables[i]
		all, err := t.source.number(ctx, `SELECT count(*) FROM `+table.name)
		if err != nil {
			return err
		}
		done := TransferProgress{Phase: Comparing, Table: table.name, Number: i + 1, Tables: len(t.known.tables), AllRows: all}
		var source, target TransferredTable
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() (err error) {
			source, err = t.source.digest(ctx, table, func(rows int64) {
				done.Rows = rows
				t.progress(done)
			})
			return err
		})
		both.Go(func() (err error) {
			target, err = t.target.digest(ctx, table, func(int64) {})
			return err
		})
		if err := both.Wait(); err != nil {
			return err
		}
		if source != target {
			different = append(different, fmt.Sprintf("%s (%d rows in the source, %d in the target)", table.name, source.Rows, target.Rows))
		}
		t.report.Tables = append(t.report.Tables, source)
	}
	if different != nil {
		return fmt.Errorf("the two databases differ, in %s: one of them was changed since the move began; empty the target and begin again", strings.Join(different, ", "))
	}
	return nil
}

// verify recomputes both ledgers. What is wrong in both is no fault of the transfer, and stands in the report.
func (t *transfer) verify(ctx context.Context) (err error) {
	o := VerifyOptions{Progress: func(checked, of int64) {
		t.progress(TransferProgress{Phase: Verifying, Rows: checked, AllRows: of})
	}}
	if t.report.Source, err = t.source.store.Verify(ctx, o); err != nil {
		return t.source.failed("verify the ledger", causeOf(err))
	}
	if t.report.Target, err = t.target.store.Verify(ctx, o); err != nil {
		return t.target.failed("verify the ledger", causeOf(err))
	}
	if t.report.Source.Found != t.report.Target.Found || t.report.Source.AuditHead != t.report.Target.AuditHead {
		return fmt.Errorf("the ledger of the source has %d differences and that of the target %d: empty the target and begin again", t.report.Source.Found, t.report.Target.Found)
	}
	return nil
}
