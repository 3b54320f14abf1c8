package elumenta

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"time"
)

// Times of sessions of the web console and of one-time sign-in links.
const (
	// SessionIdle is how long a session lasts without a request, SessionLifetime how long at most.
	SessionIdle     = 12 * time.Hour
	SessionLifetime = 30 * 24 * time.Hour
	// SignInLinkLifetime is how long a sign-in link may be spent.
	SignInLinkLifetime = 15 * time.Minute
	// MaxSessions is how many sessions an account may have; signing in ends the oldest beyond that, of the same key if it has some.
	MaxSessions = 100
	// MaxUserAgent bounds what is kept of a browser's name, in characters.
	MaxUserAgent = 200
)

// SessionToken is the secret of a session or of a sign-in link: 256 random bits. It redacts itself; only its hash is stored.
type SessionToken struct{ text string }

// NewSessionToken draws a token.
func NewSessionToken() SessionToken {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return SessionToken{base64.RawURLEncoding.EncodeToString(b[:])}
}

// ParseSessionToken reports whether s is a well-formed token; nothing is looked up.
func ParseSessionToken(s string) (SessionToken, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 32 {
		return SessionToken{}, false
	}
	return SessionToken{s}, true
}

// Reveal is the token itself, for the cookie or link that carries it.
func (t SessionToken) Reveal() string { return t.text }

// Hash is what is stored of the token.
func (t SessionToken) Hash() SessionHash { return sha256.Sum256([]byte(t.text)) }

// String hides the token.
func (SessionToken) String() string { return "[redacted]" }

// LogValue hides the token.
func (SessionToken) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// SessionHash is the SHA-256 of a SessionToken.
type SessionHash [sha256.Size]byte

// Session is a browser that is signed in to the web console with a key. It may do what the key may, and ends with it.
type Session struct {
	ID        SessionID
	AccountID AccountID
	KeyID     KeyID
	// CreatedAt is when it began, LastSeenAt its last request, within minutes.
	CreatedAt, LastSeenAt time.Time
	// UserAgent and Address are the browser's, to recognise the session by.
	UserAgent, Address string
}

// NewSession is what a session begins with.
type NewSession struct {
	Token SessionToken
	// Ends is the session that this one takes the place of in the same browser; zero for none.
	Ends               SessionHash
	UserAgent, Address string
}

// Sessions keeps the sessions of the web console. Errors are *Error; a session that has ended, or whose key was revoked or has expired,
// is CodeNotAuthenticated, a suspended account CodeAccountSuspended. Methods are safe for concurrent use; what they acknowledge is durable.
type Sessions interface {
	// SignIn begins a session with a key.
	SignIn(ctx context.Context, key KeyHash, n NewSession) (*Session, error)
	// SignInByLink begins a session with the key of a sign-in link, which is spent by that.
	SignInByLink(ctx context.Context, link SessionHash, n NewSession) (*Session, error)
	// Session finds the session of a token and its caller as they are now.
	Session(ctx context.Context, token SessionHash) (*Session, *Caller, error)
	// AccountSessions lists an account's sessions, the newest first.
	AccountSessions(ctx context.Context, account AccountID) ([]Session, error)
	// EndSession ends one of an account's sessions; CodeNotFound if it has none of that id.
	EndSession(ctx context.Context, account AccountID, id SessionID) error
	// EndOtherSessions ends an account's sessions but for one, and says how many.
	EndOtherSessions(ctx context.Context, account AccountID, but SessionID) (int64, error)
	// NewSignInLink makes a link's token good for SignInLinkLifetime, once, with a key.
	NewSignInLink(ctx context.Context, key KeyID, link SessionToken) error
}
