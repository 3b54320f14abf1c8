package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/elumenta/elumenta"
)

// storedTime scans a time that is stored as micros.
type storedTime struct{ to *time.Time }

// Scan implements sql.Scanner.
func (t storedTime) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", src)
	}
	*t.to = fromMicros(n)
	return nil
}

// accountColumns are what accountFields scans, of a table named or aliased accounts.
const accountColumns = `accounts.id, accounts.display_name, accounts.role, accounts.plan, accounts.plan_started, accounts.plan_expires,
	accounts.suspended_at <> 0, accounts.monthly, accounts.topup, accounts.period_ends, accounts.period, accounts.rate_hour, accounts.rate_hour_count,
	accounts.rate_day, accounts.rate_day_count, accounts.open_generations, accounts.entries, accounts.once_granted <> 0,
	accounts.revision, accounts.created_at`

// account is a row of accounts: what the domain knows of it, and what only the store counts.
type account struct {
	elumenta.Account
	open    int64 // generations reserved and not yet final
	entries int64 // seq of the newest ledger entry
}

func (a *account) fields() []any {
	return []any{&a.ID, &a.DisplayName, &a.Role, &a.Plan, storedTime{&a.PlanStarted}, storedTime{&a.PlanExpires},
		&a.Suspended, &a.Balance.Monthly, &a.Balance.Topup, storedTime{&a.Balance.PeriodEnds}, &a.Balance.Period, &a.Rate.Hour, &a.Rate.HourCount,
		&a.Rate.Day, &a.Rate.DayCount, &a.open, &a.entries, &a.OnceGranted, &a.Revision, storedTime{&a.CreatedAt}}
}

// lockAccount reads an account to change it.
func (s *Store) lockAccount(ctx context.Context, tx querier, id elumenta.AccountID) (*account, error) {
	var a account
	err := tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id = $1`+s.engine.forUpdate(), string(id)).Scan(a.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, elumenta.NotFound("account")
	}
	return &a, err
}

// saveAccount writes what may change of an account, and appends entries. The account's counts of keys and assistants are
// kept by the statements that add and remove those.
func saveAccount(ctx context.Context, tx querier, a *account, entries []elumenta.Entry) error {
	if err := appendEntries(ctx, tx, a, entries); err != nil {
		return err
	}
	return updateAccount(ctx, tx, a)
}

func updateAccount(ctx context.Context, tx querier, a *account) error {
	text, args := a.update()
	_, err := tx.ExecContext(ctx, text, args...)
	return err
}

func (a *account) update() (text string, args []any) {
	return `UPDATE accounts SET display_name = $2, role = $3, plan = $4, plan_started = $5, plan_expires = $6,
		monthly = $7, topup = $8, period_ends = $9, rate_hour = $10, rate_hour_count = $11, rate_day = $12, rate_day_count = $13,
		open_generations = $14, entries = $15, once_granted = $16, revision = $17, period = $18 WHERE id = $1`, []any{
			string(a.ID), a.DisplayName, string(a.Role), a.Plan, micros(a.PlanStarted), micros(a.PlanExpires),
			a.Balance.Monthly, a.Balance.Topup, micros(a.Balance.PeriodEnds), a.Rate.Hour, a.Rate.HourCount, a.Rate.Day, a.Rate.DayCount,
			a.open, a.entries, flag(a.OnceGranted), a.Revision, a.Balance.Period,
		}
}

// ledgerKeyColumns are what a reservation depends on of its key, in the order of keyRow.fields.
const ledgerKeyColumns = `account_id, revision, budget, spent, expires_at`

func (k *keyRow) fields() []any {
	return []any{&k.account, &k.revision, &k.budget, &k.spent, storedTime{&k.expires}}
}

// entryColumns are the columns of ledger_entries, in the order of entryRow.values.
const entryColumns = `account_id, seq, kind, source, destination, monthly, topup, generation_id, reason, actor, at`

// entryRow is an entry with its place in the journal.
type entryRow struct {
	account elumenta.AccountID
	seq     int64
	elumenta.Entry
}

// appendEntries numbers and appends entries; the account must be saved with its new count.
func appendEntries(ctx context.Context, tx querier, a *account, entries []elumenta.Entry) error {
	for _, e := range entries {
		a.entries++
		source, destination := e.Kind.Route()
		generation := sql.NullString{String: string(e.Generation), Valid: e.Generation != ""}
		if _, err := tx.ExecContext(ctx, `INSERT INTO ledger_entries (`+entryColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			string(a.ID), a.entries, string(e.Kind), string(source), string(destination), e.Monthly, e.Topup, generation,
			e.Reason, e.Actor, micros(e.At)); err != nil {
			return err
		}
	}
	return nil
}
