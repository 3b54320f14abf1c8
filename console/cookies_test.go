package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
	"github.com/elumenta/elumenta/httpapi"
)

// Wherever the browser speaks TLS, to us or to a proxy that we trust, the session's cookie is bound to the host and to TLS;
// whoever else says so is not believed.
func TestSessionCookie(t *testing.T) {
	for name, test := range map[string]struct {
		tls, trusted, says, secure bool
	}{
		"Plain":          {},
		"TLS":            {tls: true, secure: true},
		"TrustedProxy":   {trusted: true, says: true, secure: true},
		"PlainProxy":     {trusted: true},
		"UntrustedProxy": {says: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServerOn(t, "sqlite:"+t.TempDir()+"/test.db", func(o *httpapi.Options) {
				if test.trusted {
					o.TrustedProxies = loopback()
				}
			})
			client, address := &http.Client{Transport: &http.Transport{}}, s.url
			if test.tls {
				h := httptest.NewTLSServer(s.handler)
				defer h.Close()
				client, address = h.Client(), h.URL
			}
			defer client.CloseIdleConnections()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			ask := func(method, path, body string, cookies ...*http.Cookie) *http.Response {
				t.Helper()
				req, err := http.NewRequestWithContext(t.Context(), method, address+console.Base+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if test.says {
					req.Header.Set("X-Forwarded-Proto", "https")
				}
				for _, c := range cookies {
					req.AddCookie(c)
				}
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				return resp
			}
			given := ask(http.MethodPost, "sign-in", url.Values{"key": {s.admin.Reveal()}}.Encode()).Cookies()
			plain := "elumenta_session"
			want := plain
			if test.secure {
				want = "__Host-" + plain
			}
			if len(given) != 1 || given[0].Name != want || given[0].Secure != test.secure || given[0].Path != "/" || given[0].Domain != "" || !given[0].HttpOnly ||
				given[0].SameSite != http.SameSiteLaxMode {
				t.Fatalf("the cookies are %v", given)
			}
			session := given[0]
			if resp := ask(http.MethodGet, "account", "", session); resp.StatusCode != http.StatusOK {
				t.Errorf("with the session's cookie: %d", resp.StatusCode)
			}
			other := &http.Cookie{Name: plain, Value: session.Value}
			if !test.secure {
				other.Name = "__Host-" + plain
			}
			if resp := ask(http.MethodGet, "account", "", other); resp.StatusCode != http.StatusSeeOther { // it may be a subdomain's, or from before TLS
				t.Errorf("with a cookie of the other name: %d", resp.StatusCode)
			}
			for _, c := range ask(http.MethodPost, "account", "display_name=Ada", session).Cookies() {
				if c.Secure != test.secure {
					t.Errorf("%v", c)
				}
			}
			if ended := ask(http.MethodPost, "sign-out", "", session).Cookies(); len(ended) != 2 || ended[0].Name != want || ended[0].MaxAge >= 0 || ended[0].Secure != test.secure {
				t.Errorf("signing out leaves %v", ended)
			}
			if resp := ask(http.MethodGet, "account", "", session); resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("after signing out: %d", resp.StatusCode)
			}
		})
	}
}

// An address has so many attempts, a network of IPv6 no more; whoever else is not held up by that.
func TestSignInLimit(t *testing.T) {
	s := newServerOn(t, "sqlite:"+t.TempDir()+"/test.db", func(o *httpapi.Options) { o.TrustedProxies = loopback() })
	b := s.browser()
	attempt := func(from string) int {
		t.Helper()
		return b.post("sign-in", url.Values{"key": {elumenta.NewKeySecret().Reveal()}}, "X-Forwarded-For", from).status
	}
	for _, from := range []func(i int) string{
		func(int) string { return "192.0.2.1" },
		func(i int) string { return fmt.Sprintf("2001:db8:0:1::%x", i+1) },
	} {
		tries := 0
		for attempt(from(tries)) == http.StatusUnauthorized {
			if tries++; tries > 100 {
				t.Fatalf("%s may try for ever", from(0))
			}
		}
		if tries < 20 {
			t.Errorf("%s may try %d times", from(0), tries)
		}
	}
	for _, other := range []string{"192.0.2.2", "2001:db8:0:2::1"} {
		if status := attempt(other); status != http.StatusUnauthorized {
			t.Errorf("%s is held up: %d", other, status)
		}
	}
	b.post("sign-in", url.Values{"key": {s.admin.Reveal()}}, "X-Forwarded-For", "192.0.2.1").is(http.StatusTooManyRequests, "Too many attempts")
}

func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}
