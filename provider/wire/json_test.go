package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/elumenta/elumenta/provider/wire"
)

func TestJSON(t *testing.T) {
	var j wire.JSON
	j.Reset([]byte(` {"a":"x\u00e9\ud83d\udc4b\n","b":[1,-2,3.9,null],"c":{"d":[{"e":null}]},"f":7,"g":"s","h":true,"a":"y","i":[[]]} `))
	var texts []string
	var sum int64
	j.Object(func(key []byte) {
		switch string(key) {
		case "a":
			texts = append(texts, j.String())
		case "b":
			j.Array(func() { sum += j.Int() })
		case "f", "g", "h", "i":
			texts = append(texts, j.Scalar())
		default:
			j.Skip()
		}
	})
	if got := strings.Join(texts, "|"); got != "xé👋\n|7|s|true|y|" || sum != 4 || !j.End() {
		t.Errorf("read %q and %d, error %v", got, sum, j.Err())
	}
}

func TestJSONWrong(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{"a"`, `{"a":`, `{"a":"`, `{"a":"x"`, `{"a":"x",}`, `{"a":"x"}}`, `{"a":"x"} {}`, `[]`, `"a"`, `1`,
		`{"a":1}`, `{"a":[]}`, `{"a":"\x"}`, `{"a":tru}`, `{"n":"1"}`, `{"n":{}}`, `{"l":{}}`, `{"l":"x"}`, `{"l":[`, `{"o":[]}`, `{"o":3}`, strings.Repeat(`{"o":`, 20_000),
	} {
		var j wire.JSON
		j.Reset([]byte(text))
		var read func(key []byte)
		read = func(key []byte) {
			switch string(key) {
			case "a":
				_ = j.String()
			case "n":
				_ = j.Int()
			case "l":
				j.Array(j.Skip)
			case "o":
				j.Object(read)
			default:
				j.Skip()
			}
		}
		j.Object(read)
		if j.End() || j.Err() == nil {
			t.Errorf("%.40s: no error", text)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, seed := range []string{"", "a\"b\\c\n\r\t\x00\x1f\x7f", "é👋\u2028\ufffd", "\xff\xc3", "\xed\xa0\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := wire.AppendString(nil, text)
		var got string
		if err := json.Unmarshal(quoted, &got); err != nil || !utf8.Valid(quoted) {
			t.Fatalf("%q became %s: %v", text, quoted, err)
		}
		// encoding/json replaces invalid bytes one by one, as we do.
		if want := string([]rune(text)); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		var j wire.JSON
		j.Reset(quoted)
		if j.String() != got || !j.End() {
			t.Errorf("%s is not read as it is written", quoted)
		}
	})
}

// Counts are cut to what can be summed, whichever way they are read.
func TestCounts(t *testing.T) {
	for raw, want := range map[string]int64{
		"0": 0, "7": 7, "null": 0, "-5": 0, "1.9": 1, "1e3": 1000, "-0.5": 0, "9223372036854775807": wire.MaxCount, "99999999999999999999": wire.MaxCount, "1e999": wire.MaxCount, "-1e999": 0,
		`"7"`: -1, "true": -1, "{}": -1,
	} {
		var j wire.JSON
		j.Reset([]byte(raw))
		got := j.Int()
		var tokens wire.Tokens
		err := tokens.UnmarshalJSON([]byte(raw))
		if want < 0 {
			if j.Err() == nil || err == nil {
				t.Errorf("%s is taken for %d and %d", raw, got, tokens)
			}
			continue
		}
		if got != want || int64(tokens) != want || j.Err() != nil || err != nil {
			t.Errorf("%s is %d, %v, and %d, %v; want %d", raw, got, j.Err(), tokens, err, want)
		}
	}
}
