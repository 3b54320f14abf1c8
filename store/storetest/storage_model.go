package storetest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// testStorageCounted does anything to assistants, with and without room: what is counted is what is there.
func testStorageCounted(t *testing.T, url string) {
	s, db := Open(t, url), Raw(t, url)
	steps := 20
	if shared(url) {
		steps = 8 // round trips take their time
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := &storagePlay{s: s, owner: Account(t, s, "unlimited")}
		for range rapid.IntRange(1, steps).Draw(rt, "steps") {
			limitStorage(s, rapid.SampledFrom([]int64{0, 0, 500, 2000}).Draw(rt, "limit"))
			err := p.step(t, rt)
			if err != nil && !elumenta.HasCode(err, elumenta.CodeValidation) && !elumenta.HasCode(err, elumenta.CodeNotFound) && !elumenta.HasCode(err, elumenta.CodeForbidden) {
				rt.Fatal(err)
			}
			if n, want := stored(t, s, p.owner), recount(t, db, p.owner); n != want {
				rt.Fatalf("counted %d, there are %d", n, want)
			}
		}
	})
}

// storagePlay is an account and the assistants that it has.
type storagePlay struct {
	s     *store.Store
	owner elumenta.AccountID
	ids   []elumenta.AssistantID
}

func (p *storagePlay) made(a *elumenta.Assistant, _ bool, err error) error {
	if err == nil {
		p.ids = append(p.ids, a.ID)
	}
	return err
}

func drawFields(rt *rapid.T) elumenta.Fields {
	f := Fields("drawn")
	if rapid.Bool().Draw(rt, "full") {
		f = fullFields("drawn")
	}
	f.Instructions = elumenta.Text(rapid.StringMatching(`[a-zä日🙂]{1,200}`).Draw(rt, "instructions"))
	return f
}

func (p *storagePlay) step(t *testing.T, rt *rapid.T) error {
	ctx, visibility := t.Context(), rapid.SampledFrom([]elumenta.Visibility{elumenta.Private, elumenta.Marketplace}).Draw(rt, "visibility")
	step := rapid.IntRange(0, 11).Draw(rt, "step")
	if len(p.ids) == 0 {
		step = 0
	}
	switch step {
	case 0:
		return p.made(p.s.CreateAssistant(ctx, p.owner, drawFields(rt), visibility, nil))
	case 1:
		return p.made(p.s.ImportAssistant(ctx, p.owner, history(visibility, 2, 3, 5), nil))
	}
	i, version := rapid.IntRange(0, len(p.ids)-1).Draw(rt, "assistant"), rapid.IntRange(1, 4).Draw(rt, "version")
	id := p.ids[i]
	var err error
	switch step {
	case 2:
		return p.made(p.s.CopyAssistant(ctx, p.owner, elumenta.AssistantRef{ID: id}, "", nil))
	case 3, 4:
		f := drawFields(rt)
		_, err = p.s.UpdateAssistant(ctx, p.owner, id, 0, &elumenta.Patch{Instructions: elumenta.Some(f.Instructions), Note: fmt.Sprint("größer ", version)})
	case 5, 6:
		_, err = p.s.UpdateAssistant(ctx, p.owner, id, 0, publish(visibility))
	case 7:
		_, err = p.s.RestoreVersion(ctx, p.owner, id, 0, version)
	case 8:
		err = p.s.WithdrawVersion(ctx, p.owner, id, version)
	case 9:
		err = p.s.Unpublish(ctx, id, "spam")
	case 10:
		err = p.s.AllowAssistant(ctx, id, "")
	default:
		if err = p.s.DeleteAssistant(ctx, p.owner, id, 0); err == nil {
			p.ids = append(p.ids[:i], p.ids[i+1:]...)
		}
	}
	return err
}
