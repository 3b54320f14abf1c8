package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/elumenta/elumenta"
)

const reportColumns = `assistant_id, account_id, version, reason, comment, state, created_at, decided_at`

func reportFields(r *elumenta.Report) []any {
	return []any{&r.Assistant, &r.Account, &r.Version, &r.Reason, &r.Comment, &r.State, storedTime{&r.CreatedAt}, storedTime{&r.DecidedAt}}
}

// ReportAssistant implements elumenta.AssistantStore.
func (s *Store) ReportAssistant(ctx context.Context, account elumenta.AccountID, id elumenta.AssistantID, n elumenta.NewReport) (r *elumenta.Report, replaced bool, err error) {
	if err := n.Check().Err(); err != nil {
		return nil, false, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		// The locks let the account's open reports be counted, and none come behind a decision.
		if _, err := s.lockAccount(ctx, tx, account); err != nil {
			return err
		}
		h, err := readAnyHead(ctx, tx, id, s.engine.forUpdate())
		switch {
		case err != nil:
			return err
		case h.Owner == account:
			return elumenta.Errorf(elumenta.CodeForbidden, "this assistant is your own: you may unpublish or delete it")
		}
		public, err := newestPublic(ctx, tx, id)
		if err != nil {
			return err
		}
		if public == 0 || h.ownerSuspended {
			return elumenta.NotFound("assistant")
		}
		r = &elumenta.Report{Assistant: id, Account: account, Version: public, NewReport: n, State: elumenta.ReportOpen, CreatedAt: s.now()}
		if replaced, err = replaceReport(ctx, tx, r); err != nil || replaced {
			return err
		}
		if err := mayReport(ctx, tx, account); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO reports (`+reportColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
			string(id), string(account), r.Version, string(r.Reason), string(r.Comment), string(r.State), micros(r.CreatedAt))
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return r, replaced, nil
}

// newestPublic is the newest version that others may use, 0 for none.
func newestPublic(ctx context.Context, q querier, id elumenta.AssistantID) (version int, err error) {
	err = q.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM assistant_versions WHERE assistant_id = $1 AND public = 1`, string(id)).Scan(&version)
	return version, err
}

// replaceReport gives a report the place of the account's open one, if there is one. What was decided stays as it is, and is not asked again
// while the assistant is the same.
func replaceReport(ctx context.Context, tx querier, r *elumenta.Report) (replaced bool, err error) {
	var before elumenta.Report
	err = tx.QueryRowContext(ctx, `SELECT `+reportColumns+` FROM reports WHERE assistant_id = $1 AND account_id = $2 ORDER BY state = 'open' DESC, version DESC LIMIT 1`,
		string(r.Assistant), string(r.Account)).Scan(reportFields(&before)...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case before.State == elumenta.ReportOpen:
		r.CreatedAt, r.Version = before.CreatedAt, max(before.Version, r.Version) // newer ones may have been withdrawn
		_, err = tx.ExecContext(ctx, `UPDATE reports SET version = $4, reason = $5, comment = $6 WHERE assistant_id = $1 AND account_id = $2 AND version = $3`,
			string(r.Assistant), string(r.Account), before.Version, r.Version, string(r.Reason), string(r.Comment))
		return true, err
	case before.Version >= r.Version:
		return false, elumenta.Errorf(elumenta.CodeConflict, "operators have decided on your report of this version: report it again if the assistant changes")
	}
	return false, nil
}

// mayReport refuses an account that has as many open reports as it may have.
func mayReport(ctx context.Context, tx querier, account elumenta.AccountID) error {
	var open int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM reports WHERE account_id = $1 AND state = 'open'`, string(account)).Scan(&open); err != nil {
		return err
	}
	if open >= elumenta.MaxOpenReports {
		return elumenta.Errorf(elumenta.CodeValidation, "an account may have at most %d open reports: wait until operators have decided on some", elumenta.MaxOpenReports)
	}
	return nil
}

// decideReports closes an assistant's open reports and returns how many there were.
func (s *Store) decideReports(ctx context.Context, tx querier, id elumenta.AssistantID, state elumenta.ReportState) (int64, error) {
	return affected(tx.ExecContext(ctx, `UPDATE reports SET state = $2, decided_at = $3 WHERE assistant_id = $1 AND state = 'open'`,
		string(id), string(state), micros(s.now())))
}

// DismissReports implements elumenta.Operators.
func (s *Store) DismissReports(ctx context.Context, id elumenta.AssistantID, reason string) error {
	var errs elumenta.FieldErrors
	elumenta.CheckReason(&errs, reason, 0)
	if err := errs.Err(); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		h, err := readAnyHead(ctx, tx, id, s.engine.forUpdate())
		if err != nil {
			return err
		}
		dismissed, err := s.decideReports(ctx, tx, id, elumenta.ReportDismissed)
		if err != nil {
			return err
		}
		if dismissed == 0 {
			return elumenta.NotFound("open report")
		}
		return s.record(ctx, elumenta.AuditReportsDismissed, h.Owner, string(id), auditDetails{"reports": dismissed}.because(reason))
	})
}

// Reports implements elumenta.Operators.
func (s *Store) Reports(ctx context.Context, id elumenta.AssistantID, after elumenta.ReportPosition, limit int) (items []elumenta.Report, more bool, err error) {
	at, account := int64(math.MaxInt64), after.ID
	if !after.At.IsZero() {
		at = micros(after.At)
	}
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		items = nil
		if _, err := readAnyHead(ctx, q, id, ""); err != nil {
			return err
		}
		rows, err := q.QueryContext(ctx, `SELECT `+reportColumns+` FROM reports WHERE assistant_id = $1
			AND (created_at < $2 OR created_at = $2 AND account_id < $3) ORDER BY created_at DESC, account_id DESC LIMIT $4`,
			string(id), at, account, limit+1)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var r elumenta.Report
			err := rows.Scan(reportFields(&r)...)
			items = append(items, r)
			return err
		})
	})
	items, more = page(items, limit)
	return items, more, err
}

// queueOrder is how reported assistants follow each other: open ones by the first report, decided ones by the last decision.
type queueOrder struct {
	key, behind, direction string
	first                  int64 // where the order begins
}

func orderOf(state elumenta.ReportState) queueOrder {
	if state == elumenta.ReportOpen {
		return queueOrder{key: "min(created_at)", behind: ">", direction: "ASC"}
	}
	return queueOrder{key: "max(decided_at)", behind: "<", direction: "DESC", first: math.MaxInt64}
}

// ReportedAssistants implements elumenta.Operators.
func (s *Store) ReportedAssistants(ctx context.Context, query elumenta.ReportQuery) (items []elumenta.ReportedAssistant, more bool, err error) {
	o := orderOf(query.State)
	at := o.first
	if !query.After.At.IsZero() {
		at = micros(query.After.At)
	}
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		items = nil
		rows, err := q.QueryContext(ctx, `SELECT a.id, a.account_id, accounts.display_name, v.name, a.published, a.taken_down_at, a.taken_down_reason,
			r.reason, count(*), min(r.created_at), max(r.created_at), max(r.decided_at)
			FROM (SELECT assistant_id, `+o.key+` AS at FROM reports WHERE state = $1 GROUP BY assistant_id
				HAVING `+o.key+o.behind+`$2 OR `+o.key+` = $2 AND assistant_id `+o.behind+` $3
				ORDER BY at `+o.direction+`, assistant_id `+o.direction+` LIMIT $4) p
			JOIN reports r ON r.assistant_id = p.assistant_id AND r.state = $1
			JOIN assistants a ON a.id = p.assistant_id
			JOIN assistant_versions v ON v.assistant_id = a.id AND v.version = a.version
			JOIN accounts ON accounts.id = a.account_id
			GROUP BY p.at, a.id, a.account_id, accounts.display_name, v.name, a.published, a.taken_down_at, a.taken_down_reason, r.reason
			ORDER BY p.at `+o.direction+`, a.id `+o.direction, string(query.State), at, query.After.ID, query.Limit+1)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var r reportedRow
			err := rows.Scan(r.fields()...)
			items = r.addTo(items)
			return err
		})
	})
	items, more = page(items, query.Limit)
	return items, more, err
}

// reportedRow is an assistant with its reports for one reason.
type reportedRow struct {
	elumenta.ReportedAssistant
	down   elumenta.TakeDown
	reason elumenta.ReportReason
	count  int
}

func (r *reportedRow) fields() []any {
	return []any{&r.ID, &r.Owner, &r.Author, &r.Name, &r.Published, storedTime{&r.down.At}, &r.down.Reason,
		&r.reason, &r.count, storedTime{&r.FirstAt}, storedTime{&r.LastAt}, storedTime{&r.DecidedAt}}
}

// addTo adds a row to a list that ends in the same assistant, or gets it.
func (r *reportedRow) addTo(items []elumenta.ReportedAssistant) []elumenta.ReportedAssistant {
	if len(items) == 0 || items[len(items)-1].ID != r.ID {
		r.TakenDown = takeDown(r.down)
		r.Reports = map[elumenta.ReportReason]int{}
		items = append(items, r.ReportedAssistant)
	}
	a := &items[len(items)-1]
	a.Reports[r.reason] = r.count
	if r.FirstAt.Before(a.FirstAt) {
		a.FirstAt = r.FirstAt
	}
	a.LastAt, a.DecidedAt = later(a.LastAt, r.LastAt), later(a.DecidedAt, r.DecidedAt)
	return items
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
