package console

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/elumenta/elumenta"
)

// Names of cookies. The session's has the prefix with which browsers take it from the host itself and over TLS only
// (RFC 6265bis, 4.1.3.2), wherever there is TLS.
const (
	sessionCookie  = "elumenta_session"
	languageCookie = "elumenta_language"
	themeCookie    = "elumenta_theme"
	stepsCookie    = "elumenta_steps"
	flashCookie    = "elumenta_flash"
	preferenceAge  = 365 * 24 * 3600 // seconds
)

// Attempts to sign in that an address, or a network of IPv6, has: signInBurst at once, then one each signInEvery. There is no limit over all
// addresses: a key has over 230 random bits and a link 256, which no number of addresses guesses, and such a limit would let anyone lock out all others.
const (
	signInEvery     = 6 * time.Second
	signInBurst     = 20
	signInAddresses = 10_000
)

// signInLimits slows down whoever tries many keys.
type signInLimits struct {
	limiters *otter.Cache[netip.Addr, *rate.Limiter]
}

func newSignInLimits() *signInLimits {
	return &signInLimits{otter.Must(&otter.Options[netip.Addr, *rate.Limiter]{MaximumSize: signInAddresses})}
}

func (l *signInLimits) allow(a netip.Addr) bool {
	if a.Is6() { // a host may use every address of its /64
		network, _ := a.Prefix(64) // never fails for IPv6
		a = network.Addr()
	}
	limiter, ok := l.limiters.GetIfPresent(a)
	if !ok {
		limiter, _ = l.limiters.SetIfAbsent(a, rate.NewLimiter(rate.Every(signInEvery), signInBurst))
		if limiter == nil {
			return true
		}
	}
	return limiter.Allow()
}

func (c *Console) signInRoutes() {
	c.preferenceRoutes()
	c.mux.HandleFunc("GET "+Base+"sign-in", c.handle(func(p *page) error {
		if p.session != nil {
			return p.redirect(local(p.r.URL.Query().Get("next")), "")
		}
		return p.render("", p.T("signin.title"), signInPage(p, local(p.r.URL.Query().Get("next")), ""))
	}))
	c.mux.HandleFunc("POST "+Base+"sign-in", c.handle(withForm(maxSignInForm, signIn)))
	c.mux.HandleFunc("GET "+Base+"sign-in/link", c.handle(func(p *page) error {
		return p.render("", p.T("signin.link.title"), signInLinkPage(p, false))
	}))
	c.mux.HandleFunc("POST "+Base+"sign-in/link", c.handle(withForm(maxSignInForm, signInByLink)))
	c.mux.HandleFunc("POST "+Base+"sign-out", c.handle(func(p *page) error {
		if p.session == nil {
			return p.redirect(Base+"sign-in", "signed_out")
		}
		if err := c.Sessions.EndSession(p.actor(), p.session.AccountID, p.session.ID); err != nil && !elumenta.HasCode(err, elumenta.CodeNotFound) {
			return err
		}
		p.setSession("")
		return p.redirect(Base+"sign-in", "signed_out")
	}))
}

func signIn(p *page) error {
	next := local(p.r.PostForm.Get("next"))
	refuse := func(status int, message string) error {
		return p.renderStatus(status, "", p.T("signin.title"), signInPage(p, next, message))
	}
	if !p.c.signIns.allow(p.c.API.ClientAddr(p.r)) {
		return refuse(http.StatusTooManyRequests, p.T("signin.too_many"))
	}
	key, ok := elumenta.ParseKeySecret(strings.TrimSpace(p.r.PostForm.Get("key")))
	if !ok {
		return refuse(http.StatusUnprocessableEntity, p.T("signin.malformed"))
	}
	n := p.newSession()
	_, err := p.c.Sessions.SignIn(p.actor(), key.Hash(), n)
	switch code := elumenta.AsError(err).Code; {
	case err == nil:
		p.setSession(n.Token.Reveal())
		return p.redirect(next, "")
	case code == elumenta.CodeNotAuthenticated:
		return refuse(http.StatusUnauthorized, p.T("signin.unknown"))
	case code == elumenta.CodeAccountSuspended:
		return refuse(http.StatusForbidden, p.T("signin.suspended"))
	}
	return err
}

func signInByLink(p *page) error {
	link, ok := elumenta.ParseSessionToken(p.r.PostForm.Get("token"))
	if ok && p.c.signIns.allow(p.c.API.ClientAddr(p.r)) {
		n := p.newSession()
		_, err := p.c.Sessions.SignInByLink(p.actor(), link.Hash(), n)
		if err == nil {
			p.setSession(n.Token.Reveal())
			return p.redirect(Base, "")
		}
		if !elumenta.HasCode(err, elumenta.CodeNotAuthenticated) {
			return err
		}
	}
	return p.renderStatus(http.StatusUnauthorized, "", p.T("signin.link.title"), signInLinkPage(p, true))
}

// askToSignIn is what a page answers whose session has ended, or never began.
func (p *page) askToSignIn() {
	if _, had := p.sessionToken(); had && p.navigates() {
		p.setSession("")
	}
	if strings.Contains(p.r.Header.Get("Accept"), "application/json") || p.r.Header.Get("HX-Request") != "" || p.r.URL.Path == generatePath {
		p.w.Header().Set("Content-Type", "application/json")
		p.w.WriteHeader(http.StatusUnauthorized)
		_, _ = p.w.Write([]byte(`{"error":"not_authenticated","message":"the session has ended","details":{}}`))
		return
	}
	next, message := local(p.r.URL.RequestURI()), ""
	switch {
	case p.ended == elumenta.CodeAccountSuspended:
		message = p.T("signin.suspended")
	case p.r.Method == http.MethodPost:
		message = p.T("signin.not_done")
	case p.ended == elumenta.CodeNotAuthenticated:
		message = p.T("signin.ended")
	}
	if message == "" {
		query := ""
		if next != Base {
			query = "?next=" + queryEscape(next)
		}
		_ = p.redirect(Base+"sign-in"+query, "")
		return
	}
	if err := p.renderStatus(http.StatusUnauthorized, "", p.T("signin.title"), signInPage(p, next, message)); err != nil {
		http.Error(p.w, "internal error", http.StatusInternalServerError)
	}
}

// navigates reports whether the answer is what the browser will show, and not a script's.
func (p *page) navigates() bool {
	mode := p.r.Header.Get("Sec-Fetch-Mode") // browsers leave it out where there is neither TLS nor localhost
	return mode == "" || mode == "navigate"
}

func (p *page) newSession() elumenta.NewSession {
	n := elumenta.NewSession{Token: elumenta.NewSessionToken(), UserAgent: strings.ToValidUTF8(p.r.UserAgent(), "")}
	if a := p.c.API.ClientAddr(p.r); a.IsValid() {
		n.Address = a.String()
	}
	if before, ok := p.sessionToken(); ok {
		n.Ends = before.Hash()
	}
	return n
}

func (p *page) sessionCookie() string {
	if p.c.API.Secure(p.r) {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

func (p *page) sessionToken() (elumenta.SessionToken, bool) {
	cookie, err := p.r.Cookie(p.sessionCookie())
	if err != nil {
		return elumenta.SessionToken{}, false
	}
	return elumenta.ParseSessionToken(cookie.Value)
}

// setSession gives the browser its session's token, or takes it away.
func (p *page) setSession(token string) {
	age := int(elumenta.SessionLifetime.Seconds())
	if token == "" {
		age = -1
	}
	p.setCookie(p.sessionCookie(), token, age)
}

func (p *page) setCookie(name, value string, age int) {
	http.SetCookie(p.w, &http.Cookie{ //nolint:gosec // not Secure where there is no TLS, as on a laptop
		Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: p.c.API.Secure(p.r), SameSite: http.SameSiteLaxMode,
	})
}
