package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/nicksnyder/go-i18n/v2/i18n"

	"github.com/elumenta/elumenta"
)

// Base is the path under which the console stands.
const Base = "/console/"

// Bounds of a form. An assistant's instructions, as a browser escapes them, must fit; whoever is not signed in sends a key at most.
const (
	maxForm       = 4 << 20
	maxSignInForm = 64 << 10
	formTimeout   = 30 * time.Second
)

// API is the HTTP API in the same process.
type API interface {
	// ServeCaller answers a request under /api/v2 as a caller.
	ServeCaller(w http.ResponseWriter, r *http.Request, caller *elumenta.Caller)
	// ClientAddr is the address of a request's client; Secure reports whether it speaks TLS to us, or to a proxy that we trust.
	ClientAddr(r *http.Request) netip.Addr
	Secure(r *http.Request) bool
	// GenerateBody is the largest body of a generation, in bytes.
	GenerateBody() int64
}

// Options are what the console needs.
type Options struct {
	API      API
	Sessions elumenta.Sessions
	Logger   *slog.Logger
	// Version is shown at the foot of each page.
	Version string
	// Suggested names the published assistants that a new account may begin with; nil is none.
	Suggested func() []elumenta.AssistantID
	// FormTimeout bounds how long a form may take to come; 0 is 30 seconds.
	FormTimeout time.Duration
}

// Console is the web console. It is an http.Handler for the paths under Base, and safe for concurrent use.
type Console struct {
	Options
	mux      *http.ServeMux
	handler  http.Handler
	assets   *assets
	messages *i18n.Bundle
	signIns  *signInLimits
}

// New makes a console.
func New(o Options) (*Console, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FormTimeout == 0 {
		o.FormTimeout = formTimeout
	}
	c := &Console{Options: o, mux: http.NewServeMux(), signIns: newSignInLimits()}
	var err error
	if c.messages, err = loadMessages(); err != nil {
		return nil, err
	}
	if c.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper(
		gzhttp.ContentTypes([]string{"text/html", "text/css", "text/javascript", "image/svg+xml", "application/json"}),
		gzhttp.RandomJitter(32, 0, false), // the length of a page tells nothing of what it shows (https://www.breachattack.com)
	)
	if err != nil {
		return nil, err
	}
	c.mux.Handle("GET "+staticPath+"{version}/", c.assets)
	c.signInRoutes()
	c.homeRoutes()
	c.marketplaceRoutes()
	c.assistantRoutes()
	c.versionRoutes()
	c.playgroundRoutes()
	c.keyRoutes()
	c.usageRoutes()
	c.accountRoutes()
	c.adminRoutes()
	c.mux.HandleFunc(Base, c.handle((*page).nowhere))
	pages := compress(c.mux)
	c.handler = http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == generatePath { // a stream goes out as it comes
			c.mux.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	}))
	return c, nil
}

const generatePath = Base + "generate"

// policy allows what the console itself sends and nothing else; images that a person picks are data: and blob:.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP answers a request for a path under Base.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store")
	c.handler.ServeHTTP(w, r)
}

// page adds a page for whoever is signed in; path stands under Base.
func (c *Console) page(path string, h func(*page) error) {
	c.mux.HandleFunc("GET "+Base+path, c.handle(signedIn(h)))
}

// form adds what a form is sent to, for whoever is signed in.
func (c *Console) form(path string, h func(*page) error) {
	c.mux.HandleFunc("POST "+Base+path, c.handle(signedIn(withForm(maxForm, h))))
}

// nowhere answers an address without a page. One that forms alone are sent to leads to the page above it: a browser asks for it
// after a sign-in or another choice of language.
func (p *page) nowhere() error {
	above := p.r.URL.Path
	if p.r.Method != http.MethodGet || !p.c.serves(http.MethodPost, above) {
		return elumenta.NotFound("page")
	}
	for above != Base {
		above = strings.TrimSuffix(path.Dir(strings.TrimSuffix(above, "/")), "/")
		if above+"/" == Base {
			above = Base
		}
		if p.c.serves(http.MethodGet, above) {
			break
		}
	}
	return p.redirect((&url.URL{Path: above}).EscapedPath(), "")
}

// serves reports whether there is a page, or a form is sent, there.
func (c *Console) serves(method, path string) bool {
	_, pattern := c.mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: path}})
	return pattern != "" && pattern != Base
}

// handle runs a page, and answers its errors.
func (c *Console) handle(h func(*page) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := c.newPage(w, r)
		err := c.identify(p)
		if err == nil {
			err = h(p)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			p.fail(err)
		}
	}
}

// withForm reads a form, of limited size and within its time, into p.r.PostForm.
func withForm(most int64, h func(*page) error) func(*page) error {
	return func(p *page) error {
		if err := p.readForm(most); err != nil {
			return err
		}
		return h(p)
	}
}

func (p *page) readForm(most int64) error {
	control := http.NewResponseController(p.w)
	_ = control.SetReadDeadline(time.Now().Add(p.c.FormTimeout)) // not every writer has one
	p.r.Body = http.MaxBytesReader(p.w, p.r.Body, most)
	err := p.r.ParseForm()
	if err == nil {
		_ = control.SetReadDeadline(time.Time{}) // else the server takes it for the client's going
		return nil
	}
	p.w.Header().Set("Connection", "close")
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return elumenta.Errorf(elumenta.CodePayloadTooLarge, "the form has more than %d bytes", most)
	}
	e := elumenta.Errorf(elumenta.CodeBadRequest, "the form could not be read")
	if errors.Is(err, os.ErrDeadlineExceeded) {
		e.Message, e.Status = "the form did not come in time", http.StatusRequestTimeout
	}
	return e
}

// identify finds who is signed in, if anyone.
func (c *Console) identify(p *page) error {
	token, ok := p.sessionToken()
	if !ok {
		return nil
	}
	session, caller, err := c.Sessions.Session(p.r.Context(), token.Hash())
	switch code := elumenta.AsError(err).Code; {
	case err == nil:
		p.session, p.caller = session, caller
		return nil
	case code == elumenta.CodeNotAuthenticated, code == elumenta.CodeAccountSuspended:
		p.ended = code
		return nil
	}
	return err
}

// signedIn sends whoever is not signed in to the sign-in page.
func signedIn(h func(*page) error) func(*page) error {
	return func(p *page) error {
		if p.session == nil {
			return elumenta.Errorf(elumenta.CodeNotAuthenticated, "sign in first")
		}
		return h(p)
	}
}

// local is a path of the console that a request may be sent on to, or the console's beginning.
func local(path string) string {
	if !strings.HasPrefix(path, Base) || strings.ContainsAny(path, "\\\r\n") || strings.Contains(path, "//") {
		return Base
	}
	return path
}
