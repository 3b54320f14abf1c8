package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

const randomSplits = 12

func sprint(v any) string { return fmt.Sprintf("%v %+v %#v %q", v, v, v, v) }

func runCases(t *testing.T, s Suite) {
	t.Helper()
	for _, c := range s.Cases {
		t.Run(c.Name, func(t *testing.T) { s.play(t, c) })
	}
}

func runRecordings(t *testing.T, s Suite) {
	t.Helper()
	all := Recordings(t, s.Serves)
	if len(all) == 0 {
		t.Skip("no recording of this format")
	}
	for _, e := range all {
		t.Run(e.Name, func(t *testing.T) {
			c := s.recorded(e)
			if e.Status < 400 && !c.Want.Finished {
				t.Fatal("the recording itself does not finish")
			}
			s.play(t, c)
		})
	}
}

// recorded makes a case of a recording.
func (s Suite) recorded(e Exchange) Case {
	c := Case{Name: e.Name, Stream: e.Stream(), Status: e.Status, Body: e.ResponseBody}
	for name, value := range e.ResponseHeaders {
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			c.ContentType = value
		}
	}
	c.Want = s.Expect([]byte(c.Body), c.Stream)
	return c
}

// play answers with a case from a server, whole and in random pieces, then from memory in random reads.
func (s Suite) play(t *testing.T, c Case) {
	t.Helper()
	seed := uint64(len(c.Body))
	random := rand.New(rand.NewPCG(seed, seed))
	modes := []bool{c.Stream}
	if s.EitherMode {
		modes = append(modes, !c.Stream)
	}
	for _, stream := range modes {
		t.Run("stream="+strconv.FormatBool(stream), func(t *testing.T) {
			s.compare(t, c, s.serve(t, c, stream, c.Body))
			for range 3 {
				s.compare(t, c, s.serve(t, c, stream, split(random, c.Body, 8)...))
			}
			for i := range randomSplits {
				s.compare(t, c, s.remember(t, c, stream, split(random, c.Body, 1<<i)...))
			}
			s.compare(t, c, s.remember(t, c, stream, split(random, c.Body, len(c.Body))...))
		})
	}
}

// split cuts text at n random points.
func split(random *rand.Rand, text string, n int) []string {
	cuts := make(map[int]bool, n)
	for range n {
		cuts[random.IntN(len(text)+1)] = true
	}
	var pieces []string
	from := 0
	for i := range len(text) + 1 {
		if cuts[i] && i > from {
			pieces = append(pieces, text[from:i])
			from = i
		}
	}
	return append(pieces, text[from:])
}

// serve plays a case from a server that flushes each piece.
func (s Suite) serve(t *testing.T, c Case, stream bool, pieces ...string) Result {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", c.contentType())
		w.WriteHeader(c.status())
		for _, piece := range pieces {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
	}))
	defer server.Close()
	target := s.target(server.URL)
	target.Client = server.Client()
	return Collect(t.Context(), t, s.Provider, target, withTools(Ask(stream)))
}

// remember plays a case from memory and checks that a pause stands before each read up to the end.
func (s Suite) remember(t *testing.T, c Case, stream bool, pieces ...string) Result {
	t.Helper()
	target := s.target("http://provider.test")
	client, m := answering(c, io.EOF, pieces...)
	target.Client = client
	col := &collector{t: t}
	finished := s.finishedAt(c)
	m.onRead = func(served int) {
		col.onRead = c.Kind == 0 && served < finished
		col.reading()
	}
	return col.run(t.Context(), s.Provider, target, withTools(Ask(stream)))
}

func (s Suite) compare(t *testing.T, c Case, got Result) {
	t.Helper()
	if c.Kind != 0 || c.status() >= 400 {
		e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
		switch {
		case !ok:
			t.Errorf("error = %v, want one of kind %s", got.Err, c.Kind)
		case c.OneModel && !e.OneModel:
			t.Errorf("error = %v, which is not of one model alone", e)
		case c.Kind != 0 && e.Kind != c.Kind || c.Reason != "" && e.Reason != c.Reason:
			t.Errorf("error = %v (reason %q), want kind %s, reason %q", e, e.Reason, c.Kind, c.Reason)
		}
		return
	}
	if got.Err != nil {
		t.Errorf("error = %v (cause %v)", got.Err, errors.Unwrap(got.Err))
		return
	}
	want := c.Want
	want.Finished = true
	if want.UpstreamID == "" {
		want.UpstreamID = got.UpstreamID
	}
	if want.Model == "" {
		want.Model = got.Model
	}
	plain := cmp.Transformer("plain", func(t elumenta.Text) any { return argument(string(t)) })
	if diff := cmp.Diff(want, got.Expectation, plain, cmp.Comparer(equalEmpty)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func equalEmpty(a, b []elumenta.ToolCall) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].ID != b[i].ID || a[i].Name != b[i].Name ||
			!reflect.DeepEqual(argument(string(a[i].Arguments)), argument(string(b[i].Arguments))) {
			return false
		}
	}
	return true
}

// argument makes JSON comparable however it is written.
func argument(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return v
}

// finishedAt is how many bytes of a body say that the provider has finished, without a line end or blank line behind.
// It is len+1 for a body that never does.
func (s Suite) finishedAt(c Case) int {
	low, high := 0, len(c.Body)+1
	for low < high {
		mid := (low + high) / 2
		if mid <= len(c.Body) && !s.Expect([]byte(c.Body[:mid]), c.Stream).Finished {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// collectFrom plays a body from memory in one read.
func (s Suite) collectFrom(ctx context.Context, tb testing.TB, c Case, stream bool, body string, end error) Result {
	tb.Helper()
	target := s.target("http://provider.test")
	target.Client, _ = answering(c, end, body)
	return Collect(ctx, tb, s.Provider, target, withTools(Ask(stream)))
}
