package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

// testLabels moves labels between versions; each move is a new revision, and what a label stands for stays saved.
func testLabels(t *testing.T, url string) {
	s := Open(t, url)
	owner, other := Account(t, s, "unlimited"), Account(t, s, "unlimited")
	a := create(t, s, owner, Fields("a"), elumenta.Marketplace)
	for _, name := range []string{"b", "c"} {
		_, err := s.UpdateAssistant(t.Context(), owner, a.ID, 0, &elumenta.Patch{Name: elumenta.Some(name)})
		wantOK(t, err)
	}
	one := []elumenta.LabelShare{{Version: 1, Weight: 1}}
	split := []elumenta.LabelShare{{Version: 3, Weight: 10}, {Version: 2, Weight: 90}}

	_, _, err := s.ResolveLabel(t.Context(), owner, a.ID, "production")
	want(t, err, elumenta.CodeNotFound)
	set, err := s.SetLabel(t.Context(), owner, a.ID, "production", one)
	wantOK(t, err)
	is, before, err := s.ResolveLabel(t.Context(), owner, a.ID, "production")
	wantOK(t, err)
	if diff := cmp.Diff(set, is); diff != "" {
		t.Errorf("set is not what is read:\n%s", diff)
	}
	_, err = s.SetLabel(t.Context(), owner, a.ID, "production", split)
	wantOK(t, err)
	is, after, err := s.ResolveLabel(t.Context(), owner, a.ID, "production")
	wantOK(t, err)
	if after <= before || len(is.Split) != 2 || is.Split[0] != (elumenta.LabelShare{Version: 2, Weight: 90}) {
		t.Errorf("revision %d after %d, split %v", after, before, is.Split)
	}
	snapshot, err := s.Resolve(t.Context(), owner, elumenta.AssistantRef{ID: a.ID, Version: 2})
	wantOK(t, err)
	if snapshot.Revision != after {
		t.Errorf("a version has revision %d, its label %d", snapshot.Revision, after)
	}

	_, err = s.SetLabel(t.Context(), owner, a.ID, "production", []elumenta.LabelShare{{Version: 9, Weight: 1}})
	want(t, err, elumenta.CodeValidation)
	want(t, s.WithdrawVersion(t.Context(), owner, a.ID, 2), elumenta.CodeConflict)
	wantOK(t, s.WithdrawVersion(t.Context(), owner, a.ID, 1)) // the label has left it
	for _, stranger := range []error{
		second(s.SetLabel(t.Context(), other, a.ID, "mine", one)), s.DeleteLabel(t.Context(), other, a.ID, "production"), second(s.Labels(t.Context(), other, a.ID)),
	} {
		want(t, stranger, elumenta.CodeForbidden)
	}
	_, _, err = s.ResolveLabel(t.Context(), other, a.ID, "production")
	want(t, err, elumenta.CodeNotFound)

	for i := range elumenta.MaxLabels - 1 {
		_, err := s.SetLabel(t.Context(), owner, a.ID, fmt.Sprintf("l%02d", i), split)
		wantOK(t, err)
	}
	_, err = s.SetLabel(t.Context(), owner, a.ID, "one-more", split)
	want(t, err, elumenta.CodeValidation)
	labels, err := s.Labels(t.Context(), owner, a.ID)
	wantOK(t, err)
	if len(labels) != elumenta.MaxLabels || labels[0].Name != "l00" || labels[len(labels)-1].Name != "production" {
		t.Errorf("labels %v", labels)
	}
	wantOK(t, s.DeleteLabel(t.Context(), owner, a.ID, "production"))
	want(t, s.DeleteLabel(t.Context(), owner, a.ID, "production"), elumenta.CodeNotFound)
	wantOK(t, s.DeleteAssistant(t.Context(), owner, a.ID, 0))
	var left int
	wantOK(t, Raw(t, url).QueryRowContext(t.Context(), `SELECT COUNT(*) FROM assistant_labels`).Scan(&left))
	if left != 0 {
		t.Errorf("%d labels are left of a deleted assistant", left)
	}
}

func second[T any](_ T, err error) error { return err }
