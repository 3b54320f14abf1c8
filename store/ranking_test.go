package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// use has an account generate with an assistant, and the generation added up.
func (u *user) use(t *testing.T, assistant int, times int, url string) {
	t.Helper()
	for range times {
		u.generate(time.Now(), 0, assistant, "m", 0, elumenta.Outcome{State: elumenta.Charged})
	}
	follow(t, u.s, url)
}

// TestPopular ranks by accounts: one that calls in a loop counts once, and so does nobody's own use or a failure.
func TestPopular(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		t.Parallel()
		s := openFollowed(t, url)
		a := newAuthor(t, s)
		order := func() []elumenta.AssistantID {
			t.Helper()
			if err := s.Rank(t.Context()); err != nil {
				t.Fatal(err)
			}
			var ids []elumenta.AssistantID
			for _, l := range all(t, s, elumenta.ListingQuery{Limit: 1}) {
				ids = append(ids, l.ID)
			}
			return ids
		}
		expect := func(what string, want ...elumenta.AssistantID) {
			t.Helper()
			if got := order(); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		first, second := a.ids[1], a.ids[2]
		expect("nobody used any", second, first)
		own := newUser(t, s, a)
		own.base.Account = a.id
		one, two := newUser(t, s, a), newUser(t, s, a)
		one.generate(time.Now(), 0, 1, "m", 0, elumenta.Outcome{State: elumenta.GivenBack, Error: elumenta.CodeProvider})
		follow(t, s, url)
		expect("a failure", second, first)
		one.use(t, 1, 1, url)
		expect("one account used the first", first, second)
		two.use(t, 2, 20, url)
		expect("another one used the second in a loop", second, first) // as many accounts: the newer one
		one.use(t, 2, 1, url)
		one.use(t, 1, 30, url)
		expect("two accounts used the second", second, first)
		two.use(t, 1, 1, url)
		newUser(t, s, a).use(t, 1, 1, url)
		expect("three accounts used the first", first, second)
		third, _, err := s.CreateAssistant(t.Context(), a.id, storetest.Fields("new"), elumenta.Marketplace, nil)
		if err != nil {
			t.Fatal(err)
		}
		fourth, _, err := s.CreateAssistant(t.Context(), a.id, storetest.Fields("newer"), elumenta.Marketplace, nil)
		if err != nil {
			t.Fatal(err)
		}
		expect("published since", first, second, fourth.ID, third.ID)
		if got := all(t, s, elumenta.ListingQuery{Text: "a", Limit: 1}); len(got) != 4 || got[0].ID != first || got[1].ID != second {
			t.Errorf("searched: %v", names(got)) // both are named a, the others have the word in their description
		}
	})
}

// TestPopularOwn: authors cannot push their own.
func TestPopularOwn(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		t.Parallel()
		s := openFollowed(t, url)
		a := newAuthor(t, s)
		u := newUser(t, s, a)
		made, _, err := s.CreateAssistant(t.Context(), u.base.Account, storetest.Fields("own"), elumenta.Marketplace, nil)
		if err != nil {
			t.Fatal(err)
		}
		a.ids = append(a.ids, made.ID)
		newUser(t, s, a).use(t, 1, 1, url)
		u.use(t, 3, 5, url)
		if err := s.Rank(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := all(t, s, elumenta.ListingQuery{Limit: 2}); got[0].ID != a.ids[1] || got[1].ID != made.ID {
			t.Errorf("the order is %v", names(got))
		}
	})
}

// TestRankingKept pages by the ranking that a list was begun with, for an hour.
func TestRankingKept(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		t.Parallel()
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		clock := func() time.Time { return now }
		s := storetest.OpenWith(t, store.Options{URL: url, Now: clock})
		db := storetest.Raw(t, url)
		author := storetest.Account(t, s, "pro")
		var ids []elumenta.AssistantID
		call := func(id elumenta.AssistantID, at time.Time) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), `INSERT INTO assistant_callers (assistant_id, account_id, day) VALUES ($1, $2, $3)`,
				string(id), string(elumenta.NewAccountID()), at.Unix()/86400); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			a, _, err := s.CreateAssistant(t.Context(), author, storetest.Fields("a"), elumenta.Marketplace, nil)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, a.ID)
		}
		rank := func() {
			t.Helper()
			if err := s.Rank(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		list := func(q elumenta.ListingQuery) []elumenta.AssistantID {
			t.Helper()
			var got []elumenta.AssistantID
			for _, l := range all(t, s, q) {
				got = append(got, l.ID)
			}
			return got
		}
		before, next, err := s.Listings(t.Context(), elumenta.ListingQuery{Limit: 1})
		if err != nil || before[0].ID != ids[2] {
			t.Fatalf("%v, %v", before, err)
		}
		call(ids[0], now)
		call(ids[0], now.AddDate(0, 0, -29))
		call(ids[1], now)
		rank()
		// A list that was begun without any ranking goes on so.
		if got := list(elumenta.ListingQuery{Limit: 5, After: next}); !slices.Equal(got, []elumenta.AssistantID{ids[1], ids[0]}) {
			t.Errorf("behind the first page: %v", got)
		}
		if got := list(elumenta.ListingQuery{Limit: 5}); !slices.Equal(got, []elumenta.AssistantID{ids[0], ids[1], ids[2]}) {
			t.Errorf("ranked: %v", got)
		}
		_, next, err = s.Listings(t.Context(), elumenta.ListingQuery{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(59 * time.Minute)
		call(ids[2], now)
		call(ids[2], now)
		call(ids[2], now)
		rank()
		if got := list(elumenta.ListingQuery{Limit: 5, After: next}); !slices.Equal(got, []elumenta.AssistantID{ids[1], ids[2]}) {
			t.Errorf("behind a page that an earlier ranking ordered: %v", got)
		}
		now = now.Add(2 * time.Minute)
		other := storetest.OpenWith(t, store.Options{URL: url, Now: clock}) // which has not read the ranking before
		for _, s := range []*store.Store{s, other} {
			for _, text := range []string{"", "a"} {
				if _, _, err := s.Listings(t.Context(), elumenta.ListingQuery{Text: text, Limit: 5, After: next}); !elumenta.HasCode(err, elumenta.CodeBadRequest) {
					t.Errorf("after an hour: %v", err)
				}
			}
		}
		// Who has not called for 30 days does not count any more.
		now = now.AddDate(0, 0, 5)
		rank()
		if got := list(elumenta.ListingQuery{Limit: 5}); !slices.Equal(got, []elumenta.AssistantID{ids[2], ids[1], ids[0]}) {
			t.Errorf("days later: %v", got)
		}
		var callers, rankings int
		if err := db.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM assistant_callers), (SELECT count(*) FROM rankings)`).Scan(&callers, &rankings); err != nil {
			t.Fatal(err)
		}
		if callers != 5 || rankings != 1 {
			t.Errorf("%d callers and %d rankings are kept", callers, rankings)
		}
		for _, position := range []string{"x", "1.2", "1.-1.3", "1.0.x", "9.0.1"} {
			if _, _, err := s.Listings(t.Context(), elumenta.ListingQuery{Limit: 5, After: position}); !elumenta.HasCode(err, elumenta.CodeBadRequest) {
				t.Errorf("behind %q: %v", position, err)
			}
		}
	})
}

// TestRankingDue: a server makes the first ranking at once, and no other one soon, whatever the nodes.
func TestRankingDue(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		t.Parallel()
		storetest.Open(t, url)
		db := storetest.Raw(t, url)
		await(t, db, 1, `SELECT count(*) FROM rankings`)
		if postgres(url) {
			storetest.Open(t, url)
		}
		s := storetest.OpenWith(t, store.Options{URL: url})
		for range 3 {
			if err := s.RankIfDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		await(t, db, 1, `SELECT count(*) FROM rankings`)
	})
}
