package providertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

type statusCase struct {
	status int
	kind   elumenta.ErrorKind
}

func statuses() []statusCase {
	return []statusCase{
		{400, elumenta.KindRejected}, {413, elumenta.KindRejected}, {422, elumenta.KindRejected},
		{401, elumenta.KindAuth}, {402, elumenta.KindAuth}, {403, elumenta.KindAuth},
		{404, elumenta.KindFailed}, {500, elumenta.KindFailed}, {502, elumenta.KindFailed},
		{408, elumenta.KindTimeout}, {504, elumenta.KindTimeout},
		{429, elumenta.KindRateLimited}, {503, elumenta.KindOverloaded}, {529, elumenta.KindOverloaded},
		{301, elumenta.KindMalformed}, {307, elumenta.KindMalformed},
	}
}

func runFailures(t *testing.T, s Suite) {
	t.Helper()
	t.Run("Status", func(t *testing.T) { runStatuses(t, s) })
	t.Run("RetryAfter", func(t *testing.T) { runRetryAfter(t, s) })
	t.Run("Unreachable", func(t *testing.T) { runUnreachable(t, s) })
	t.Run("Redirect", func(t *testing.T) { runRedirect(t, s) })
	t.Run("Body", func(t *testing.T) { runBadBodies(t, s) })
	t.Run("ErrorEvent", func(t *testing.T) {
		for i, format := range s.ErrorEvents {
			c := Case{Stream: true}
			got := s.collectFrom(t.Context(), t, c, true, strings.ReplaceAll(format, "%s", canary), io.EOF)
			if _, ok := errors.AsType[*elumenta.ProviderError](got.Err); !ok {
				t.Errorf("error event %d: error = %v", i, got.Err)
			} else if elumentaKind(got.Err) == elumenta.KindTruncated {
				t.Errorf("error event %d was passed over", i)
			}
		}
	})
}

func elumentaKind(err error) elumenta.ErrorKind {
	if e, ok := errors.AsType[*elumenta.ProviderError](err); ok {
		return e.Kind
	}
	return 0
}

func runStatuses(t *testing.T, s Suite) {
	t.Helper()
	bodies := map[string]string{
		"format": s.ErrorBody(canary), "empty": "", "json": `{"a":"` + canary + `"}`, "array": `["` + canary + `"]`,
		"html": "<html>" + canary + "</html>", "cut": s.ErrorBody(canary)[:5], "large": strings.Repeat(canary, 100_000),
	}
	for _, stream := range []bool{false, true} {
		for _, st := range statuses() {
			for name, body := range bodies {
				got := s.collectFrom(t.Context(), t, Case{Status: st.status, ContentType: "application/json"}, stream, body, io.EOF)
				e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
				switch {
				case !ok || e.Kind != st.kind:
					t.Errorf("%d with body %s: error = %v, want kind %s", st.status, name, got.Err, st.kind)
				case st.status >= 400 && e.Status != st.status:
					t.Errorf("%d with body %s: Status = %d", st.status, name, e.Status)
				case e.Provider != "test" || e.Message == "":
					t.Errorf("%d with body %s: %v lacks provider or message", st.status, name, e)
				case e.Kind == elumenta.KindRejected && e.Reason == "":
					t.Errorf("%d with body %s: no reason", st.status, name)
				}
			}
		}
	}
}

func runRetryAfter(t *testing.T, s Suite) {
	t.Helper()
	tests := []struct {
		name, header, value string
		low, high           time.Duration
	}{
		{"none", "X-None", "", 0, 0},
		{"seconds", "Retry-After", "7", 7 * time.Second, 7 * time.Second},
		{"date", "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), 50 * time.Minute, time.Hour},
		{"past date", "Retry-After", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), 0, 0},
		{"milliseconds", "Retry-After-Ms", "1500", 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"negative", "Retry-After", "-3", 0, 0},
		{"NaN", "Retry-After", "NaN", 0, 0},
		{"too large", "Retry-After", "1e300", 0, 24 * time.Hour},
		{"nonsense", "Retry-After", "soon", 0, 0},
	}
	for _, tt := range tests {
		for _, status := range []int{429, 503, 529} {
			target := s.target("http://provider.test")
			client, m := answering(Case{Status: status, ContentType: "application/json"}, io.EOF, s.ErrorBody(canary))
			m.header.Set(tt.header, tt.value)
			target.Client = client
			got := Collect(t.Context(), t, s.Provider, target, Ask(true))
			e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
			if !ok || e.RetryAfter < tt.low || e.RetryAfter > tt.high {
				t.Errorf("%s, %d: error = %#v, want RetryAfter in [%s, %s]", tt.name, status, e, tt.low, tt.high)
			}
		}
	}
}

func runUnreachable(t *testing.T, s Suite) {
	t.Helper()
	refused := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		return "http://" + l.Addr().String()
	}()
	closing := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer closing.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = discardLog()
	secure.StartTLS()
	defer secure.Close()
	for name, url := range map[string]string{"refused": refused, "closing": closing.URL, "certificate": secure.URL} {
		target := s.target(url)
		transport := &http.Transport{}
		target.Client = &http.Client{Transport: transport}
		got := Collect(t.Context(), t, s.Provider, target, Ask(true))
		transport.CloseIdleConnections()
		if kind := elumentaKind(got.Err); kind != elumenta.KindUnreachable {
			t.Errorf("%s: error = %v, want kind %s", name, got.Err, elumenta.KindUnreachable)
		}
	}
	target := s.target("http://\x7f")
	target.Client = &http.Client{}
	if got := Collect(t.Context(), t, s.Provider, target, Ask(true)); got.Err == nil {
		t.Error("a base URL that is none: no error")
	}
}

// runRedirect checks that a credential goes to no other host.
func runRedirect(t *testing.T, s Suite) {
	t.Helper()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		first := httptest.NewServer(http.RedirectHandler(other.URL, status))
		target := s.target(first.URL)
		target.Client = first.Client()
		got := Collect(t.Context(), t, s.Provider, target, Ask(false))
		first.Close()
		if elumentaKind(got.Err) != elumenta.KindMalformed {
			t.Errorf("%d: error = %v", status, got.Err)
		}
	}
}

func runBadBodies(t *testing.T, s Suite) {
	t.Helper()
	stream := s.sample(t, true)
	half := stream.Body[:strings.Index(stream.Body, "\n\n")+2]
	huge := strings.Repeat("a", 5<<20)
	tests := []struct {
		name, contentType, body string
		kinds                   []elumenta.ErrorKind
	}{
		{"web page", "text/html; charset=utf-8", "<html>" + canary, []elumenta.ErrorKind{elumenta.KindMalformed}},
		{"web page named otherwise", "", "\n<!DOCTYPE html>" + canary, []elumenta.ErrorKind{elumenta.KindMalformed}},
		{"broken JSON", "", half + "data: {\"" + canary + "\n\n", []elumenta.ErrorKind{elumenta.KindMalformed}},
		{"JSON of a wrong type", "", half + "data: 17\n\n", []elumenta.ErrorKind{elumenta.KindMalformed}},
		{"text for JSON", "", half + "data: " + canary + "\n\n", []elumenta.ErrorKind{elumenta.KindMalformed}},
		{"huge line", "", half + "data: " + huge, []elumenta.ErrorKind{elumenta.KindMalformed}},
		{"huge comment", "", half + ": " + huge, []elumenta.ErrorKind{elumenta.KindMalformed}},
		{"many lines", "", half + strings.Repeat("data: "+canary+"\n", 300_000), []elumenta.ErrorKind{elumenta.KindMalformed}},
		{"nothing", "", "", []elumenta.ErrorKind{elumenta.KindTruncated}},
		{"comments only", "", ": ping\n\n: ping\n\n", []elumenta.ErrorKind{elumenta.KindTruncated}},
		{"null", "application/json", "null", []elumenta.ErrorKind{elumenta.KindMalformed, elumenta.KindTruncated}},
		{"empty object", "application/json", "{}", []elumenta.ErrorKind{elumenta.KindMalformed, elumenta.KindTruncated}},
		{"array", "application/json", "[]", []elumenta.ErrorKind{elumenta.KindMalformed, elumenta.KindTruncated}},
		{"deep", "application/json", strings.Repeat("[", 100_000), []elumenta.ErrorKind{elumenta.KindMalformed, elumenta.KindTruncated}},
	}
	for _, tt := range tests {
		for _, asked := range []bool{true, false} {
			got := s.collectFrom(t.Context(), t, Case{Stream: true, ContentType: tt.contentType}, asked, tt.body, io.EOF)
			if kind := elumentaKind(got.Err); !slices.Contains(tt.kinds, kind) && (asked || s.EitherMode || kind == 0) {
				t.Errorf("%s, stream asked %t: error = %v, want one of %v", tt.name, asked, got.Err, tt.kinds)
			}
		}
	}
}

// runEmit checks that the error of emit ends the call and comes back as it was, wherever it happens.
func runEmit(t *testing.T, s Suite) {
	t.Helper()
	stop := errors.New("stop")
	for _, c := range []Case{s.sample(t, true), s.sample(t, false)} {
		for _, wanted := range []error{stop, &elumenta.ProviderError{Kind: elumenta.KindMalformed}} {
			for at := range s.collectFrom(t.Context(), t, c, c.Stream, c.Body, io.EOF).Events {
				target := s.target("http://provider.test")
				target.Client, _ = answering(c, io.EOF, c.Body)
				n := 0
				_, err := s.Provider.Generate(t.Context(), target, withTools(Ask(c.Stream)), func(elumenta.Event) error {
					n++
					if n > at+1 {
						t.Errorf("%s: emit was called again after its error", c.Name)
					}
					if n == at+1 {
						return wanted
					}
					return nil
				})
				if err != wanted { //nolint:errorlint // it must be the very same
					t.Errorf("%s: error of event %d came back as %v", c.Name, at, err)
				}
			}
		}
	}
}

// runCancel stalls before the headers and within the body, ends the context and wants the call back and the connection
// closed.
func runCancel(t *testing.T, s Suite) {
	t.Helper()
	limit := &elumenta.ProviderError{Kind: elumenta.KindTimeout, Provider: "limit", Message: "our own limit"}
	for _, c := range []Case{s.sample(t, true), s.sample(t, false)} {
		for name, sent := range map[string]int{"headers": -1, "first byte": 0, "body": len(c.Body) / 2} {
			for _, cause := range []error{nil, limit, fmt.Errorf("wrapped: %w", limit), context.DeadlineExceeded} {
				t.Run(fmt.Sprintf("%s/%s/%v", c.Name, name, cause), func(t *testing.T) { s.stall(t, c, sent, cause) })
			}
		}
	}
}

func (s Suite) stall(t *testing.T, c Case, sent int, cause error) {
	t.Helper()
	waiting, closed := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if sent >= 0 {
			w.Header().Set("Content-Type", c.contentType())
			w.WriteHeader(http.StatusOK)
			_, _ = io.WriteString(w, c.Body[:sent])
			_ = http.NewResponseController(w).Flush()
		}
		close(waiting)
		<-r.Context().Done()
		close(closed)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-waiting
		cancel(cause)
	}()
	target := s.target(server.URL)
	target.Client = server.Client()
	got := Collect(ctx, t, s.Provider, target, withTools(Ask(c.Stream)))
	<-closed
	want, isLimit := errors.AsType[*elumenta.ProviderError](cause)
	switch {
	case isLimit && got.Err != error(want): //nolint:errorlint // it must be the very same
		t.Errorf("error = %v, want the context's cause", got.Err)
	case !isLimit && elumentaKind(got.Err) != elumenta.KindTimeout:
		t.Errorf("error = %v, want kind %s", got.Err, elumenta.KindTimeout)
	}
}
