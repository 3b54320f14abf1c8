package providertest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/elumenta/elumenta"
)

const (
	// realBreaks is at how many places a recording is broken on a real connection as well.
	realBreaks = 40
	// breakWork bounds the time that a long recording takes, which grows with the square of its length: up to 32 KiB
	// each byte is tried.
	breakWork = 1 << 30
)

// runBroken breaks each body at every byte: the call ends in an error, unless the provider had said before that it had
// finished, and what was emitted is the beginning of the answer.
func runBroken(t *testing.T, s Suite) {
	t.Helper()
	cases := []Case{s.sample(t, true), s.sample(t, false)}
	t.Run("Made", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.Name, func(t *testing.T) { s.breakEverywhere(t, c) })
		}
	})
	t.Run("Recorded", func(t *testing.T) {
		for _, e := range Recordings(t, s.Serves) {
			if e.Status < 400 {
				t.Run(e.Name, func(t *testing.T) { s.breakEverywhere(t, s.recorded(e)) })
			}
		}
	})
}

func (s Suite) breakEverywhere(t *testing.T, c Case) {
	t.Helper()
	whole := s.collectFrom(t.Context(), t, c, c.Stream, c.Body, io.EOF)
	if whole.Err != nil {
		t.Fatalf("unbroken: %v", whole.Err)
	}
	finished := s.finishedAt(c)
	stride := max(1, len(c.Body)*len(c.Body)/breakWork)
	for at := 0; at < len(c.Body) && !t.Failed(); at += stride {
		got := s.collectFrom(t.Context(), t, c, c.Stream, c.Body[:at], io.EOF)
		s.checkBroken(t, c, at, finished, whole, got)
		// A stream that ended as it should, behind the provider's last word, is no broken one.
		if c.Stream && at >= finished && strings.HasSuffix(c.Body[:at], "\n\n") && got.Err != nil {
			t.Errorf("ended at byte %d of %d, behind the finish: %v", at, len(c.Body), got.Err)
		}
		if at%16 == 0 {
			for _, end := range []error{io.ErrUnexpectedEOF, syscall.ECONNRESET} {
				s.checkBroken(t, c, at, finished, whole, s.collectFrom(t.Context(), t, c, c.Stream, c.Body[:at], end))
			}
		}
	}
	step := max(1, len(c.Body)/realBreaks)
	for at := 0; at < len(c.Body); at += step {
		s.checkBroken(t, c, at, finished, whole, s.cutConnection(t, c, at))
	}
}

func (s Suite) checkBroken(t *testing.T, c Case, at, finished int, whole, got Result) {
	t.Helper()
	if !strings.HasPrefix(whole.Text, got.Text) || !strings.HasPrefix(whole.Reasoning, got.Reasoning) {
		t.Errorf("broken at byte %d: what was emitted is no beginning of the answer", at)
	}
	e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
	switch {
	case !ok && at < finished:
		t.Errorf("broken at byte %d of %d (it finishes at %d): error = %v", at, len(c.Body), finished, got.Err)
	case ok && e.Kind != elumenta.KindTruncated && e.Kind != elumenta.KindUnreachable && e.Kind != elumenta.KindMalformed:
		t.Errorf("broken at byte %d: kind %s", at, e.Kind)
	}
}

// cutConnection sends the beginning of a body and closes the connection.
func (s Suite) cutConnection(t *testing.T, c Case, at int) Result {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", c.contentType())
		_, _ = io.WriteString(w, c.Body[:at])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	target := s.target(server.URL)
	target.Client = server.Client()
	return Collect(t.Context(), t, s.Provider, target, withTools(Ask(c.Stream)))
}
