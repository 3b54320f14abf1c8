package storetest

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// session signs in, and returns what the browser then has.
func session(t *testing.T, s *store.Store, key elumenta.KeySecret, ends elumenta.SessionHash) (elumenta.SessionHash, *elumenta.Session) {
	t.Helper()
	n := elumenta.NewSession{Token: elumenta.NewSessionToken(), Ends: ends, UserAgent: strings.Repeat("я", 300), Address: "192.0.2.1"}
	made, err := s.SignIn(t.Context(), key.Hash(), n)
	wantOK(t, err)
	return n.Token.Hash(), made
}

func sessionAlive(t *testing.T, s *store.Store, token elumenta.SessionHash, id elumenta.SessionID) {
	t.Helper()
	found, caller, err := s.Session(t.Context(), token)
	wantOK(t, err)
	if found.ID != id || caller.Key.ID != found.KeyID || caller.Account.ID != found.AccountID {
		t.Errorf("session %+v of %+v", found, caller)
	}
}

func sessionEnded(t *testing.T, s *store.Store, token elumenta.SessionHash, code elumenta.Code) {
	t.Helper()
	_, _, err := s.Session(t.Context(), token)
	want(t, err, code)
}

func testSessions(t *testing.T, url string) {
	now := time.Now().Truncate(time.Second)
	s := OpenWith(t, store.Options{URL: url, Now: func() time.Time { return now }})
	account := Account(t, s, "pro")
	secret, other := elumenta.NewKeySecret(), elumenta.NewKeySecret()
	key, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "one"}, secret, nil)
	wantOK(t, err)
	_, _, err = s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "two", Limits: elumenta.KeyLimits{ExpiresAt: now.Add(time.Hour)}}, other, nil)
	wantOK(t, err)
	_, err = s.SignIn(t.Context(), elumenta.NewKeySecret().Hash(), elumenta.NewSession{Token: elumenta.NewSessionToken()})
	want(t, err, elumenta.CodeNotAuthenticated)

	first, made := session(t, s, secret, elumenta.SessionHash{})
	sessionAlive(t, s, first, made.ID)
	if n := len([]rune(made.UserAgent)); n != elumenta.MaxUserAgent {
		t.Errorf("%d characters of the browser's name are kept", n)
	}
	second, made := session(t, s, secret, first) // the same browser
	sessionEnded(t, s, first, elumenta.CodeNotAuthenticated)
	third, last := session(t, s, other, elumenta.SessionHash{})
	sessions, err := s.AccountSessions(t.Context(), account)
	wantOK(t, err)
	if len(sessions) != 2 || sessions[0].ID != last.ID || sessions[1].ID != made.ID {
		t.Errorf("sessions %+v", sessions)
	}

	want(t, s.EndSession(t.Context(), Account(t, s, "pro"), made.ID), elumenta.CodeNotFound)
	_, err = s.SetSuspended(t.Context(), account, true, "")
	wantOK(t, err)
	sessionEnded(t, s, second, elumenta.CodeAccountSuspended)
	_, err = s.SetSuspended(t.Context(), account, false, "")
	wantOK(t, err)
	sessionAlive(t, s, second, made.ID)
	now = now.Add(time.Hour) // the other key expires
	sessionEnded(t, s, third, elumenta.CodeNotAuthenticated)
	sessionAlive(t, s, second, made.ID)
	n, err := s.EndOtherSessions(t.Context(), account, made.ID)
	wantOK(t, err)
	if n != 1 {
		t.Errorf("%d other sessions ended", n)
	}
	wantOK(t, s.RevokeKey(t.Context(), account, key.ID))
	sessionEnded(t, s, second, elumenta.CodeNotAuthenticated)
}

// testSessionsReplaced signs in again where somebody is signed in: the session before ends, whoever's it was, and the trail says so.
func testSessionsReplaced(t *testing.T, url string) {
	s := OpenWith(t, store.Options{URL: url})
	ada, eve := Account(t, s, "pro"), Account(t, s, "pro")
	keys := map[elumenta.AccountID]elumenta.KeySecret{}
	var eves elumenta.KeyID
	for _, account := range []elumenta.AccountID{ada, eve} {
		keys[account] = elumenta.NewKeySecret()
		key, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "one"}, keys[account], nil)
		wantOK(t, err)
		eves = key.ID
	}
	elsewhere, other := session(t, s, keys[ada], elumenta.SessionHash{})
	first, adas := session(t, s, keys[ada], elumenta.SessionHash{})
	second, made := session(t, s, keys[eve], first)
	sessionEnded(t, s, first, elumenta.CodeNotAuthenticated)
	sessionAlive(t, s, second, made.ID)
	sessionAlive(t, s, elsewhere, other.ID)
	link := elumenta.NewSessionToken()
	wantOK(t, s.NewSignInLink(t.Context(), eves, link))
	_, err := s.SignInByLink(t.Context(), link.Hash(), elumenta.NewSession{Token: elumenta.NewSessionToken(), Ends: second})
	wantOK(t, err)
	sessionEnded(t, s, second, elumenta.CodeNotAuthenticated)
	ended := map[string]elumenta.AccountID{}
	for _, e := range trail(t, s) {
		if e.Action == elumenta.AuditSignedOut {
			ended[e.Target] = e.Account
			if e.Actor != string(eve) {
				t.Errorf("%s was ended by %s", e.Target, e.Actor)
			}
		}
	}
	if want := map[string]elumenta.AccountID{string(adas.ID): ada, string(made.ID): eve}; !maps.Equal(ended, want) {
		t.Errorf("on record are %v, want %v", ended, want)
	}
	if _, err := s.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
}

// An account has so many sessions: signing in once more ends the oldest, and nobody else's.
func testSessionsLimit(t *testing.T, url string) {
	s := OpenWith(t, store.Options{URL: url})
	keyOf := func(account elumenta.AccountID) elumenta.KeySecret {
		secret := elumenta.NewKeySecret()
		_, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "one"}, secret, nil)
		wantOK(t, err)
		return secret
	}
	account := Account(t, s, "pro")
	key, other := keyOf(account), keyOf(Account(t, s, "pro"))
	theirs, their := session(t, s, other, elumenta.SessionHash{})
	tokens, made := make([]elumenta.SessionHash, elumenta.MaxSessions+2), make([]*elumenta.Session, elumenta.MaxSessions+2)
	for i := range tokens {
		tokens[i], made[i] = session(t, s, key, elumenta.SessionHash{})
	}
	sessionEnded(t, s, tokens[0], elumenta.CodeNotAuthenticated)
	sessionEnded(t, s, tokens[1], elumenta.CodeNotAuthenticated)
	sessionAlive(t, s, tokens[2], made[2].ID)
	sessionAlive(t, s, tokens[len(tokens)-1], made[len(made)-1].ID)
	sessionAlive(t, s, theirs, their.ID)
	sessions, err := s.AccountSessions(t.Context(), account)
	wantOK(t, err)
	if len(sessions) != elumenta.MaxSessions {
		t.Errorf("the account has %d sessions", len(sessions))
	}
	// Another key of the account ends one of them, and then its own.
	beside := keyOf(account)
	session(t, s, beside, elumenta.SessionHash{})
	for range 5 {
		session(t, s, beside, elumenta.SessionHash{})
	}
	sessionEnded(t, s, tokens[2], elumenta.CodeNotAuthenticated)
	sessionAlive(t, s, tokens[3], made[3].ID)
	items, _, err := s.AuditTrail(t.Context(), elumenta.AuditQuery{Action: elumenta.AuditSignedOut, Limit: 10})
	wantOK(t, err)
	if items = items[len(items)-2:]; len(items) != 2 || items[0].Target != string(made[1].ID) || items[1].Target != string(made[0].ID) {
		t.Errorf("on record are %+v", items)
	}
}

// A session ends when nobody uses it, and after its lifetime whoever uses it.
func testSessionTimes(t *testing.T, url string) {
	now := time.Now().Truncate(time.Second)
	s := OpenWith(t, store.Options{URL: url, Now: func() time.Time { return now }})
	account, secret := Account(t, s, "pro"), elumenta.NewKeySecret()
	_, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "one"}, secret, nil)
	wantOK(t, err)
	idle, _ := session(t, s, secret, elumenta.SessionHash{})
	used, made := session(t, s, secret, elumenta.SessionHash{})
	for end := now.Add(elumenta.SessionLifetime); now.Before(end.Add(-elumenta.SessionIdle / 2)); {
		now = now.Add(elumenta.SessionIdle / 2)
		if now.Before(end) {
			sessionAlive(t, s, used, made.ID)
		}
	}
	sessionEnded(t, s, idle, elumenta.CodeNotAuthenticated)
	now = now.Add(elumenta.SessionIdle / 2)
	sessionEnded(t, s, used, elumenta.CodeNotAuthenticated)
}

func testSignInLinks(t *testing.T, url string) {
	now := time.Now().Truncate(time.Second)
	s := OpenWith(t, store.Options{URL: url, Now: func() time.Time { return now }})
	account := Account(t, s, "pro")
	key, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "one"}, elumenta.NewKeySecret(), nil)
	wantOK(t, err)
	spend := func(link elumenta.SessionToken) error {
		_, err := s.SignInByLink(t.Context(), link.Hash(), elumenta.NewSession{Token: elumenta.NewSessionToken()})
		return err
	}
	once, late, dead := elumenta.NewSessionToken(), elumenta.NewSessionToken(), elumenta.NewSessionToken()
	for _, link := range []elumenta.SessionToken{once, late, dead} {
		wantOK(t, s.NewSignInLink(t.Context(), key.ID, link))
	}
	wantOK(t, spend(once))
	want(t, spend(once), elumenta.CodeNotAuthenticated)
	want(t, spend(elumenta.NewSessionToken()), elumenta.CodeNotAuthenticated)
	wantOK(t, s.RevokeKey(t.Context(), account, key.ID))
	want(t, spend(dead), elumenta.CodeNotAuthenticated)
	now = now.Add(elumenta.SignInLinkLifetime)
	want(t, spend(late), elumenta.CodeNotAuthenticated)
}
