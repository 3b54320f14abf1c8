package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

func spam(comment string) elumenta.NewReport {
	return elumenta.NewReport{Reason: elumenta.ReportSpam, Comment: elumenta.Text(comment)}
}

func report(t *testing.T, s *store.Store, account elumenta.AccountID, id elumenta.AssistantID, n elumenta.NewReport) *elumenta.Report {
	t.Helper()
	r, _, err := s.ReportAssistant(t.Context(), account, id, n)
	wantOK(t, err)
	return r
}

// reports reads all of an assistant's reports, a page of two at a time.
func reports(t *testing.T, s *store.Store, id elumenta.AssistantID) (all []elumenta.Report) {
	t.Helper()
	var after elumenta.ReportPosition
	for more := true; more; {
		items, next, err := s.Reports(t.Context(), id, after, 2)
		wantOK(t, err)
		all, more = append(all, items...), next
		if more {
			after = items[len(items)-1].Position()
		}
	}
	return all
}

// reported reads the queue in a state, one at a time.
func reported(t *testing.T, s *store.Store, state elumenta.ReportState) (all []elumenta.ReportedAssistant) {
	t.Helper()
	var after elumenta.ReportPosition
	for more := true; more; {
		items, next, err := s.ReportedAssistants(t.Context(), elumenta.ReportQuery{State: state, After: after, Limit: 1})
		wantOK(t, err)
		all, more = append(all, items...), next
		if more {
			after = items[0].Position()
		}
	}
	return all
}

// testReports follows an account's report from the first word to the decision, and on.
func testReports(t *testing.T, url string) {
	c := &clock{at: time.Now()}
	s := OpenWith(t, store.Options{URL: url, Serve: true, Now: c.now})
	author, reader, suspended := Account(t, s, "pro"), Account(t, s, "free"), Account(t, s, "pro")
	a := create(t, s, author, Fields("bot"), elumenta.Marketplace)
	private := create(t, s, author, Fields("diary"), elumenta.Private)
	hidden := create(t, s, suspended, Fields("hidden"), elumenta.Marketplace)
	_, err := s.SetSuspended(t.Context(), suspended, true, "")
	wantOK(t, err)

	for _, id := range []elumenta.AssistantID{private.ID, hidden.ID, elumenta.NewAssistantID()} {
		_, _, err := s.ReportAssistant(t.Context(), reader, id, spam(""))
		want(t, err, elumenta.CodeNotFound)
	}
	_, _, err = s.ReportAssistant(t.Context(), author, a.ID, spam(""))
	want(t, err, elumenta.CodeForbidden)
	_, _, err = s.ReportAssistant(t.Context(), reader, a.ID, elumenta.NewReport{Reason: "boring"})
	want(t, err, elumenta.CodeValidation)
	_, _, err = s.ReportAssistant(t.Context(), elumenta.NewAccountID(), a.ID, spam(""))
	want(t, err, elumenta.CodeNotFound)

	first := report(t, s, reader, a.ID, spam("it sells"))
	if first.Version != 1 || first.State != elumenta.ReportOpen || first.CreatedAt.IsZero() || !first.DecidedAt.IsZero() {
		t.Fatalf("reported: %+v", first)
	}
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("other bot")})
	c.set(c.now().Add(time.Minute))
	second, replaced, err := s.ReportAssistant(t.Context(), reader, a.ID, elumenta.NewReport{Reason: elumenta.ReportHarmful})
	wantOK(t, err)
	if !replaced || second.Version != 2 || !second.CreatedAt.Equal(first.CreatedAt) {
		t.Fatalf("replaced %t: %+v", replaced, second)
	}
	if all := reports(t, s, a.ID); len(all) != 1 || !reflect.DeepEqual(all[0], *second) {
		t.Fatalf("stored %+v, want %+v", all, second)
	}

	want(t, s.DismissReports(t.Context(), elumenta.NewAssistantID(), ""), elumenta.CodeNotFound)
	want(t, s.DismissReports(t.Context(), private.ID, ""), elumenta.CodeNotFound)
	want(t, s.DismissReports(t.Context(), a.ID, "two\nlines"), elumenta.CodeValidation)
	wantOK(t, s.DismissReports(t.Context(), a.ID, "harmless"))
	want(t, s.DismissReports(t.Context(), a.ID, ""), elumenta.CodeNotFound)
	if all := reports(t, s, a.ID); all[0].State != elumenta.ReportDismissed || !all[0].DecidedAt.Equal(c.now().Truncate(time.Microsecond)) {
		t.Fatalf("dismissed: %+v", all)
	}
	// The same account has said what it has to say of this version.
	_, _, err = s.ReportAssistant(t.Context(), reader, a.ID, spam("again"))
	want(t, err, elumenta.CodeConflict)
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("worse bot")})
	_, replaced, err = s.ReportAssistant(t.Context(), reader, a.ID, spam("again"))
	wantOK(t, err)
	if all := reports(t, s, a.ID); replaced || len(all) != 2 || all[0].State != elumenta.ReportOpen || all[0].Version != 3 || !all[0].DecidedAt.IsZero() {
		t.Fatalf("reported again: %+v", all)
	}
	wantOK(t, s.DeleteAssistant(t.Context(), author, a.ID, 0))
	_, _, err = s.Reports(t.Context(), a.ID, elumenta.ReportPosition{}, 1)
	want(t, err, elumenta.CodeNotFound)
	if q := reported(t, s, elumenta.ReportOpen); len(q) != 0 {
		t.Fatalf("a deleted assistant waits: %+v", q)
	}
}

// testReportPinned reports what is not listed, but others may pin.
func testReportPinned(t *testing.T, url string) {
	s := Open(t, url)
	author, reader := Account(t, s, "pro"), Account(t, s, "free")
	h := history(elumenta.Private, 1, 2, 3)
	h.Versions[1].Public = true
	imported, _, err := s.ImportAssistant(t.Context(), author, h, nil)
	wantOK(t, err)
	unpublished := create(t, s, author, Fields("bot"), elumenta.Marketplace)
	update(t, s, unpublished, publish(elumenta.Private))
	for id, version := range map[elumenta.AssistantID]int{imported.ID: 2, unpublished.ID: 1} {
		if r := report(t, s, reader, id, spam("")); r.Version != version { // not how far the author's own versions are
			t.Errorf("reported version %d, want %d", r.Version, version)
		}
		wantOK(t, s.DismissReports(t.Context(), id, ""))
		_, _, err = s.ReportAssistant(t.Context(), reader, id, spam("again"))
		want(t, err, elumenta.CodeConflict)
	}
	wantOK(t, s.WithdrawVersion(t.Context(), author, imported.ID, 2))
	wantOK(t, s.Unpublish(t.Context(), unpublished.ID, "spam"))
	for _, id := range []elumenta.AssistantID{imported.ID, unpublished.ID} {
		_, _, err = s.ReportAssistant(t.Context(), Account(t, s, "free"), id, spam(""))
		want(t, err, elumenta.CodeNotFound)
	}
}

// testReportsDecided has an account report again what was decided on: the decisions stay.
func testReportsDecided(t *testing.T, url string) {
	c := &clock{at: time.Now()}
	s := OpenWith(t, store.Options{URL: url, Serve: true, Now: c.now})
	author, reader := Account(t, s, "pro"), Account(t, s, "free")
	a := create(t, s, author, Fields("bot"), elumenta.Marketplace) // version 1
	report(t, s, reader, a.ID, spam("first"))
	wantOK(t, s.Unpublish(t.Context(), a.ID, "spam"))
	wantOK(t, s.AllowAssistant(t.Context(), a.ID, ""))
	update(t, s, a, publish(elumenta.Marketplace)) // 4
	c.set(c.now().Add(time.Minute))
	report(t, s, reader, a.ID, spam("second"))
	wantOK(t, s.DismissReports(t.Context(), a.ID, ""))
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("worse bot")}) // 5
	c.set(c.now().Add(time.Minute))
	report(t, s, reader, a.ID, spam("third"))
	update(t, s, a, publish(elumenta.Private)) // 6
	wantOK(t, s.WithdrawVersion(t.Context(), author, a.ID, 5))
	// The newest that is public is now one that was decided on: the open report stays that of version 5.
	r, replaced, err := s.ReportAssistant(t.Context(), reader, a.ID, spam("fourth"))
	wantOK(t, err)
	if !replaced || r.Version != 5 {
		t.Errorf("replaced %t: %+v", replaced, r)
	}
	var got []string
	for _, r := range reports(t, s, a.ID) {
		got = append(got, fmt.Sprint(r.Version, " ", r.State, " ", string(r.Comment)))
	}
	if want := []string{"5 open fourth", "4 dismissed second", "1 upheld first"}; !slices.Equal(got, want) {
		t.Errorf("reports %q, want %q", got, want)
	}
	for _, state := range elumenta.ReportStates() {
		if q := reported(t, s, state); len(q) != 1 || q[0].Reports[elumenta.ReportSpam] != 1 {
			t.Errorf("%s: %+v", state, q)
		}
	}
}

// testReportQueue has several accounts report several assistants, and decides.
func testReportQueue(t *testing.T, url string) {
	c := &clock{at: time.Now()}
	s := OpenWith(t, store.Options{URL: url, Serve: true, Now: c.now})
	author := Account(t, s, "pro")
	var readers []elumenta.AccountID
	var bots []*elumenta.Assistant
	for i := range 3 {
		readers = append(readers, Account(t, s, "free"))
		bots = append(bots, create(t, s, author, Fields(fmt.Sprint("bot ", i)), elumenta.Marketplace))
	}
	begin := c.now().UTC().Truncate(time.Microsecond)
	// bot 1 was reported first, bot 0 and bot 2 in the same microsecond.
	for i, r := range []struct {
		bot, reader, minutes int
		reason               elumenta.ReportReason
	}{
		{1, 0, 0, elumenta.ReportSpam}, {0, 1, 1, elumenta.ReportHarmful}, {2, 1, 1, elumenta.ReportOther}, {1, 2, 2, elumenta.ReportSpam}, {1, 1, 3, elumenta.ReportIllegal},
	} {
		c.set(begin.Add(time.Duration(r.minutes) * time.Minute))
		report(t, s, readers[r.reader], bots[r.bot].ID, elumenta.NewReport{Reason: r.reason, Comment: elumenta.Text(fmt.Sprint(i))})
	}
	names := func(q []elumenta.ReportedAssistant) string {
		var got []string
		for _, r := range q {
			got = append(got, r.Name)
		}
		return strings.Join(got, ", ")
	}
	open := reported(t, s, elumenta.ReportOpen)
	if names(open) != "bot 1, bot 0, bot 2" {
		t.Fatalf("the queue is %s", names(open))
	}
	wanted := elumenta.ReportedAssistant{
		ID: bots[1].ID, Owner: author, Author: "Ada", Name: "bot 1", Published: true, FirstAt: begin, LastAt: begin.Add(3 * time.Minute),
		Reports: map[elumenta.ReportReason]int{elumenta.ReportSpam: 2, elumenta.ReportIllegal: 1},
	}
	if !reflect.DeepEqual(open[0], wanted) {
		t.Fatalf("queued %+v, want %+v", open[0], wanted)
	}
	all := reports(t, s, bots[1].ID)
	if len(all) != 3 || all[0].Account != readers[1] || all[1].Account != readers[2] || all[2].Account != readers[0] || all[2].Comment != "0" {
		t.Fatalf("reports %+v", all)
	}

	c.set(begin.Add(time.Hour))
	wantOK(t, s.DismissReports(t.Context(), bots[0].ID, ""))
	c.set(begin.Add(2 * time.Hour))
	wantOK(t, s.Unpublish(t.Context(), bots[1].ID, "sells"))
	wantOK(t, s.DismissReports(t.Context(), bots[2].ID, ""))
	if q := reported(t, s, elumenta.ReportOpen); len(q) != 0 {
		t.Errorf("open: %s", names(q))
	}
	if q := reported(t, s, elumenta.ReportDismissed); names(q) != "bot 2, bot 0" || !q[1].DecidedAt.Equal(begin.Add(time.Hour)) {
		t.Errorf("dismissed: %+v", q)
	}
	q := reported(t, s, elumenta.ReportUpheld)
	if len(q) != 1 || q[0].Published || q[0].TakenDown == nil || q[0].TakenDown.Reason != "sells" || q[0].Reports[elumenta.ReportSpam] != 2 {
		t.Errorf("upheld: %+v", q)
	}
	// Nobody can report what is down.
	_, _, err := s.ReportAssistant(t.Context(), readers[0], bots[1].ID, spam(""))
	want(t, err, elumenta.CodeNotFound)
	// An author who unpublishes first does not get away.
	report(t, s, readers[2], bots[0].ID, spam(""))
	update(t, s, bots[0], publish(elumenta.Private))
	wantOK(t, s.WithdrawVersion(t.Context(), author, bots[0].ID, 1))
	wantOK(t, s.Unpublish(t.Context(), bots[0].ID, "spam"))
	if q := reported(t, s, elumenta.ReportUpheld); names(q) != "bot 1, bot 0" && names(q) != "bot 0, bot 1" {
		t.Errorf("upheld: %s", names(q))
	}
	if _, err := s.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
}

// testReportsLimit reports until the account may not.
func testReportsLimit(t *testing.T, url string) {
	s := Open(t, url)
	author, reader := Account(t, s, "unlimited"), Account(t, s, "free")
	var ids []elumenta.AssistantID
	for i := range elumenta.MaxOpenReports + 4 {
		ids = append(ids, create(t, s, author, Fields(fmt.Sprint(i)), elumenta.Marketplace).ID)
	}
	for _, id := range ids[:elumenta.MaxOpenReports-1] {
		report(t, s, reader, id, spam(""))
	}
	// Of several at once one is the last.
	var group sync.WaitGroup
	var mu sync.Mutex
	var made []elumenta.AssistantID
	for _, id := range ids[elumenta.MaxOpenReports-1:] {
		group.Go(func() {
			_, _, err := s.ReportAssistant(t.Context(), reader, id, spam(""))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				made = append(made, id)
			case !elumenta.HasCode(err, elumenta.CodeValidation):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(made) != 1 {
		t.Fatalf("%d reports beyond the last but one", len(made))
	}
	_, replaced, err := s.ReportAssistant(t.Context(), reader, ids[0], spam("more"))
	wantOK(t, err)
	if !replaced {
		t.Error("a repetition counts")
	}
	wantOK(t, s.DismissReports(t.Context(), ids[0], ""))
	left := slices.DeleteFunc(ids[elumenta.MaxOpenReports-1:], func(id elumenta.AssistantID) bool { return id == made[0] })
	report(t, s, reader, left[0], spam(""))
}
