package wire_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// TestFormatKeepsRequestsApart calls several places in turn, more of them than are remembered at once.
func TestFormatKeepsRequestsApart(t *testing.T) {
	made := 0
	format := wire.Format{Header: func(credential elumenta.Secret) http.Header {
		made++
		return http.Header{"X-Key": {credential.Reveal()}}
	}}
	var got string
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		got = fmt.Sprint(r.Method, " ", r.URL, " ", r.Header.Get("X-Key"), " ", r.Header.Get("Accept"), " ", r.Header.Get("Content-Type"), " ", r.ContentLength)
		if r.Body == nil {
			r.Body = http.NoBody
		}
		return bodyOnly{}.RoundTrip(r)
	})}
	check := func(c wire.Call, want string) {
		t.Helper()
		c.Format, c.Target.Client = &format, client
		a, err := c.Send(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
		if got != want {
			t.Errorf("request = %s, want %s", got, want)
		}
	}
	target := func(base, key string) elumenta.Target {
		return elumenta.Target{BaseURL: base, Credential: elumenta.NewSecret(key)}
	}
	calls := func() {
		check(wire.Call{Target: target("http://a", "1"), Path: "/p", Body: []byte("{}")}, "POST http://a/p 1 application/json application/json 2")
		check(wire.Call{Target: target("http://a", "2"), Path: "/p", Body: []byte("[1]")}, "POST http://a/p 2 application/json application/json 3")
		check(wire.Call{Target: target("http://a", "1"), Path: "/q", Body: []byte("{}")}, "POST http://a/q 1 application/json application/json 2")
		check(wire.Call{Target: target("http://b", "1"), Path: "/p", Body: []byte("{}")}, "POST http://b/p 1 application/json application/json 2")
		check(wire.Call{Target: target("http://a", "1"), Path: "/p", Body: []byte("{}"), Stream: true}, "POST http://a/p 1 text/event-stream application/json 2")
	}
	calls()
	calls()
	if made != 5 {
		t.Errorf("headers were made %d times for 5 places", made)
	}
	check(wire.Call{Target: target("http://a", "1"), Path: "/p"}, "GET http://a/p 1 application/json  0")
	for i := range 3000 {
		check(wire.Call{Target: target("http://c", fmt.Sprint(i)), Path: "/p", Body: []byte("{}")}, fmt.Sprintf("POST http://c/p %d application/json application/json 2", i))
	}
	calls()
}

func TestFormatOfABadURL(t *testing.T) {
	for range 2 {
		if _, err := call("http://a b", nil).Send(t.Context()); kindOf(err) != elumenta.KindFailed {
			t.Errorf("error = %v", err)
		}
	}
}
