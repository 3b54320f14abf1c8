package wire_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// sender takes the calls that it is told to take, with context and body beside the request, and answers what it got.
type sender struct {
	takes bool
	err   error
	sent  int
	trips int
}

type mark struct{}

func (s *sender) Send(ctx context.Context, r *http.Request, body []byte) (*http.Response, bool, error) {
	s.sent++
	if !s.takes || s.err != nil {
		return nil, s.takes, s.err
	}
	return answerOf(r, ctx, string(body)), true, nil
}

func (s *sender) RoundTrip(r *http.Request) (*http.Response, error) {
	s.trips++
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	return answerOf(r, r.Context(), string(body)), nil
}

func answerOf(r *http.Request, ctx context.Context, body string) *http.Response { //nolint:revive // r first
	text, _ := ctx.Value(mark{}).(string)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(r.Method + " " + text + " " + body))}
}

func TestSender(t *testing.T) {
	format := &wire.Format{}
	send := func(s *sender, text, body string) (string, error) {
		c := wire.Call{Format: format, Target: elumenta.Target{BaseURL: "http://a", Client: &http.Client{Transport: s}}}
		if body != "" {
			c.Body = []byte(body)
		}
		a, err := c.Send(context.WithValue(t.Context(), mark{}, text))
		if err != nil {
			return "", err
		}
		defer a.Close()
		return whole(a)
	}
	for _, s := range []*sender{{takes: true}, {}} {
		for _, text := range []string{"one", "two"} {
			if got, err := send(s, text, "{}"); got != "POST "+text+" {}" || err != nil {
				t.Errorf("takes %t: answer = %q, %v", s.takes, got, err)
			}
		}
		if got, err := send(s, "three", ""); got != "GET three " || err != nil {
			t.Errorf("answer = %q, %v", got, err)
		}
		if s.takes && s.trips != 1 || !s.takes && s.trips != 3 || s.sent != 2 {
			t.Errorf("takes %t: %d calls sent, %d round trips", s.takes, s.sent, s.trips)
		}
	}
	failing := &sender{takes: true, err: errors.New("no route")}
	if _, err := send(failing, "", "{}"); kindOf(err) != elumenta.KindUnreachable || failing.trips != 0 {
		t.Errorf("error = %v after %d round trips", err, failing.trips)
	}
}
