package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// Verified fails unless a store's verification finds nothing, and returns what it checked.
func Verified(t testing.TB, s *store.Store) *store.Verification {
	t.Helper()
	v, err := s.Verify(context.Background(), store.VerifyOptions{}) // also when a test has ended
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	for _, d := range v.Differences {
		t.Errorf("verify: %s %s: %s", d.Account, d.About, d.Message)
	}
	if v.Found != int64(len(v.Differences)) && v.Found <= store.MaxDifferences {
		t.Errorf("verify: %d differences of which %d are listed", v.Found, len(v.Differences))
	}
	return v
}

// ledgerHistory is a database in which each kind of thing has happened.
type ledgerHistory struct {
	*bench
	account, other, unlimited      *payer
	open, charged, back, corrected elumenta.GenerationID
	expired                        elumenta.GenerationID // given back when its month had ended
	early                          elumenta.GenerationID // charged in the month before the others
	since                          time.Time             // lies between these and the others
	key                            elumenta.KeyID        // has a budget
}

func newLedgerHistory(t *testing.T, url string) *ledgerHistory {
	t.Helper()
	h := &ledgerHistory{bench: newBench(t, url)}
	ctx := t.Context()
	h.other, h.unlimited = h.payer("free"), h.payer("unlimited")
	h.account = h.payer("basic").limited(elumenta.KeyLimits{Budget: new(int64(1000))})
	h.key = h.account.key.ID
	h.since = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	h.expired, h.early = h.account.reserveAt(h.since.Add(-time.Hour), 9), h.account.reserveAt(h.since.Add(-time.Minute), 2)
	h.account.settle(h.early, elumenta.Charged)
	h.clock.Set(h.clock.Now().AddDate(0, 1, 0))
	h.account.settle(h.expired, elumenta.GivenBack)
	_, _, err := h.Topup(ctx, h.account.account, elumenta.Topup{Tokens: 20})
	wantOK(t, err)
	r := h.account.reservation(4)
	r.Idempotency = h.InstallationSecret().Idempotency(r.Account, "generate", "once", nil)
	_, err = h.Reserve(ctx, r)
	wantOK(t, err)
	h.charged, h.back, h.corrected = r.Generation, h.account.reserve(5), h.account.reserve(300)
	h.open = h.account.reserve(7)
	h.account.settle(h.charged, elumenta.Charged)
	h.account.settle(h.back, elumenta.GivenBack)
	h.account.settle(h.corrected, elumenta.Charged)
	h.account.correct(h.corrected)
	h.unlimited.settle(h.unlimited.reserve(39), elumenta.Charged)
	h.awaitRollups()
	h.other.settle(h.other.reserve(3), elumenta.Charged) // noted, and perhaps not yet rolled up
	wantOK(t, h.Close())
	h.Store = OpenWith(t, store.Options{URL: url, Plans: ledgerPlans(), Now: h.clock.Now})
	return h
}

// reserveAt reserves for a generation whose id was made at a moment.
func (p *payer) reserveAt(at time.Time, price int64) elumenta.GenerationID {
	p.b.Helper()
	r := p.reservation(price)
	r.Generation = elumenta.FirstGenerationID(at)
	_, err := p.b.Reserve(p.b.Context(), r)
	wantOK(p.b, err)
	return r.Generation
}

// awaitRollups waits until the rollups of usage have all that was noted.
func (h *ledgerHistory) awaitRollups() {
	h.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		var notes int
		wantOK(h, h.db.QueryRowContext(h.Context(), `SELECT COUNT(*) FROM usage_notes`).Scan(&notes))
		if notes == 0 {
			return
		}
		select {
		case <-h.Context().Done():
			h.Fatal("usage is not rolled up")
		case <-ticker.C:
		}
	}
}

// tampered is a change behind the store's back, and how a verification must call it.
type tampered struct {
	name    string
	sql     []string
	account elumenta.AccountID
	about   string
	message string
}

// testVerify tampers with each kind of row.
func testVerify(t *testing.T, url string) {
	h := newLedgerHistory(t, url)
	v := Verified(t, h.Store)
	counts := fmt.Sprint(v.Accounts, v.Entries, v.Generations, v.Keys, v.IdempotencyKeys)
	// Of the account: 3 grants or top-ups, 2 that expire, 6 reserves, 3 settles, 2 give backs and a correction.
	if counts != "3 20 8 4 1" || v.AuditHead.Seq < 7 || !v.RecordsSince.IsZero() {
		t.Errorf("checked %s; audit head %+v", counts, v.AuditHead)
	}
	tables := []string{"accounts", "keys", "generations", "ledger_entries", "idempotency_keys", "usage_pending", "usage_daily", "audit_entries"}
	for _, table := range tables {
		h.exec(fmt.Sprintf(`CREATE TABLE kept_%s AS SELECT * FROM %s`, table, table))
	}
	restore := func(changedBy string) {
		var texts []string
		for _, table := range tables {
			if strings.Contains(changedBy, table) {
				texts = append(texts, `DELETE FROM `+table, fmt.Sprintf(`INSERT INTO %s SELECT * FROM kept_%s`, table, table))
			}
		}
		h.exec(texts...)
	}
	tamper := func(cases []tampered) {
		for _, c := range cases {
			h.exec(c.sql...)
			found, err := h.Verify(t.Context(), store.VerifyOptions{AuditHeads: []elumenta.AuditHead{v.AuditHead}})
			wantOK(t, err)
			if !names(found, &c) {
				t.Errorf("%s is not named: %+v", c.name, found.Differences)
			}
			restore(strings.Join(c.sql, " "))
		}
	}
	tamper(h.tampering())
	h.tamperMuch()
	restore("generations")
	Verified(t, h.Store)

	retired := fmt.Sprintf(`DELETE FROM generations WHERE id < '%s'`, elumenta.FirstGenerationID(h.since))
	h.exec(retired, strings.Replace(retired, "generations", "kept_generations", 1))
	_, err := h.db.ExecContext(t.Context(), `INSERT INTO settings (name, value) VALUES ('records_since', $1)`, []byte(strconv.FormatInt(h.since.UnixMicro(), 10)))
	wantOK(t, err)
	if v := Verified(t, h.Store); !v.RecordsSince.Equal(h.since) || v.Generations != 6 {
		t.Errorf("records are kept since %v; %d generations", v.RecordsSince, v.Generations)
	}
	tamper(h.tamperingRetired())
}

// tamperingRetired is what shows though single records are kept for a time only.
func (h *ledgerHistory) tamperingRetired() []tampered {
	a := h.account.account
	ofAccount := ` account_id = '` + string(a) + `' AND `
	usage := `UPDATE usage_daily SET tokens_spent = tokens_spent - 1 WHERE` + ofAccount + `value = '`
	early := ofAccount + `generation_id = '` + string(h.early) + `' AND kind = 'settle'`
	day := h.since.Unix()/(24*60*60) - 1
	return []tampered{
		{"an early settle changed", []string{`UPDATE ledger_entries SET monthly = 1 WHERE` + early}, a, string(h.early), "is a settle of 1 of the plan"},
		{"an early settle of another", []string{`UPDATE ledger_entries SET generation_id = '` + string(h.expired) + `' WHERE` + early}, a, string(h.expired), "is a settle of 2 of the plan"},
		{"early usage changed", []string{usage + string(h.key) + fmt.Sprintf(`' AND day = %d`, day)}, a, "usage", "by key: 2 requests, 1 failures, 1 tokens before records are kept"},
		{"all early usage changed", []string{fmt.Sprintf(`UPDATE usage_daily SET tokens_spent = tokens_spent - 1 WHERE day = %d`, day)}, a, "usage", "1 tokens were spent before records are kept, and the journal says 2"},
		{"a key's spending lowered", []string{`UPDATE keys SET spent = 10 WHERE id = '` + string(h.key) + `'`}, a, string(h.key), "the key counts 10"},
		{"a later generation removed", []string{`DELETE FROM generations WHERE id = '` + string(h.charged) + `'`}, a, string(h.charged), "no such generation"},
	}
}

// exec runs statements in one transaction. An UPDATE must change something.
func (h *ledgerHistory) exec(texts ...string) {
	h.Helper()
	tx, err := h.db.BeginTx(h.Context(), nil)
	wantOK(h, err)
	defer func() { _ = tx.Rollback() }()
	for _, text := range texts {
		result, err := tx.ExecContext(h.Context(), text)
		if err != nil {
			h.Fatalf("%v: %s", err, text)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 && strings.HasPrefix(text, "UPDATE") {
			h.Fatalf("changes nothing: %v: %s", err, text)
		}
	}
	wantOK(h, tx.Commit())
}

func names(v *store.Verification, c *tampered) bool {
	for _, d := range v.Differences {
		if d.Account == c.account && d.About == c.about && strings.Contains(d.Message, c.message) {
			return true
		}
	}
	return false
}

// tamperMuch makes more differences than are listed.
func (h *ledgerHistory) tamperMuch() {
	h.Helper()
	const more = 20
	var copies []string
	for range store.MaxDifferences + more {
		copies = append(copies, h.copyOf(h.charged, elumenta.NewGenerationID()))
	}
	h.exec(copies...)
	v, err := h.Verify(h.Context(), store.VerifyOptions{})
	wantOK(h, err)
	if len(v.Differences) != store.MaxDifferences || v.Found < store.MaxDifferences+more {
		h.Errorf("%d differences, %d listed", v.Found, len(v.Differences))
	}
}

// copyOf inserts a generation like another.
func (h *ledgerHistory) copyOf(id, as elumenta.GenerationID) string {
	h.Helper()
	rows, err := h.db.QueryContext(h.Context(), `SELECT * FROM generations LIMIT 0`)
	wantOK(h, err)
	columns, err := rows.Columns()
	wantOK(h, errors.Join(err, rows.Err(), rows.Close()))
	list := strings.Join(columns, ", ")
	return fmt.Sprintf(`INSERT INTO generations (%s) SELECT %s FROM generations WHERE id = '%s'`,
		list, strings.Replace(list, " id,", " '"+string(as)+"',", 1), id)
}

// tampering lists what is done to the first account, and to others' rows.
func (h *ledgerHistory) tampering() []tampered {
	a, stranger := h.account.account, elumenta.NewGenerationID()
	set := func(table, change, where string) string {
		return `UPDATE ` + table + ` SET ` + change + ` WHERE ` + where
	}
	account := `id = '` + string(a) + `'`
	entry := func(change string, where string) string {
		return set("ledger_entries", change, `account_id = '`+string(a)+`' AND `+where)
	}
	generation := func(id elumenta.GenerationID, change string) string {
		return set("generations", change, `id = '`+string(id)+`'`)
	}
	of := func(id elumenta.GenerationID, kind string) string {
		return `generation_id = '` + string(id) + `' AND kind = '` + kind + `'`
	}
	appended := func(kind, source, destination string, monthly int, id elumenta.GenerationID) []string {
		name := "NULL"
		if id != "" {
			name = "'" + string(id) + "'"
		}
		return []string{
			set("accounts", "entries = entries + 1", account),
			fmt.Sprintf(`INSERT INTO ledger_entries (account_id, seq, kind, source, destination, monthly, topup, generation_id, at)
				SELECT id, entries, '%s', '%s', '%s', %d, 0, %s, 0 FROM accounts WHERE %s`, kind, source, destination, monthly, name, account),
		}
	}
	cases := []tampered{
		{"an entry removed", []string{`DELETE FROM ledger_entries WHERE seq = 2 AND account_id = '` + string(a) + `'`}, a, "entry 2", "it is missing"},
		{"several entries removed", []string{`DELETE FROM ledger_entries WHERE seq IN (2, 3, 4) AND account_id = '` + string(a) + `'`}, a, "entry 2", "up to 4 are missing"},
		{"the newest entry removed", []string{`DELETE FROM ledger_entries WHERE ` + of(h.corrected, "correction")}, a, "entries", "and the account says"},
		{"a grant raised", []string{entry("monthly = monthly + 1", "seq = 1")}, a, "balance", "the journal says"},
		{"a settle raised", []string{entry("monthly = monthly + 1", of(h.charged, "settle"))}, a, string(h.charged), "is a settle of 5 of the plan"},
		{"a settle and its reserve raised", []string{
			entry("monthly = monthly + 1", `generation_id = '`+string(h.charged)+`'`), set("accounts", "monthly = monthly - 1", account),
		}, a, string(h.charged), "its entries say otherwise"},
		{"tokens moved from one part to the other", []string{entry("monthly = 3, topup = 1", of(h.charged, "reserve")+" AND monthly = 4")}, a, string(h.charged), "3 of the plan and 1 topped up are reserved"},
		{"a balance raised", []string{set("accounts", "monthly = monthly + 1", account)}, a, "balance", "the account"},
		{"a topped up balance raised", []string{set("accounts", "topup = topup + 1", account)}, a, "balance", "the account"},
		{"entries miscounted", []string{set("accounts", "entries = entries + 1", account)}, a, "entries", "and the account says"},
		{"open generations miscounted", []string{set("accounts", "open_generations = 0", account)}, a, "open generations", "there are 1, and the account counts 0"},
		{"a kind changed", []string{entry("kind = 'topup'", "seq = 1")}, a, "entry 1", "a topup moves tokens from topped_up to available, not from granted"},
		{"a kind that there is not", []string{entry("kind = 'gift'", "seq = 1")}, a, "entry 1", `no kind "gift"`},
		{"a place changed", []string{entry("destination = 'expired'", of(h.charged, "settle"))}, a, entryOf(h.account, of(h.charged, "settle")), "not from reserved to expired"},
		{"an entry of another generation", []string{entry("generation_id = '"+string(h.back)+"'", of(h.charged, "settle"))}, a, string(h.charged), "1 reserve, 1 settle, and are 1 reserve"},
		{"entries of a stranger", []string{entry("generation_id = '"+string(stranger)+"'", "generation_id = '"+string(h.charged)+"'")}, a, string(stranger), "no such generation"},
		{"an entry of no generation", []string{entry("generation_id = NULL", of(h.charged, "settle"))}, a, entryOf(h.account, of(h.charged, "settle")), "must name its generation"},
		{"a grant of a generation", []string{entry("generation_id = '"+string(h.charged)+"'", "seq = 1")}, a, "entry 1", "a grant is of no generation"},
		{"an expiry changed", []string{entry("monthly = monthly + 1", of(h.expired, "expire"))}, a, entryOf(h.account, of(h.expired, "expire")), "did not return"},
		{"settled twice", appended("settle", "reserved", "spent", 4, h.charged), a, string(h.charged), "no reserve stands"},
		{"reserved again", appended("reserve", "available", "reserved", 7, h.open), a, string(h.open), "once more"},
		{"corrected while open", appended("correction", "spent", "available", 7, h.open), a, string(h.open), "before it was settled"},
		{"corrected twice", appended("correction", "spent", "available", 300, h.corrected), a, string(h.corrected), "2 correction"},
		{"charged twice", append(appended("reserve", "available", "reserved", 4, h.charged), appended("settle", "reserved", "spent", 4, h.charged)...),
			a, string(h.charged), "are 2 reserve, 2 settle"},
		{"below zero in between", append(appended("grant", "granted", "available", 299, ""), entry("monthly = 1", "seq = 1")), a, "entry 2", "leaves the balance at -8"},
		{"a generation removed", []string{`DELETE FROM generations WHERE id = '` + string(h.charged) + `'`}, a, string(h.charged), "no such generation"},
		{"a generation put in", []string{h.copyOf(h.charged, stranger)}, a, string(stranger), "must be 1 reserve, 1 settle, and are none"},
		{"a charge made undone", []string{generation(h.charged, "state = 2")}, a, string(h.charged), "is given back"},
		{"a charge made of what was given back", []string{generation(h.back, "state = 1")}, a, string(h.back), "is charged"},
		{"a correction forgotten", []string{generation(h.corrected, "corrected = 0")}, a, string(h.corrected), "must be 1 reserve, 1 give_back, and are 1 reserve, 1 settle, 1 correction"},
		{"a correction of a charge", []string{generation(h.charged, "corrected = 1")}, a, string(h.charged), "corrected, and not given back"},
		{"an open one closed", []string{generation(h.open, "state = 1")}, a, "reserved", "the open generations 0 of the plan"},
		{"a price changed", []string{generation(h.charged, "price = price + 1")}, a, string(h.charged), "for a price of 5"},
		{"what was taken changed", []string{generation(h.charged, "price = 5, taken_monthly = 5")}, a, string(h.charged), "its entries say otherwise"},
		{"an unlimited price changed", []string{set("generations", "price = 40", "price = 39")}, h.unlimited.account, "usage", "39 tokens, and the generations say 1 requests, 0 failures, 40 tokens"},
		{"a key's spending changed", []string{set("keys", "spent = spent - 1", "id = '"+string(h.key)+"'")}, a, string(h.key), "the key counts 12"},
		{"an Idempotency-Key of a stranger", []string{set("idempotency_keys", "resource_id = '"+string(stranger)+"'", "call = 'generate'")}, a, string(stranger), "an Idempotency-Key names it"},
		{"an Idempotency-Key of what was given back", []string{set("idempotency_keys", "resource_id = '"+string(h.back)+"'", "call = 'generate'")}, a, string(h.back), "and it is not"},
		{"an Idempotency-Key of another price", []string{set("idempotency_keys", "tokens_spent = 5", "call = 'generate'")}, a, string(h.charged), "says that it cost 5"},
		{"an Idempotency-Key that runs", []string{set("idempotency_keys", "state = 0", "call = 'generate'")}, a, string(h.charged), "says that it is running"},
		{"usage changed", []string{set("usage_daily", "tokens_spent = tokens_spent + 1", "account_id = '"+string(a)+"' AND dimension = 'key'")}, a, "usage", "by key"},
		{"requests changed", []string{set("usage_daily", "requests = requests + 1", "account_id = '"+string(a)+"' AND dimension = 'model'")}, a, "usage", "by model"},
		{"everyone's usage changed", []string{set("usage_daily", "failures = failures + 1", "account_id = '' AND dimension = 'account'")}, "", "usage", "of everyone by account"},
		{"noted twice", []string{`INSERT INTO usage_pending (account_id, generation_id, correction) VALUES ('` + string(a) + `', '` + string(h.charged) + `', 0)`}, a, "usage", "by version"},
		{"a note of a stranger", []string{`INSERT INTO usage_pending (account_id, generation_id, correction) VALUES ('` + string(a) + `', '` + string(stranger) + `', 0)`}, a, "usage", "not there"},
		{"an account removed", []string{`DELETE FROM accounts WHERE ` + account}, a, "account", "no such account"},
		{"the audit trail changed", []string{set("audit_entries", "actor = 'somebody'", "seq = 2")}, "", "audit trail", "2"},
		{"an audit entry removed", []string{`DELETE FROM audit_entries WHERE seq = 3`}, "", "audit trail", "3"},
		{"the newest audit entry removed", []string{`DELETE FROM audit_entries WHERE seq = (SELECT MAX(seq) FROM audit_entries)`}, "", "audit trail", "missing"},
	}
	return cases
}

// entryOf is the name of the account's entry of a condition.
func entryOf(p *payer, where string) string {
	p.b.Helper()
	var seq int64
	wantOK(p.b, p.b.db.QueryRowContext(p.b.Context(), `SELECT seq FROM ledger_entries WHERE account_id = $1 AND `+where, string(p.account)).Scan(&seq))
	return fmt.Sprintf("entry %d", seq)
}
