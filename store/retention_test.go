package store_test

import (
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// TestRetention removes the records of the first two of four days: not the one that is open, nor what the rollups do not
// have yet. Whole days stay what they were, and a part of a day is refused.
func TestRetention(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		var clock storetest.Clock
		clock.Set(time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)) // a day and an hour later is the next day
		s := storetest.OpenWith(t, store.Options{URL: url, Serve: postgres(url), Now: clock.Now})
		u := newUser(t, s, newAuthor(t, s))
		charged := elumenta.Outcome{State: elumenta.Charged, Latency: time.Second}
		for i := range 250 {
			u.generate(usageDays[i%4].Add(time.Hour), 0, 1, "m", 4, charged)
		}
		open := u.base
		open.Generation, open.Key, open.Model = idAt(usageDays[0].Add(time.Hour)), u.keys[0], "m"
		if _, err := s.Reserve(t.Context(), open); err != nil {
			t.Fatal(err)
		}
		claimed := s.InstallationSecret().Idempotency(u.base.Account, "generate", "k", nil)
		named := u.base
		named.Generation, named.Key, named.Model, named.Idempotency = idAt(usageDays[0].Add(time.Hour)), u.keys[0], "m", claimed
		if _, err := s.Reserve(t.Context(), named); err != nil {
			t.Fatal(err)
		}
		u.used = append(u.used, usedRecord{named, charged})
		u.settle(named.Generation, charged)
		follow(t, s, url)
		if since, err := s.RecordsSince(t.Context()); err != nil || !since.IsZero() {
			t.Fatalf("records are kept since %v, %v", since, err)
		}

		db := storetest.Raw(t, url)
		// Nobody follows on a store that is not a server; on Postgres the note may be gone by itself.
		u.generate(usageDays[0].Add(2*time.Hour), 0, 1, "m", 4, charged)
		if err := s.Retire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if since, err := s.RecordsSince(t.Context()); err != nil || !since.IsZero() {
			t.Fatalf("where all are kept, since %v, %v", since, err)
		}
		s.Reload(nil, elumenta.DeniedNames{}, 48*time.Hour, 0)
		if err := s.Retire(t.Context()); err != nil {
			t.Fatal(err)
		}
		var waits, left int
		count := func(into *int, query string, args ...any) {
			t.Helper()
			if err := db.QueryRowContext(t.Context(), query, args...).Scan(into); err != nil {
				t.Fatal(err)
			}
		}
		since := usageDays[2]
		count(&left, `SELECT count(*) FROM generations WHERE id < $1`, string(elumenta.FirstGenerationID(since)))
		count(&waits, `SELECT count(*) FROM usage_notes`)
		if want := 2 + waits; left != want && left != want+1 || !postgres(url) && waits != 1 {
			t.Errorf("%d records of the days that are not kept, %d notes", left, waits)
		}
		count(&left, `SELECT count(*) FROM generations WHERE id >= $1`, string(elumenta.FirstGenerationID(since)))
		if left != 124 {
			t.Errorf("%d records of the days that are kept, want 124", left)
		}
		if got, err := s.RecordsSince(t.Context()); err != nil || !got.Equal(since) {
			t.Fatalf("records are kept since %v, %v, want %v", got, err, since)
		}
		from, to := usageDays[0], usageDays[3].AddDate(0, 0, 1)
		u.check(from, to, elumenta.UsageByDay)
		u.check(since.Add(30*time.Minute), to, elumenta.UsageByDay)
		for _, span := range [][2]time.Time{{from.Add(time.Hour), to}, {from, since.Add(-time.Hour)}, {from.Add(time.Hour), from.Add(2 * time.Hour)}} {
			if _, _, err := s.Usage(t.Context(), u.base.Account, span[0], span[1], elumenta.UsageByDay); !elumenta.HasCode(err, elumenta.CodeValidation) {
				t.Errorf("from %v to %v: %v", span[0], span[1], err)
			}
		}

		// A day later the open one is settled, and the Idempotency-Key is forgotten.
		u.settle(open.Generation, charged)
		u.used = append(u.used, usedRecord{open, charged})
		follow(t, s, url)
		clock.Set(clock.Now().Add(25 * time.Hour))
		if err := s.Retire(t.Context()); err != nil {
			t.Fatal(err)
		}
		count(&left, `SELECT count(*) FROM generations`)
		if left != 62 {
			t.Errorf("%d records are left, want 62", left)
		}
		u.check(from, to, elumenta.UsageByModel)
	})
}
