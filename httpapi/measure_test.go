package httpapi

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// TestMeasure: depth and number of values are those that a decoder finds, whatever the strings hold.
func TestMeasure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var value func(depth int) string
		text := rapid.StringMatching(`["\\\[\]{},:a🙂\n]{0,6}`)
		value = func(depth int) string {
			kinds := 2
			if depth < 6 {
				kinds = 4
			}
			switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
			case 0:
				quoted, _ := jsontext.AppendQuote(nil, text.Draw(t, "text"))
				return string(quoted)
			case 1:
				return "1"
			case 2:
				return "[" + strings.Join(some(t, func() string { return value(depth + 1) }), ",") + "]"
			default:
				names := 0
				return "{" + strings.Join(some(t, func() string {
					names++
					return `"` + strings.Repeat("a", names) + `\"":` + value(depth+1)
				}), ",") + "}"
			}
		}
		v := value(0)
		deepest, values := measure([]byte(v))
		dec := jsontext.NewDecoder(strings.NewReader(v))
		wantDeepest, most := 0, 1
		for {
			token, err := dec.ReadToken()
			if err != nil {
				break
			}
			wantDeepest = max(wantDeepest, dec.StackDepth())
			if k := token.Kind(); k != ']' && k != '}' {
				most++
			}
		}
		if deepest != wantDeepest || values > most {
			t.Fatalf("%d levels and %d values instead of %d and at most %d: %s", deepest, values, wantDeepest, most, v)
		}
	})
}

func some(t *rapid.T, item func() string) (items []string) {
	for range rapid.IntRange(0, 3).Draw(t, "items") {
		items = append(items, item())
	}
	return items
}

func FuzzMeasure(f *testing.F) {
	for _, s := range []string{`{"a":[1,"\\\"]"]}`, `"`, `"\`, `[[[`, ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		if deepest, values := measure(v); deepest < 0 || deepest > len(v) || values > len(v) {
			t.Errorf("%d %d", deepest, values)
		}
	})
}
