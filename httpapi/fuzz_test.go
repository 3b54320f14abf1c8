package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"unicode/utf8"

	"github.com/elumenta/elumenta"
)

// checkError holds for every refusal: it is one of the client's, it is JSON, and it is short whatever was sent.
func checkError(t *testing.T, err error) {
	t.Helper()
	e := elumenta.AsError(err)
	if status := statusOf(e); status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		t.Fatalf("status %d: %v", status, e)
	}
	b := appendError(nil, e, "req_x")
	if !json.Valid(b) || !utf8.Valid(b) || len(b) > 100<<10 {
		t.Fatalf("the error is %d bytes: %.300q", len(b), b)
	}
}

func FuzzGenerateBody(f *testing.F) {
	for _, s := range []string{
		`{"model":"m","prompt":"x"}`, `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]}`,
		`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/gif;base64,R0lGODlhAQABAAAAACw="}}]}]}`,
		`{"params":{"messages":[],"system_prompt":"x"},"variables":{"a":"b"},"stop":["x"],"user":"u"}`, `{"response_format":{"type":"json_schema","json_schema":{"schema":{}}}}`,
		`{"model":"m","prompt":"\ud83d\ude00","temperature":1e-400,"max_tokens":1e3}`, `{"a":[[[[{}]]]]}`, `[]`, `{"x":1,"x":2}`, "{\"\xff\":1}", `{"":{"`,
	} {
		f.Add([]byte(s))
	}
	a := benchAPI(f, 0)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, generatePath, nil)
		c := &call{request: r, caller: &elumenta.Caller{}, body: bytes.Clone(body), id: elumenta.NewRequestID()}
		req, err := a.decodeGenerate(c)
		if err != nil {
			checkError(t, err)
			return
		}
		if !json.Valid(body) || !utf8.Valid(body) {
			t.Fatal("what is not JSON was taken")
		}
		clear(c.body) // the request must not share it
		if len(req.Turns) == 0 || req.Model == "" && req.Assistant.ID == "" || len(req.Warnings) > maxWarnings {
			t.Fatalf("incomplete request: %d turns", len(req.Turns))
		}
		for _, turn := range req.Turns {
			for _, p := range turn.Parts {
				if p.Kind == elumenta.PartText && (p.Text == "" || !utf8.ValidString(string(p.Text)) || bytes.Contains([]byte(p.Text), []byte{0}) && bytes.IndexByte(body, 0) < 0) {
					t.Fatal("a part that no provider takes")
				}
				if p.Kind == elumenta.PartImage && (p.Image.Data == "") == (p.Image.URL == "") {
					t.Fatal("an image that is neither inline nor elsewhere")
				}
			}
		}
	})
}

func FuzzAssistantBody(f *testing.F) {
	for _, s := range []string{
		`{"name":"n","model":"m","instructions":"i"}`, `{"variables":[{"name":"a","default":null}],"metadata":{"a":"b"},"temperature":null}`,
		`{"response_format":{"type":"text"},"visibility":"marketplace","category":"data","note":"x"}`, `{"metadata":{"\u0000":"\u0000"}}`, `{`, `{"name":"x"}}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	a := benchAPI(f, 0)
	f.Fuzz(func(t *testing.T, body []byte, update bool) {
		b := decodeAssistant(body, update)
		fields, v, _ := b.patch.Apply(elumenta.Fields{}, elumenta.Private)
		if err := a.checked(b, fields, v); err != nil {
			checkError(t, err)
			return
		}
		if !json.Valid(body) {
			t.Fatal("what is not JSON was taken")
		}
		made := viewAssistant(&elumenta.Assistant{Fields: fields, Visibility: v, Version: 1})
		shown, err := json.Marshal(made.FieldsView)
		if err != nil {
			t.Fatal(err)
		}
		again := decodeAssistant(shown, update) // what we show can be sent back
		next, _, _ := again.patch.Apply(elumenta.Fields{}, elumenta.Private)
		if err := a.checked(again, next, v); err != nil {
			t.Fatalf("%v: %s", err, shown)
		}
	})
}

func FuzzReportBody(f *testing.F) {
	for _, s := range []string{
		`{"reason":"spam"}`, `{"reason":"other","comment":"\ud83d\ude00"}`, `{"version":3,"name":"n"}`, `{"version":1e3}`, `{"version":0,"name":"a\nb"}`, `{"reason":{}}`, `{`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := readReport(body)
		if err != nil {
			checkError(t, err)
		} else if !json.Valid(body) || !utf8.ValidString(string(n.Comment)) {
			t.Fatal("a report that cannot be stored")
		}
		var r reader
		version, name := r.copied(body)
		if err := r.err(); err != nil {
			checkError(t, err)
		} else if !json.Valid(body) || version < 0 || !utf8.ValidString(name) {
			t.Fatalf("copies version %d as %q", version, name)
		}
	})
}

func FuzzCursor(f *testing.F) {
	a := benchAPI(f, 0)
	l := list{kind: "assistants", account: elumenta.NewAccountID(), filter: "q"}
	f.Add(a.cursor(l, "asst_x"), "asst_x")
	f.Add("", "")
	f.Add("AAAA", "x")
	f.Fuzz(func(t *testing.T, cursor, position string) {
		if got, err := a.position(l, cursor); err != nil {
			if statusOf(elumenta.AsError(err)) != http.StatusBadRequest {
				t.Fatal(err)
			}
		} else if cursor != "" && a.cursor(l, got) != cursor {
			t.Fatalf("a cursor that we did not make was taken: %q", cursor)
		}
		if position == "" || len(position) > 100 {
			return
		}
		made := a.cursor(l, position)
		if got, err := a.position(l, made); err != nil || got != position {
			t.Fatalf("%q came back as %q: %v", position, got, err)
		}
		for _, other := range []list{{kind: "keys", account: l.account, filter: l.filter}, {kind: l.kind, filter: l.filter}, {kind: l.kind, account: l.account}} {
			if _, err := a.position(other, made); err == nil {
				t.Fatal("a cursor of another list was taken")
			}
		}
	})
}

func FuzzTags(f *testing.F) {
	for _, s := range []string{`"1"`, `W/"1", "2"`, "*", `"`, `"a""b"`, ",,", `"a" "b"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		tags, err := parseTags("If-Match", []string{header})
		if err != nil {
			checkError(t, err)
			return
		}
		for _, tag := range tags.list {
			if !tags.matchWeak(tag) {
				t.Fatalf("%q does not match itself", tag)
			}
		}
	})
}
