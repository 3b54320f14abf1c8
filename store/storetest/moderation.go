package storetest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

// testReview has an operator read what there is cause to read, on the record.
func testReview(t *testing.T, url string) {
	s := Open(t, url)
	author, reader := Account(t, s, "pro"), Account(t, s, "free")
	operator := elumenta.NewAccountID()
	ctx := elumenta.WithActor(t.Context(), elumenta.Actor{Account: operator})
	diary := create(t, s, author, Fields("diary"), elumenta.Private)
	a := create(t, s, author, Fields("v1"), elumenta.Private)
	reads := func() int {
		t.Helper()
		items, _, err := s.AuditTrail(t.Context(), elumenta.AuditQuery{Action: elumenta.AuditRead, Limit: 100})
		wantOK(t, err)
		for _, e := range items {
			if e.Actor != string(operator) || e.Account != author || e.Target != string(a.ID) || strings.Contains(fmt.Sprint(e.Details), "help") {
				t.Errorf("recorded %+v", e)
			}
		}
		return len(items)
	}
	for _, id := range []elumenta.AssistantID{diary.ID, a.ID, elumenta.NewAssistantID()} {
		_, err := s.ReviewAssistant(ctx, id, 0)
		want(t, err, elumenta.CodeNotFound)
	}
	update(t, s, a, publish(elumenta.Marketplace))
	update(t, s, a, publish(elumenta.Private))
	for version, public := range map[int]bool{0: false, 1: false, 2: true, 3: false} {
		r, err := s.ReviewAssistant(ctx, a.ID, version)
		wantOK(t, err)
		if version == 0 {
			version = 3
		}
		if r.Version != version || r.Newest != 3 || r.Public != public || r.Instructions != a.Instructions || r.Author != "Ada" || r.Owner != author || r.Visibility != elumenta.Private {
			t.Errorf("version %d: %+v", version, r)
		}
	}
	if n := reads(); n != 4 {
		t.Errorf("%d reads are on record", n)
	}
	_, err := s.ReviewAssistant(ctx, a.ID, 9)
	want(t, err, elumenta.CodeNotFound)
	wantOK(t, s.WithdrawVersion(t.Context(), author, a.ID, 2))
	_, err = s.ReviewAssistant(ctx, a.ID, 0) // nothing is public any more, but was
	wantOK(t, err)
	update(t, s, a, publish(elumenta.Marketplace))
	report(t, s, reader, a.ID, spam(""))
	update(t, s, a, publish(elumenta.Private))
	wantOK(t, s.WithdrawVersion(t.Context(), author, a.ID, 4))
	for range 2 { // reported, then taken down
		_, err = s.ReviewAssistant(ctx, a.ID, 0)
		wantOK(t, err)
		if err := s.Unpublish(ctx, a.ID, "spam"); err != nil {
			want(t, err, elumenta.CodeNotFound)
		}
	}
	if n := reads(); n != 7 {
		t.Errorf("%d reads are on record", n)
	}
	// One that came with public versions was published elsewhere.
	h := history(elumenta.Private, 1, 2)
	h.Versions[0].Public = true
	imported, _, err := s.ImportAssistant(ctx, author, h, nil)
	wantOK(t, err)
	wantOK(t, s.WithdrawVersion(t.Context(), author, imported.ID, 1))
	_, err = s.ReviewAssistant(t.Context(), imported.ID, 0)
	wantOK(t, err)
}

// testCopy copies what may be copied.
func testCopy(t *testing.T, url string) {
	s := Open(t, url)
	author, reader := Account(t, s, "pro"), Account(t, s, "free")
	f := Fields("original")
	f.Temperature, f.Variables, f.Metadata = ptr(0.5), []elumenta.Variable{{Name: "x", Required: true}}, map[string]string{"mine": "secret"}
	a := create(t, s, author, f, elumenta.Marketplace) // 1: public, kept
	yes := &elumenta.Patch{Copyable: elumenta.Some(true), Name: elumenta.Some("open")}
	update(t, s, a, yes)                                                                                              // 2: public, copyable
	update(t, s, a, publish(elumenta.Private))                                                                        // 3: private, copyable
	update(t, s, a, &elumenta.Patch{Copyable: elumenta.Some(false), Visibility: elumenta.Some(elumenta.Marketplace)}) // 4: public, kept
	copyOf := func(viewer elumenta.AccountID, version int, code elumenta.Code) *elumenta.Assistant {
		t.Helper()
		made, _, err := s.CopyAssistant(t.Context(), viewer, elumenta.AssistantRef{ID: a.ID, Version: version}, "", nil)
		want(t, err, code)
		return made
	}
	for version, code := range map[int]elumenta.Code{0: "forbidden", 1: "forbidden", 3: "not_found", 4: "forbidden", 5: "not_found"} {
		copyOf(reader, version, code)
	}
	for version := range 5 {
		copyOf(author, version, "")
	}
	copyOf(author, 5, elumenta.CodeNotFound)
	made := copyOf(reader, 2, "")
	same(t, s, made)
	wanted := f
	wanted.Name, wanted.Metadata = "open", map[string]string{elumenta.MetadataCopiedFrom: string(a.ID) + "@2"}
	if made.Owner != reader || made.Visibility != elumenta.Private || made.Version != 1 || !reflect.DeepEqual(made.Fields, wanted) {
		t.Fatalf("copied %+v, want %+v", made.Fields, wanted)
	}

	update(t, s, a, &elumenta.Patch{Copyable: elumenta.Some(true)})
	l, err := s.Listing(t.Context(), a.ID)
	wantOK(t, err)
	if !l.Copyable {
		t.Error("the public view does not say that it may be copied")
	}
	idem := func(body string) *elumenta.Idempotency {
		return s.InstallationSecret().Idempotency(reader, "copies "+string(a.ID), "k", []byte(body))
	}
	named, replayed, err := s.CopyAssistant(t.Context(), reader, elumenta.AssistantRef{ID: a.ID}, "mine", idem("1"))
	wantOK(t, err)
	if replayed || named.Name != "mine" || named.Metadata[elumenta.MetadataCopiedFrom] != string(a.ID)+"@5" {
		t.Fatalf("copied %+v", named)
	}
	again, replayed, err := s.CopyAssistant(t.Context(), reader, elumenta.AssistantRef{ID: a.ID}, "mine", idem("1"))
	wantOK(t, err)
	if !replayed || again.ID != named.ID {
		t.Error("a repetition made another copy")
	}
	_, _, err = s.CopyAssistant(t.Context(), reader, elumenta.AssistantRef{ID: a.ID}, "other", idem("2"))
	want(t, err, elumenta.CodeConflict)
	_, _, err = s.CopyAssistant(t.Context(), reader, elumenta.AssistantRef{ID: a.ID}, strings.Repeat("x", elumenta.MaxName+1), nil)
	want(t, err, elumenta.CodeValidation)

	// What ends others' use ends copying: the copies stay.
	for _, end := range []func() error{
		func() error { return s.WithdrawVersion(t.Context(), author, a.ID, 2) },
		func() error { _, err := s.SetSuspended(t.Context(), author, true, ""); return err },
		func() error { _, err := s.SetSuspended(t.Context(), author, false, ""); return err },
		func() error { return s.Unpublish(t.Context(), a.ID, "spam") },
		func() error { return s.DeleteAssistant(t.Context(), author, a.ID, 0) },
	} {
		wantOK(t, end())
		copyOf(reader, 2, elumenta.CodeNotFound)
	}
	copyOf(reader, 0, elumenta.CodeNotFound)
	same(t, s, made)
}

// testDeniedNames has a deny-list that came after the first names.
func testDeniedNames(t *testing.T, url string) {
	s := Open(t, url)
	author := Account(t, s, "pro")
	old := create(t, s, author, Fields("Acme Helper"), elumenta.Marketplace)
	denied, bad := elumenta.NewDeniedNames([]string{"acme"})
	if bad != nil {
		t.Fatal("bad entries")
	}
	s.Reload(nil, denied, 0, 0)
	_, _, err := s.CreateAssistant(t.Context(), author, Fields("ACME"), elumenta.Marketplace, nil)
	want(t, err, elumenta.CodeValidation)
	a := create(t, s, author, Fields("4cme"), elumenta.Private)
	_, err = s.UpdateAssistant(t.Context(), author, a.ID, 0, publish(elumenta.Marketplace))
	want(t, err, elumenta.CodeValidation)
	p := publish(elumenta.Marketplace)
	p.Name = elumenta.Some("fine")
	update(t, s, a, p)
	_, err = s.RestoreVersion(t.Context(), author, a.ID, 0, 1)
	want(t, err, elumenta.CodeValidation)
	_, err = s.UpdateAssistant(t.Context(), author, a.ID, 0, &elumenta.Patch{Name: elumenta.Some("the acme")})
	want(t, err, elumenta.CodeValidation)
	// What is published stays, and may be taken back.
	_, err = s.Listing(t.Context(), old.ID)
	wantOK(t, err)
	update(t, s, old, publish(elumenta.Private))
	_, err = s.SetDisplayName(t.Context(), author, "Acme support")
	want(t, err, elumenta.CodeValidation)
	_, err = s.ChangeAccount(t.Context(), author, &elumenta.AccountPatch{DisplayName: elumenta.Some("Acme support")})
	wantOK(t, err)
}
