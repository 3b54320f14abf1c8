package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Who waits for a server that accepts and stays silent is told so, and who need not wait is told nothing.
func TestClientSaysThatItWaits(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			<-r.Context().Done()
		}
		_, _ = w.Write([]byte("{}"))
	}))
	defer silent.Close()
	said := &lockedBuffer{}
	c := &client{base: silent.URL, http: silent.Client(), notices: said, patience: time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.call(ctx, http.MethodGet, "/silent", nil, nil)
		ended <- err
	}()
	said.await(t, "waiting: "+silent.URL+" has not answered yet; giving up in 1m0s")
	cancel()
	if err := <-ended; err == nil {
		t.Error("it was answered")
	}
	if n := strings.Count(said.String(), "\n"); n != 1 {
		t.Errorf("%d lines: %s", n, said)
	}
	quiet := &lockedBuffer{}
	c.notices, c.patience = quiet, testLimit
	if _, err := c.call(t.Context(), http.MethodGet, "/", nil, nil); err != nil || quiet.String() != "" {
		t.Errorf("%v: %s", err, quiet)
	}
}
