package wire_test

import (
	"bytes"
	"testing"

	"github.com/elumenta/elumenta/provider/wire"
)

// What a pattern matches is JSON if what it learned was, and differs from that in its holes alone.
func FuzzPattern(f *testing.F) {
	f.Add([]byte(`{"a":["b"],"c":"d"}`), []byte(`{"a":["\n"],"c":""}`))
	f.Add([]byte(`{"a":"b"}`), []byte(`{"a":"b","c":"d"}`))
	f.Add([]byte(`["","",""]`), []byte(`["x",""y,""]`))
	f.Add([]byte(`{"a":""}`), []byte(`{"a":"}`))
	f.Fuzz(func(t *testing.T, learned, text []byte) {
		var holes []wire.Span
		var j wire.JSON
		var walk func()
		walk = func() {
			switch j.Kind() {
			case '{':
				j.Object(func([]byte) { walk() })
			case '[':
				j.Array(walk)
			case '"':
				from := j.Offset()
				j.Skip()
				if len(holes) < 2 {
					holes = append(holes, wire.Span{From: from, To: j.Offset()})
				}
			default:
				j.Skip()
			}
		}
		j.Reset(learned)
		walk()
		if !j.End() || len(holes) == 0 {
			return
		}
		var p wire.Pattern
		if _, ok := p.Match(text); ok {
			t.Fatal("a pattern that learned nothing matches")
		}
		p.Learn(learned, holes...)
		if at, ok := p.Match(learned); !ok || at != holes[0] {
			t.Fatalf("%q is not like itself: %v", learned, at)
		}
		at, ok := p.Match(text)
		if !ok {
			return
		}
		j.Reset(text)
		if j.Skip(); !j.End() {
			t.Fatalf("%q is no JSON, and like %q", text, learned)
		}
		if !bytes.Equal(text[:at.From], learned[:holes[0].From]) {
			t.Errorf("%q begins otherwise than %q", text, learned)
		}
		j.Reset(text[at.From:at.To])
		if _ = j.String(); !j.End() {
			t.Errorf("%q is no string", text[at.From:at.To])
		}
	})
}

func TestPatternForgets(t *testing.T) {
	const text = `{"a":"b"}`
	var p wire.Pattern
	p.Learn([]byte(text), wire.Span{From: 5, To: 8})
	if _, ok := p.Match([]byte(text)); !ok {
		t.Error("no match")
	}
	p.Forget()
	if _, ok := p.Match([]byte(text)); ok {
		t.Error("a match of what was forgotten")
	}
}
