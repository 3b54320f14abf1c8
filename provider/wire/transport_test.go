package wire_test

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"weak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// TestTransportKeepsRequestsApart calls several places in turn.
func TestTransportKeepsRequestsApart(t *testing.T) {
	made := 0
	format := wire.Format{Header: func(credential elumenta.Secret) http.Header {
		made++
		return http.Header{"X-Key": {credential.Reveal()}}
	}}
	var got string
	client := &http.Client{Transport: wire.NewTransport(roundTrip(func(r *http.Request) (*http.Response, error) {
		got = fmt.Sprint(r.Method, " ", r.URL, " ", r.Header.Get("X-Key"), " ", r.Header.Get("Accept"), " ", r.Header.Get("Content-Type"), " ", r.ContentLength)
		if r.Body == nil {
			r.Body = http.NoBody
		}
		return bodyOnly{}.RoundTrip(r)
	}))}
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
}

var keyed = wire.Format{Header: func(credential elumenta.Secret) http.Header {
	return http.Header{"X-Key": {credential.Reveal()}}
}}

// What a configuration had that was replaced, its credentials above all, does not stay in memory.
func TestTransportIsForgotten(t *testing.T) {
	var header weak.Pointer[string]
	func() {
		client := &http.Client{Transport: wire.NewTransport(roundTrip(func(r *http.Request) (*http.Response, error) {
			header = weak.Make(&r.Header["X-Key"][0])
			return bodyOnly{}.RoundTrip(r)
		}))}
		c := wire.Call{Format: &keyed, Target: elumenta.Target{BaseURL: "http://a", Credential: elumenta.NewSecret("k"), Client: client}, Body: []byte("{}")}
		a, err := c.Send(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
		runtime.GC()
		if header.Value() == nil {
			t.Error("a transport that is in use has forgotten its requests")
		}
		runtime.KeepAlive(client)
	}()
	runtime.GC()
	if header.Value() != nil {
		t.Error("the credential of a transport that nobody has any more is still in memory")
	}
}

func TestBadURL(t *testing.T) {
	for range 2 {
		if _, err := call("http://a b", nil).Send(t.Context()); kindOf(err) != elumenta.KindFailed {
			t.Errorf("error = %v", err)
		}
	}
}
