package httpapi

import (
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
