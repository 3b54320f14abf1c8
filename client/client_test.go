package client_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/elumenta/elumenta/client"
)

// What stands between a client and a server, and servers of other versions, answer other things, too.
func TestForeignAnswers(t *testing.T) {
	hungUp := make(chan struct{})
	answers := map[string]http.HandlerFunc{
		"proxy": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html>Bad gateway")
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example", http.StatusFound)
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "data: {\"type\":\"news\"}\n\n")
		},
		"cut in an event": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "data: {\"type\":\"content_delta\",\"delta\":\"Hello\"}\n\ndata: {\"type\":\"cont")
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "data: {\"type\":\"content_delta\",\"delta\":\"Hello\"}\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			close(hungUp)
		},
		"garbage": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "data: {\n\n") },
	}
	var answer http.HandlerFunc
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	defer s.Close()
	c := client.New(s.URL+"/", "nb_key")
	stream := func(name string) (events int, last error) {
		answer = answers[name]
		for event, err := range c.GenerateStream(t.Context(), client.GenerateRequest{Prompt: "Hello"}) {
			if event != nil {
				events++
			}
			last = err
		}
		return events, last
	}
	_, err := stream("proxy")
	wantCode(t, err, "", http.StatusBadGateway)
	if e := serverError(t, err); e.RetryAfter != 7*time.Second || e.Error() != "elumenta: 502 Bad Gateway" {
		t.Errorf("%v, again after %s", e, e.RetryAfter)
	}
	_, err = stream("redirect") // the key goes nowhere else
	wantCode(t, err, "", http.StatusFound)
	if events, err := stream("cut"); events != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d events, %v", events, err)
	}
	if events, err := stream("cut in an event"); events != 1 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d events, %v", events, err)
	}
	answer = answers["endless"]
	for _, err := range c.GenerateStream(t.Context(), client.GenerateRequest{Prompt: "Hello"}) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	<-hungUp
	var syntax *json.SyntaxError
	if _, err := stream("garbage"); !errors.As(err, &syntax) {
		t.Errorf("%v", err)
	}
	if _, err := c.GetUser(t.Context()); !errors.As(err, &syntax) {
		t.Errorf("%v", err)
	}
}
