package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// usageDays are the days on which the tests' generations are made: the last ones that have ended.
var usageDays = func() (days []time.Time) {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for n := range 4 {
		days = append(days, today.AddDate(0, 0, n-4))
	}
	return days
}()

func postgres(url string) bool { return strings.HasPrefix(url, "postgres") }

// openFollowed opens a store whose follower the test runs. On Postgres it is a server, since others may not reserve, and may
// follow besides.
func openFollowed(t *testing.T, url string) *store.Store {
	t.Helper()
	return storetest.OpenWith(t, store.Options{URL: url, Serve: postgres(url)})
}

// follow rolls up what was settled; on Postgres the server may be about to do some of it.
func follow(t *testing.T, s *store.Store, url string) {
	t.Helper()
	if err := s.FollowUsage(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, storetest.Raw(t, url), 0, `SELECT count(*) FROM usage_notes`)
}

// author publishes assistants that users of the tests generate with.
type author struct {
	id  elumenta.AccountID
	ids []elumenta.AssistantID // "" is none
}

func newAuthor(t *testing.T, s *store.Store) *author {
	t.Helper()
	a := &author{storetest.Account(t, s, "unlimited"), []elumenta.AssistantID{""}}
	for range 2 {
		made, _, err := s.CreateAssistant(t.Context(), a.id, storetest.Fields("a"), elumenta.Marketplace, nil)
		if err != nil {
			t.Fatal(err)
		}
		a.ids = append(a.ids, made.ID)
	}
	return a
}

// user is an account that generates with an author's assistants.
type user struct {
	t      rapid.TB
	s      *store.Store
	base   elumenta.Reservation
	author *author
	keys   []elumenta.KeyID
	used   []usedRecord
}

// usedRecord is what a test knows of a generation.
type usedRecord struct {
	r elumenta.Reservation
	o elumenta.Outcome
}

func newUser(t *testing.T, s *store.Store, a *author) *user {
	t.Helper()
	u := &user{t: t, s: s, author: a, base: elumenta.Reservation{Account: storetest.Account(t, s, "unlimited"), Lifetime: time.Hour}}
	for range 2 {
		secret := elumenta.NewKeySecret()
		if _, _, err := s.CreateKey(t.Context(), u.base.Account, elumenta.NewKey{Name: "k"}, secret, nil); err != nil {
			t.Fatal(err)
		}
		caller, err := s.Authenticate(t.Context(), secret.Hash())
		if err != nil {
			t.Fatal(err)
		}
		u.keys = append(u.keys, caller.Key.ID)
		u.base.AccountRevision, u.base.KeyRevision = caller.Account.Revision, caller.Key.Revision
	}
	return u
}

// idAt makes a generation's id as it would have been made at a moment.
func idAt(at time.Time) elumenta.GenerationID {
	const known = len("gen_") + 10 // the prefix and the milliseconds
	return elumenta.FirstGenerationID(at)[:known] + elumenta.NewGenerationID()[known:]
}

// generate reserves a generation as if at a moment, and settles it.
func (u *user) generate(at time.Time, key, assistant int, model string, price int64, o elumenta.Outcome) {
	u.t.Helper()
	r := u.base
	r.Generation, r.Key, r.Model, r.Price = idAt(at), u.keys[key], model, price
	if id := u.author.ids[assistant]; id != "" {
		snapshot, err := u.s.Resolve(context.Background(), r.Account, elumenta.AssistantRef{ID: id})
		if err != nil {
			u.t.Fatal(err)
		}
		r.Assistant, r.Version, r.Author, r.AssistantRevision = id, snapshot.Version, snapshot.Owner, snapshot.Revision
	}
	if _, err := u.s.Reserve(context.Background(), r); err != nil {
		u.t.Fatal(err)
	}
	u.used = append(u.used, usedRecord{r, o})
	u.settle(r.Generation, o)
}

func (u *user) settle(id elumenta.GenerationID, o elumenta.Outcome) {
	u.t.Helper()
	if _, err := u.s.Settle(context.Background(), u.base.Account, id, o); err != nil {
		u.t.Fatal(err)
	}
}

// correct gives a charged generation back whose client was told that it pays nothing.
func (u *user) correct(n int) {
	u.t.Helper()
	if r := &u.used[n]; r.o.State == elumenta.Charged {
		r.o.State = elumenta.GivenBack
		u.settle(r.r.Generation, elumenta.Outcome{State: elumenta.GivenBack, Correct: true, Error: elumenta.CodeUnavailable})
	}
}

// want is what the usage must be, from the records alone.
func (u *user) want(from, to time.Time, by elumenta.UsageGroup) (rows []elumenta.UsageRow, total elumenta.UsageRow) {
	groups := map[string][]usedRecord{}
	var all []usedRecord
	for _, r := range u.used {
		if r.r.Generation < elumenta.FirstGenerationID(from) || r.r.Generation >= elumenta.FirstGenerationID(to) {
			continue
		}
		group := ""
		switch by {
		case elumenta.UsageByDay:
			for _, day := range usageDays {
				if r.r.Generation >= elumenta.FirstGenerationID(day) {
					group = day.Format(time.DateOnly)
				}
			}
		case elumenta.UsageByKey:
			group = string(r.r.Key)
		case elumenta.UsageByModel:
			group = r.r.Model
		default:
			if group = string(r.r.Assistant); group == "" {
				group = elumenta.UsageNone
			} else if by == elumenta.UsageByVersion {
				group = fmt.Sprintf("%s@%d", group, r.r.Version)
			}
		}
		groups[group] = append(groups[group], r)
		all = append(all, r)
	}
	for group, records := range groups {
		rows = append(rows, sumOf(group, records))
	}
	slices.SortFunc(rows, func(a, b elumenta.UsageRow) int { return strings.Compare(a.Group, b.Group) })
	return rows, sumOf("", all)
}

func sumOf(group string, records []usedRecord) elumenta.UsageRow {
	row := elumenta.UsageRow{Group: group}
	var latencies []time.Duration
	for _, r := range records {
		row.Requests++
		row.PromptTokens += r.o.Usage.PromptTokens
		row.CachedTokens += r.o.Usage.CachedTokens
		row.CacheWriteTokens += r.o.Usage.CacheWriteTokens
		row.CompletionTokens += r.o.Usage.CompletionTokens
		latencies = append(latencies, r.o.Latency)
		if r.o.State == elumenta.GivenBack {
			row.Failures++
			continue
		}
		row.TokensSpent += r.r.Price
		if r.o.Usage.CachedTokens > 0 {
			row.CacheHits++
		}
		if r.o.CacheMiss {
			row.CacheMisses++
		}
	}
	slices.Sort(latencies)
	if n := len(latencies); n > 0 {
		row.LatencyP50, row.LatencyP95 = latencies[(n+1)/2-1], latencies[(n*95+99)/100-1]
	}
	return row
}

// check compares the usage of a user with what its records add up to.
func (u *user) check(from, to time.Time, by elumenta.UsageGroup) {
	u.t.Helper()
	rows, total, err := u.s.Usage(context.Background(), u.base.Account, from, to, by)
	if err != nil {
		u.t.Fatal(err)
	}
	wantRows, wantTotal := u.want(from, to, by)
	if diff := storetest.DiffUsage(append(wantRows, wantTotal), append(rows, total)); diff != "" {
		u.t.Fatalf("by %s from %v to %v (-want +got):\n%s", by, from, to, diff)
	}
}

// draw generates with what rapid draws.
func (u *user) draw(t *rapid.T) {
	moment := rapid.IntRange(0, 3).Draw(t, "day")
	at := usageDays[moment].Add(rapid.SampledFrom([]time.Duration{0, 6 * time.Hour, 12 * time.Hour, 24*time.Hour - time.Millisecond}).Draw(t, "at"))
	tokens := rapid.SampledFrom([]int64{0, 7, 1000})
	o := elumenta.Outcome{
		State:     rapid.SampledFrom([]elumenta.SettleState{elumenta.Charged, elumenta.GivenBack}).Draw(t, "state"),
		Usage:     elumenta.Usage{PromptTokens: tokens.Draw(t, "prompt"), CachedTokens: tokens.Draw(t, "cached"), CacheWriteTokens: tokens.Draw(t, "written"), CompletionTokens: 1},
		CacheMiss: rapid.Bool().Draw(t, "missed"),
		Latency:   time.Duration(rapid.Int64Range(0, 1e6).Draw(t, "latency")) * time.Microsecond,
	}
	u.generate(at, rapid.IntRange(0, 1).Draw(t, "key"), rapid.IntRange(0, 2).Draw(t, "assistant"), rapid.SampledFrom([]string{"m", "n"}).Draw(t, "model"),
		rapid.SampledFrom([]int64{0, 4}).Draw(t, "price"), o)
}

// TestUsageFollowed settles, corrects and follows in any order: usage is always what the records add up to.
func TestUsageFollowed(t *testing.T) {
	groups := []elumenta.UsageGroup{elumenta.UsageByDay, elumenta.UsageByAssistant, elumenta.UsageByVersion, elumenta.UsageByModel, elumenta.UsageByKey}
	eachEngine(t, func(t *testing.T, url string) {
		t.Parallel() // most of the time goes by waiting for the database
		s := openFollowed(t, url)
		a := newAuthor(t, s)
		var uses int64
		rapid.Check(t, func(rt *rapid.T) {
			u := newUser(t, s, a)
			u.t = rt
			for range rapid.IntRange(1, 10).Draw(rt, "steps") {
				switch rapid.SampledFrom([]string{"generate", "generate", "correct", "follow", "forget"}).Draw(rt, "step") {
				case "generate":
					u.draw(rt)
				case "correct":
					if n := len(u.used); n > 0 {
						u.correct(rapid.IntRange(0, n-1).Draw(rt, "which"))
					}
				case "forget":
					s.ForgetUsage()
				case "follow":
					if err := s.FollowUsage(t.Context()); err != nil {
						rt.Fatal(err)
					}
				}
			}
			hours := rapid.SampledFrom([]time.Duration{0, 6 * time.Hour, 7 * time.Hour})
			from := usageDays[rapid.IntRange(0, 3).Draw(rt, "from")].Add(hours.Draw(rt, "after"))
			to := usageDays[rapid.IntRange(0, 3).Draw(rt, "to")].Add(24*time.Hour - hours.Draw(rt, "before"))
			if from.Before(to) {
				u.check(from, to, rapid.SampledFrom(groups).Draw(rt, "by"))
			}
			for _, r := range u.used {
				if r.r.Assistant != "" && r.o.State == elumenta.Charged {
					uses++
				}
			}
		})
		follow(t, s, url)
		var counted int64
		for _, id := range a.ids[1:] {
			l, err := s.Listing(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			counted += l.Uses
		}
		if counted != uses || uses == 0 {
			t.Errorf("%d uses, want %d", counted, uses)
		}
	})
}

// TestUsageFollowers lets several nodes follow while another settles and corrects: each note counts once, and what all
// accounts used is the sum of what each did.
func TestUsageFollowers(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		t.Parallel() // most of the time goes by waiting for the database
		s := openFollowed(t, url)
		nodes := []*store.Store{s}
		if postgres(url) {
			nodes = append(nodes, openFollowed(t, url), openFollowed(t, url))
		}
		a := newAuthor(t, s)
		var settling, following sync.WaitGroup
		users := make([]*user, 8)
		for n := range users {
			u := newUser(t, s, a)
			users[n] = u
			settling.Go(func() {
				for i := range 40 {
					u.generate(usageDays[i%4].Add(time.Hour), i%2, i%3, "m", 4, elumenta.Outcome{State: elumenta.Charged, Latency: time.Duration(i) * time.Millisecond})
					if i%5 == 4 {
						u.correct(i - 2)
					}
				}
			})
		}
		settled := make(chan struct{})
		for _, node := range nodes {
			following.Go(func() {
				for {
					if err := node.FollowUsage(context.Background()); err != nil {
						t.Error(err, elumenta.AsError(err).Cause)
						return
					}
					select {
					case <-settled:
						return
					default:
					}
				}
			})
		}
		settling.Wait()
		close(settled)
		following.Wait()
		follow(t, s, url)
		from, to := usageDays[0], usageDays[3].AddDate(0, 0, 1)
		var all []usedRecord
		var byAccount []elumenta.UsageRow
		for _, u := range users {
			u.check(from, to, elumenta.UsageByAssistant)
			all = append(all, u.used...)
			byAccount = append(byAccount, sumOf(string(u.base.Account), u.used))
		}
		slices.SortFunc(byAccount, func(a, b elumenta.UsageRow) int { return strings.Compare(a.Group, b.Group) })
		for by, want := range map[elumenta.UsageGroup][]elumenta.UsageRow{
			elumenta.UsageByAccount: byAccount, elumenta.UsageByModel: {sumOf("m", all)},
		} {
			rows, total, err := s.UsageOfAll(t.Context(), from, to, by)
			if err != nil {
				t.Fatal(err)
			}
			if diff := storetest.DiffUsage(append(want, sumOf("", all)), append(rows, total)); diff != "" {
				t.Errorf("of everyone by %s (-want +got):\n%s", by, diff)
			}
		}
	})
}

// TestDamagedSketch damages a row of the rollups: its reader is told, and the follower goes on.
func TestDamagedSketch(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := openFollowed(t, url)
		u := newUser(t, s, newAuthor(t, s))
		charged := elumenta.Outcome{State: elumenta.Charged, Latency: time.Second}
		from, to := usageDays[0], usageDays[1]
		generate := func() {
			t.Helper()
			u.generate(from, 0, 1, "m", 4, charged)
			follow(t, s, url)
		}
		generate()
		db := storetest.Raw(t, url)
		damaged, err := db.ExecContext(t.Context(), `UPDATE usage_daily SET latency = $1`, []byte("damaged"))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := damaged.RowsAffected(); err != nil || n != 5 {
			t.Fatalf("%d rows, %v", n, err)
		}
		if _, _, err := s.Usage(context.Background(), u.base.Account, from, to, elumenta.UsageByDay); !elumenta.HasCode(err, elumenta.CodeInternal) {
			t.Errorf("its reader is told %v", err)
		}
		generate()
		u.check(from, to, elumenta.UsageByDay)
	})
}

// TestManyGroups has more versions of more assistants than an answer has groups.
func TestManyGroups(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := openFollowed(t, url)
		account := storetest.Account(t, s, "unlimited")
		const n = elumenta.MaxUsageGroups + 100
		if _, err := storetest.Raw(t, url).ExecContext(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
			INSERT INTO usage_daily (account_id, dimension, day, value, requests, failures, tokens_spent, prompt_tokens, cached_tokens,
				cache_write_tokens, completion_tokens, cache_hits, latency)
			SELECT $1, 'version', $2, 'asst_' || i || '@1', i, 0, 0, 0, 0, 0, 0, 0, $3 FROM n`,
			string(account), usageDays[0].Unix()/86400, []byte{}); err != nil {
			t.Fatal(err)
		}
		for _, by := range []elumenta.UsageGroup{elumenta.UsageByAssistant, elumenta.UsageByVersion} {
			rows, total, err := s.Usage(t.Context(), account, usageDays[0], usageDays[1], by)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) != elumenta.MaxUsageGroups+1 || total.Requests != n*(n+1)/2 {
				t.Fatalf("%d groups of %d requests", len(rows), total.Requests)
			}
			if rest := rows[elumenta.MaxUsageGroups]; rest.Group != elumenta.UsageOther || rest.Requests != 100*101/2 {
				t.Errorf("the rest is %+v", rest)
			}
		}
	})
}
