package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/elumenta/elumenta"
)

const (
	// auditDomain begins what is hashed, and changes with the encoding.
	auditDomain = "elumenta audit 1"
	// auditPage is how many entries are read at once while the trail is verified.
	auditPage = 1000

	auditColumns = `seq, at, actor, key_id, address, action, account_id, target, details, hash`
)

// auditRow is a row of audit_entries, as it is stored.
type auditRow struct {
	seq, at                                               int64
	actor, key, address, action, account, target, details string
	hash                                                  []byte
}

func (r *auditRow) fields() []any {
	return []any{&r.seq, &r.at, &r.actor, &r.key, &r.address, &r.action, &r.account, &r.target, &r.details, &r.hash}
}

// chain is the hash of a row that follows one with the hash previous: SHA-256 over auditDomain, previous and the row's
// columns in their order, numbers as decimal text, each led by its length in 8 bytes, most significant first.
func (r *auditRow) chain(previous elumenta.AuditHash) (sum elumenta.AuditHash) {
	h := sha256.New()
	for _, field := range []string{
		auditDomain, string(previous[:]), strconv.FormatInt(r.seq, 10), strconv.FormatInt(r.at, 10),
		r.actor, r.key, r.address, r.action, r.account, r.target, r.details,
	} {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field)))) // a hash never fails
		_, _ = io.WriteString(h, field)
	}
	h.Sum(sum[:0])
	return sum
}

func (r *auditRow) entry() (elumenta.AuditEntry, error) {
	e := elumenta.AuditEntry{
		Seq: r.seq, At: fromMicros(r.at), Actor: r.actor, Key: elumenta.KeyID(r.key), Address: r.address, Action: elumenta.AuditAction(r.action),
		Account: elumenta.AccountID(r.account), Target: r.target,
	}
	copy(e.Hash[:], r.hash)
	return e, json.Unmarshal([]byte(r.details), &e.Details)
}

// auditDetails are what an audit entry says beside who did what to what. A reason that was not given is left out.
type auditDetails map[string]any

func (d auditDetails) because(reason string) auditDetails {
	if reason != "" {
		d["reason"] = reason
	}
	return d
}

// auditRecords are entries that a transaction will append to the trail, without what the trail's end gives them.
type auditRecords []auditRow

type auditRecordsKey struct{}

// record has an entry appended to the audit trail in the transaction of the change that it records, so that neither is ever without the
// other. The context, which is Store.write's, says who acts. The entry is written last: the trail's end stays locked until the transaction
// ends, and whoever has it may not wait for another one.
func (s *Store) record(ctx context.Context, action elumenta.AuditAction, account elumenta.AccountID, target string, d auditDetails) error {
	records, ok := ctx.Value(auditRecordsKey{}).(*auditRecords)
	if !ok {
		return errors.New("an audit entry without a transaction that would write it")
	}
	if d == nil {
		d = auditDetails{}
	}
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	who := elumenta.ActorOf(ctx)
	r := auditRow{actor: who.String(), key: string(who.Key), action: string(action), account: string(account), target: target, details: string(text)}
	if who.Address.IsValid() {
		r.address = who.Address.String()
	}
	*records = append(*records, r)
	return nil
}

// recording runs f in a transaction, and then appends what it recorded.
func (s *Store) recording(ctx context.Context, tx querier, f func(ctx context.Context, tx querier) error) error {
	var records auditRecords
	if err := f(context.WithValue(ctx, auditRecordsKey{}, &records), tx); err != nil || len(records) == 0 {
		return err
	}
	head, err := lockAuditHead(ctx, tx)
	if err != nil {
		return err
	}
	for _, r := range records {
		r.seq, r.at = head.Seq+1, micros(s.now())
		head = elumenta.AuditHead{Seq: r.seq, Hash: r.chain(head.Hash)}
		if _, err := tx.ExecContext(ctx, `INSERT INTO audit_entries (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			r.seq, r.at, r.actor, r.key, r.address, r.action, r.account, r.target, r.details, head.Hash[:]); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE settings SET value = $1 WHERE name = 'audit_head'`, headValue(head))
	return err
}

// lockAuditHead reads the end of the trail, and lets nobody else append until the transaction ends.
func lockAuditHead(ctx context.Context, tx querier) (elumenta.AuditHead, error) {
	var value []byte
	if err := tx.QueryRowContext(ctx, `INSERT INTO settings (name, value) VALUES ('audit_head', $1)
		ON CONFLICT (name) DO UPDATE SET value = settings.value RETURNING value`, headValue(elumenta.AuditHead{})).Scan(&value); err != nil {
		return elumenta.AuditHead{}, err
	}
	return parseHead(value)
}

// headValue is a head as it is stored: its number in 8 bytes, most significant first, and its hash.
func headValue(h elumenta.AuditHead) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(h.Seq)), h.Hash[:]...)
}

func parseHead(value []byte) (h elumenta.AuditHead, err error) {
	if len(value) != 8+len(h.Hash) {
		return h, fmt.Errorf("the end of the audit trail is stored in %d bytes", len(value))
	}
	h.Seq = int64(binary.BigEndian.Uint64(value))
	copy(h.Hash[:], value[8:])
	return h, nil
}

// AuditTrail lists entries, newest first.
func (s *Store) AuditTrail(ctx context.Context, query elumenta.AuditQuery) (items []elumenta.AuditEntry, more bool, err error) {
	before := query.Before
	if before == 0 {
		before = math.MaxInt64
	}
	filter, args := "", []any{before, query.Limit + 1}
	if query.Account != "" {
		args = append(args, string(query.Account))
		filter += fmt.Sprintf(` AND account_id = $%d`, len(args))
	}
	if query.Action != "" {
		args = append(args, string(query.Action))
		filter += fmt.Sprintf(` AND action = $%d`, len(args))
	}
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		items = nil
		return eachAudit(ctx, q, `WHERE seq < $1`+filter+` ORDER BY seq DESC LIMIT $2`, args, func(r *auditRow) error {
			e, err := r.entry()
			items = append(items, e)
			return err
		})
	})
	items, more = page(items, query.Limit)
	return items, more, err
}

func eachAudit(ctx context.Context, q querier, where string, args []any, f func(*auditRow) error) error {
	rows, err := q.QueryContext(ctx, `SELECT `+auditColumns+` FROM audit_entries `+where, args...)
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var r auditRow
		if err := rows.Scan(r.fields()...); err != nil {
			return err
		}
		return f(&r)
	})
}

// VerifyAudit walks the whole audit trail and returns its end. *elumenta.AuditBrokenError names the first entry that is
// not as it was written: changed, removed, moved or put in. Heads that were kept elsewhere must be in the chain: that
// shows a trail whose last entries were removed, or that was written anew. Entries may be appended meanwhile.
func (s *Store) VerifyAudit(ctx context.Context, kept ...elumenta.AuditHead) (elumenta.AuditHead, error) {
	stored, err := s.auditHead(ctx)
	if err != nil {
		return elumenta.AuditHead{}, err
	}
	w := auditWalk{known: append(kept, stored)}
	for {
		before := w.head.Seq
		if err := s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
			return eachAudit(ctx, q, `WHERE seq > $1 ORDER BY seq LIMIT $2`, []any{w.head.Seq, auditPage}, w.step)
		}); err != nil {
			return w.head, err
		}
		if w.broken != nil {
			return w.head, w.broken
		}
		if w.head.Seq == before {
			break
		}
	}
	if stored, err = s.auditHead(ctx); err != nil {
		return w.head, err
	}
	if broken := w.end(stored); broken != nil {
		return w.head, broken
	}
	return w.head, nil
}

// auditHead is the end of the trail as the last append left it.
func (s *Store) auditHead(ctx context.Context) (h elumenta.AuditHead, err error) {
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		var value []byte
		err := q.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'audit_head'`).Scan(&value)
		if errors.Is(err, sql.ErrNoRows) {
			h = elumenta.AuditHead{} // nothing was recorded yet
			return nil
		}
		if err != nil {
			return err
		}
		h, err = parseHead(value)
		return err
	})
	return h, err
}

// auditWalk goes along the trail from its beginning.
type auditWalk struct {
	head   elumenta.AuditHead   // of what was walked
	known  []elumenta.AuditHead // that the trail must have
	broken *elumenta.AuditBrokenError
}

// step takes the next row. Once the trail is broken it takes nothing more.
func (w *auditWalk) step(r *auditRow) error {
	if w.broken != nil {
		return nil //nolint:nilerr // a finding, not a failure
	}
	want := w.head.Seq + 1
	next := elumenta.AuditHead{Seq: r.seq, Hash: r.chain(w.head.Hash)}
	switch {
	case r.seq != want:
		w.broken = &elumenta.AuditBrokenError{Seq: want, Reason: "it is missing"}
	case !bytes.Equal(r.hash, next.Hash[:]):
		w.broken = &elumenta.AuditBrokenError{Seq: want, Reason: "its hash does not fit it and the entries before it"}
	default:
		w.head = next
		w.broken = w.check()
	}
	return nil
}

// check compares the entry at which the walk stands with what is known of it.
func (w *auditWalk) check() *elumenta.AuditBrokenError {
	for _, k := range w.known {
		if k.Seq == w.head.Seq && k.Hash != w.head.Hash {
			return &elumenta.AuditBrokenError{Seq: k.Seq, Reason: "it, or an entry before it, is not the one whose hash was kept"}
		}
	}
	return nil
}

// end says whether the trail ends too early, or goes on behind what the last append left.
func (w *auditWalk) end(stored elumenta.AuditHead) *elumenta.AuditBrokenError {
	for _, k := range w.known {
		if k.Seq > w.head.Seq {
			return &elumenta.AuditBrokenError{Seq: w.head.Seq + 1, Reason: fmt.Sprintf("it is missing: there were %d entries", k.Seq)}
		}
	}
	if stored.Seq < w.head.Seq {
		return &elumenta.AuditBrokenError{Seq: stored.Seq + 1, Reason: "it was not appended by the server"}
	}
	return nil
}
