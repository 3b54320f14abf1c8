package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
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

func TestJSONRepeated(t *testing.T) {
	for text, want := range map[string]string{`"a"`: "a", `"\u0061"`: "a", `"b"`: "b", `7`: "7", `null`: "", `[]`: "", `"x`: ""} {
		for _, before := range []string{"", "a", "c"} {
			var j wire.JSON
			j.Reset([]byte(text))
			if got := j.Repeated(before); got != want || j.End() == (text == `"x`) {
				t.Errorf("%s after %q: %q, error %v", text, before, got, j.Err())
			}
		}
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

// walk reads a text with all of JSON's methods and says what it read; ok reports whether it is JSON.
func walk(text []byte) (read string, ok bool) {
	var (
		j       wire.JSON
		b       strings.Builder
		element func()
	)
	element = func() {
		switch k := j.Kind(); k {
		case '{':
			b.WriteByte('{')
			j.Object(func(key []byte) {
				fmt.Fprintf(&b, "%q:", key)
				element()
			})
			b.WriteByte('}')
		case '[':
			b.WriteByte('[')
			j.Array(element)
			b.WriteByte(']')
		case '"':
			fmt.Fprintf(&b, "%q,", j.String())
		default:
			fmt.Fprintf(&b, "%s,", j.Raw())
		}
	}
	j.Reset(text)
	element()
	return b.String(), j.End()
}

// walkTokens does the same with a library.
func walkTokens(text []byte) (read string, ok bool) {
	var b strings.Builder
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		kind, n := dec.StackIndex(dec.StackDepth())
		isKey := kind == '{' && n%2 == 0
		value := dec.PeekKind()
		var raw []byte
		var err error
		if value == '{' || value == '[' || value == '}' || value == ']' {
			_, err = dec.ReadToken()
			raw = []byte{byte(value)}
		} else {
			raw, err = dec.ReadValue()
		}
		switch {
		case errors.Is(err, io.EOF) && dec.StackDepth() == 0:
			return b.String(), true
		case err != nil:
			return "", false
		case isKey && value == '"':
			fmt.Fprintf(&b, "%q:", raw[1:len(raw)-1])
		case value == '"':
			text, _ := jsontext.AppendUnquote(nil, raw)
			fmt.Fprintf(&b, "%q,", text)
		case value == '{' || value == '[' || value == '}' || value == ']':
			b.Write(raw)
		default:
			fmt.Fprintf(&b, "%s,", raw)
		}
		if _, values := dec.StackIndex(0); values > 1 {
			return "", false
		}
	}
}

// What is read, and what is taken for JSON at all, whether it is read or passed over, is what a library makes of it.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `{`, `{}`, ` { "a" : [ 1 , -2.5e+3 , null , true , false , "x\u00e9\ud83d\udc4b\n" ] } `, `{"a":1,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a" 1}`, `{"a":}`, `{1:2}`, `{"a":1 "b":2}`,
		`01`, `-`, `-0`, `1.`, `.5`, `1e`, `1E-9`, `+1`, `nul`, `nulL`, `truefalse`, `"\ud83d"`, `"\u12"`, `"\u12g4"`, `"\x"`, "\"\x1f\"", "\"\xff\"", "\"plain text of some length\x00\"", `"no end`, `"\`, `[]]`, `{}}`, `[}`, `{]`, `1 2`, "\ufeff{}", "[\v]",
		`{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}],"usage":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want, valid := walkTokens(text)
		if len(bytes.TrimLeft(text, " \t\r\n")) == 0 {
			valid = false // nothing was read
		}
		got, ok := walk(text)
		if ok != valid || ok && got != want {
			t.Errorf("%q is read as %q, %t; want %q, %t", text, got, ok, want, valid)
		}
		var j wire.JSON
		j.Reset(text)
		j.Skip()
		if j.End() != valid {
			t.Errorf("%q is passed over: %t, want %t", text, !valid, valid)
		}
	})
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

// TestCallInput: a call in the history has an object, whatever its model made of the arguments.
func TestCallInput(t *testing.T) {
	for arguments, want := range map[string]string{
		"": "{}", " \n": "{}", ` {"a":1,"a":2} `: `{"a":1,"a":2}`,
		`{"x": "ab`: `{"INVALID_JSON":"{\"x\": \"ab"}`, "[1]": `{"INVALID_JSON":"[1]"}`, "null": `{"INVALID_JSON":"null"}`, `{} {}`: `{"INVALID_JSON":"{} {}"}`,
	} {
		if got := string(wire.CallInput(elumenta.Text(arguments))); got != want {
			t.Errorf("%q: %s, want %s", arguments, got, want)
		}
	}
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
