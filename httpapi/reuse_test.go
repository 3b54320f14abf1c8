package httpapi

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

// A reader that is used again changes nothing of what it read before, and holds nothing of it.
func TestReaderUsedAgain(t *testing.T) {
	a := benchAPI(t, 0)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, generatePath, nil)
	decode := func(text string) *elumenta.Request {
		body := []byte(`{"model":"m","system":"S","messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"T"},{"type":"text","text":"\nT"}]},
			{"r\u006fle":"\u0061ssistant","content":"T\t"}],"prompt":"T"}`)
		c := &call{request: r, caller: &elumenta.Caller{}, body: []byte(strings.ReplaceAll(string(body), "T", text)), id: elumenta.NewRequestID()}
		req, err := a.decodeGenerate(c)
		if err != nil {
			t.Fatal(err)
		}
		clear(c.body)
		return req
	}
	turns := func(text elumenta.Text) []elumenta.Turn {
		part := func(s elumenta.Text) elumenta.Part { return elumenta.Part{Kind: elumenta.PartText, Text: s} }
		return []elumenta.Turn{
			{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{part(text), part("\n" + text)}},
			{Role: elumenta.RoleOfAssistant, Parts: []elumenta.Part{part(text + "\t")}},
			{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{part(text)}},
		}
	}
	first, second := decode("first"), decode("2")
	if want := turns("first"); !reflect.DeepEqual(first.Turns, want) {
		t.Errorf("got %+v, want %+v", first.Turns, want)
	}
	if want := turns("2"); !reflect.DeepEqual(second.Turns, want) {
		t.Errorf("got %+v, want %+v", second.Turns, want)
	}
	for i := range first.Turns {
		if p := first.Turns[i].Parts; len(p) != cap(p) {
			t.Errorf("turn %d runs into the next", i)
		}
	}

	g := new(generateReader)
	g.read([]byte(`{"prompt":"secret","messages":[{"role":"user","content":"secret\n"}]}`), g.member)
	g.finish()
	g.reset()
	if strings.Trim(string(g.unquoted[:cap(g.unquoted)]), "\x00") != "" {
		t.Errorf("still holds %q", g.unquoted[:cap(g.unquoted)])
	}
	for _, p := range g.parts[:cap(g.parts)] {
		if p != (elumenta.Part{}) {
			t.Errorf("still holds %+v", p)
		}
	}
	for _, turn := range g.top.turns[:cap(g.top.turns)] {
		if turn.Parts != nil {
			t.Errorf("still holds %+v", turn)
		}
	}
	if !reflect.DeepEqual(g.req, elumenta.Request{}) || g.prompt != "" || g.system != "" || g.top.system != nil || g.nested.turns != nil || g.errs != nil {
		t.Errorf("still holds %+v", g.req)
	}
}

// keeping is a ResponseWriter that could not send what it was given and still reads it, as that of HTTP/2 does.
type keeping struct {
	nowhere
	kept  [][]byte
	given []string
}

func (k *keeping) Write(b []byte) (int, error) {
	k.kept, k.given = append(k.kept, b), append(k.given, string(b))
	return 0, errors.New("the client is gone")
}

// What could not be written belongs to the writer: no other answer is written over it.
func TestBufferOfAFailedWrite(t *testing.T) {
	for _, streamed := range []bool{false, true} {
		a := benchAPI(t, 3)
		w := &keeping{nowhere: nowhere{http.Header{}}}
		serve := func(w http.ResponseWriter) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, generatePath, bytes.NewReader(benchBody(streamed)))
			r.Header.Set("Authorization", "Bearer "+elumenta.NewKeySecret().Reveal())
			r.Header.Set("Content-Type", "application/json")
			a.ServeHTTP(w, r)
		}
		serve(w)
		if len(w.given) == 0 || w.given[0] == "" {
			t.Fatal("nothing was written")
		}
		for range 8 {
			serve(&nowhere{http.Header{}})
		}
		for i, b := range w.kept {
			if string(b) != w.given[i] {
				t.Errorf("streamed %t: what was written became %q, from %q", streamed, b, w.given[i])
			}
		}
	}
}
