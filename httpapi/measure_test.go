package httpapi

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// TestMeasure: the depth is the one that a decoder finds, and the number of values no lower and at most twice as high, whatever the strings hold.
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
		wantDeepest, found := 0, 0
		for {
			token, err := dec.ReadToken()
			if err != nil {
				break
			}
			wantDeepest = max(wantDeepest, dec.StackDepth())
			in, n := dec.StackIndex(dec.StackDepth())
			if k := token.Kind(); k != ']' && k != '}' && (k != '"' || in != '{' || n%2 == 0) {
				found++
			}
		}
		if deepest != wantDeepest || values < found-1 || values > 2*found {
			t.Fatalf("%d levels and %d values where there are %d and %d: %s", deepest, values, wantDeepest, found, v)
		}
	})
}

// TestMeasureIsLinear: a text may be nothing but line breaks or quotes; where each had the rest looked at again, this would take hours.
func TestMeasureIsLinear(t *testing.T) {
	for _, escape := range []string{`\n`, `\"`, `\\`} {
		if deepest, values := measure([]byte(`["` + strings.Repeat(escape, 8<<20) + `",{}]`)); deepest != 2 || values != 3 {
			t.Errorf("%s: %d levels, %d values", escape, deepest, values)
		}
	}
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
