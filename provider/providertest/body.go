package providertest

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// Sent is a request as a server got it.
type Sent struct {
	Path   string
	Query  string
	Header http.Header
	Body   string
}

// Capture runs call against a server that refuses with status 400 and returns the first request that it got. An official
// SDK that is pointed to the server shows what it sends.
func Capture(tb testing.TB, call func(server string, client *http.Client)) Sent {
	tb.Helper()
	return capture(tb, http.StatusBadRequest, "{}", call)
}

// CaptureAnswer is Capture with a server that answers: with an event stream if the answer begins with data, else JSON.
func CaptureAnswer(tb testing.TB, answer string, call func(server string, client *http.Client)) Sent {
	tb.Helper()
	return capture(tb, http.StatusOK, answer, call)
}

func capture(tb testing.TB, status int, answer string, call func(server string, client *http.Client)) Sent {
	tb.Helper()
	requests := make(chan Sent, 16)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		select {
		case requests <- Sent{Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Body: string(body)}:
		default:
		}
		w.Header().Set("Content-Type", Case{Stream: strings.HasPrefix(answer, "data")}.contentType())
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	call(server.URL, server.Client())
	select {
	case sent := <-requests:
		return sent
	default:
		tb.Fatal("no request came")
		return Sent{}
	}
}

// Sent returns what the format sends for a prompt, with these capabilities.
func (s Suite) Sent(tb testing.TB, c elumenta.Capabilities, p *elumenta.Prompt) Sent {
	tb.Helper()
	return Capture(tb, func(server string, client *http.Client) {
		target := s.target(server)
		target.Client, target.Capabilities = client, c
		Collect(tb.Context(), tb, s.Provider, target, p)
	})
}

// Normalisation says in which way two bodies may differ and mean the same. Apply changes a decoded body into the form
// that is compared; it is applied to both.
type Normalisation struct {
	Why   string
	Apply func(body map[string]any)
}

// SameRequest compares a body of ours with that of an official SDK, as JSON.
func SameRequest(tb testing.TB, ours, official string, allowed ...Normalisation) {
	tb.Helper()
	a, b := decodeObject(tb, "ours", ours), decodeObject(tb, "official", official)
	for _, n := range allowed {
		n.Apply(a)
		n.Apply(b)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		tb.Errorf("body (-official +ours):\n%s", diff)
	}
}

func decodeObject(tb testing.TB, whose, text string) map[string]any {
	tb.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		tb.Fatalf("%s: %v in %s", whose, err, text)
	}
	return v
}

// Reasoned is what a provider sends of reasoning: the named members of its body, as JSON, and the fields that it warns of.
func Reasoned(tb testing.TB, p elumenta.Provider, model string, prompt *elumenta.Prompt, members ...string) (sent, warned string) {
	tb.Helper()
	var done elumenta.Completion
	body := Capture(tb, func(server string, client *http.Client) {
		whole := elumenta.Range{Max: 2}
		done, _ = p.Generate(tb.Context(), elumenta.Target{
			Name: "test", BaseURL: server, Model: model, Client: client, Capabilities: elumenta.Capabilities{Temperature: &whole, TopP: &whole, Tools: true},
		}, prompt, func(elumenta.Event) error { return nil })
	}).Body
	got := decodeObject(tb, "ours", body)
	for _, name := range members {
		if v, ok := got[name]; ok {
			b, err := json.Marshal(v)
			if err != nil {
				tb.Fatal(err)
			}
			sent += name + string(b)
		}
	}
	for _, w := range done.Warnings {
		warned += w.Field + " "
	}
	return sent, strings.TrimSpace(warned)
}
