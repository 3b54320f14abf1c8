package providertest

import (
	"io"
	"testing"
)

// Fuzz feeds foreign bytes to the decoder of a mode, as the body of an answer: it never panics, ends in an error or a
// finish, and emits no more than the body holds. Seeds are the suite's cases and the recordings.
func Fuzz(f *testing.F, s Suite, stream bool) {
	for _, c := range s.Cases {
		if c.Stream == stream {
			f.Add([]byte(c.Body))
		}
	}
	if dir := fixtures(f); dir != "" {
		for _, e := range readAll(f, dir, s.Serves) {
			if e.Stream() == stream {
				f.Add([]byte(e.ResponseBody))
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := s.collectFrom(t.Context(), t, Case{Stream: stream}, stream, string(body), io.EOF)
		size := len(got.Text) + len(got.Reasoning) + len(got.Refusal)
		for _, call := range got.ToolCalls {
			size += len(call.Arguments)
		}
		// An invalid byte becomes a replacement character of three.
		if size > 3*len(body) {
			t.Errorf("%d bytes of output from %d", size, len(body))
		}
	})
}
