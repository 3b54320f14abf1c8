package elumenta_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
)

// A user stays on one version as long as a split stays; users are divided by its weights, and so are calls without one.
func TestChoose(t *testing.T) {
	id := elumenta.NewAssistantID()
	l := elumenta.Label{Name: "production", Split: []elumenta.LabelShare{{Version: 2, Weight: 90}, {Version: 3, Weight: 10}}}
	const calls = 20_000
	for _, of := range []string{"users", "calls"} {
		newest := 0
		for i := range calls {
			var user elumenta.UserHash
			if of == "users" {
				user[0], user[1], user[31] = byte(i), byte(i>>8), 1
			}
			version := l.Choose(id, user)
			if of == "users" && l.Choose(id, user) != version {
				t.Fatal("a user changes")
			}
			if version == 3 {
				newest++
			}
		}
		if newest < calls*8/100 || newest > calls*12/100 { // more than nine standard deviations away
			t.Errorf("%d of %d %s went to the version with a tenth of the weight", newest, calls, of)
		}
	}
}

func TestSplits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var split []elumenta.LabelShare
		for range rapid.IntRange(0, 12).Draw(t, "versions") {
			split = append(split, elumenta.LabelShare{Version: rapid.IntRange(0, 8).Draw(t, "version"), Weight: rapid.IntRange(0, elumenta.MaxWeight+1).Draw(t, "weight")})
		}
		if elumenta.CheckSplit(split).Err() != nil {
			return
		}
		l := elumenta.Label{Name: "l", Split: split}
		var user elumenta.UserHash
		copy(user[:], rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "user"))
		version := l.Choose("asst_x", user)
		for _, s := range split {
			if s.Version == version {
				return
			}
		}
		t.Fatalf("%d is none of %v", version, split)
	})
}
