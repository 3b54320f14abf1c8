package elumenta

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Limits of a key, by the contract.
const (
	MaxKeyName = 100
	// MaxKeyScope is how many assistants, and how many models, a key may be limited to.
	MaxKeyScope = 100
	// MaxKeyBudget bounds a key's budget, in tokens.
	MaxKeyBudget = 1_000_000_000_000
)

// Key is an API key as it is stored: everything but the key itself.
type Key struct {
	ID        KeyID
	AccountID AccountID
	Name      string
	Hash      KeyHash
	// Prefix is the first 8 characters of the key, to recognise it by.
	Prefix string
	Limits KeyLimits
	// Spent is what the key has spent and reserved, in tokens, counted while it has a budget. It is never set back: who
	// wants to allow more raises the budget.
	Spent int64
	// Revision rises with every change that a request's fate may depend on. Spending does not raise it.
	Revision int64
	// LastUsedAt is zero for a key that was never used; it follows the use within seconds.
	CreatedAt, LastUsedAt time.Time
}

// Expired reports whether the key's time is over.
func (k *Key) Expired(now time.Time) bool {
	return !k.Limits.ExpiresAt.IsZero() && !now.Before(k.Limits.ExpiresAt)
}

// KeyExpired is the answer to a request with a key whose time is over.
func KeyExpired() *Error {
	return Errorf(CodeNotAuthenticated, "the API key has expired: use another, or let the account's owner extend it")
}

// KeyLimits narrow what a key may do. The zero value is no limit.
type KeyLimits struct {
	// ReadOnly keys read, and neither change anything nor generate.
	ReadOnly bool
	// Assistants and Models are what the key may generate with, 1 to MaxKeyScope of each; nil is all. A key that is limited
	// to assistants generates only with one.
	Assistants []AssistantID
	Models     []string // slugs
	// Budget is how many tokens the key may spend in all, 0 to MaxKeyBudget; nil is no limit.
	Budget *int64
	// ExpiresAt is when the key stops working; zero means never.
	ExpiresAt time.Time
}

// KeyLimit names a limit of a key.
type KeyLimit string

// The limits.
const (
	LimitReadOnly   KeyLimit = "read_only"
	LimitAssistants KeyLimit = "assistants"
	LimitModels     KeyLimit = "models"
	LimitBudget     KeyLimit = "budget"
	LimitExpiry     KeyLimit = "expires_at"
)

// First names one of the limits that there are, or none. A limited key neither makes nor changes keys, or it could lift its
// limits.
func (l *KeyLimits) First() KeyLimit {
	switch {
	case l.ReadOnly:
		return LimitReadOnly
	case l.Assistants != nil:
		return LimitAssistants
	case l.Models != nil:
		return LimitModels
	case l.Budget != nil:
		return LimitBudget
	case !l.ExpiresAt.IsZero():
		return LimitExpiry
	}
	return ""
}

// Scoped reports whether the key is limited to assistants, models or a budget. Such a key is made to be given away: it
// generates, within its limits, and reads nothing of the account.
func (l *KeyLimits) Scoped() bool { return l.Assistants != nil || l.Models != nil || l.Budget != nil }

// AllowsModel reports whether the key may use a model, by its slug, as one that an assistant or a request names.
func (l *KeyLimits) AllowsModel(slug string) bool {
	return l.Models == nil || slices.Contains(l.Models, slug)
}

// AllowsAssistant reports whether the key may use an assistant. One that is limited to assistants may call no model without one.
func (l *KeyLimits) AllowsAssistant(id AssistantID) bool {
	return l.Assistants == nil || slices.Contains(l.Assistants, id)
}

// BeyondLimit is the answer to a request that a limit of its key forbids. The message says what to do.
func BeyondLimit(limit KeyLimit, message string) *Error {
	return &Error{Code: CodeForbidden, Message: message, Details: map[string]any{"limit": string(limit)}}
}

// Check gathers what is wrong with the limits but for the models, which the catalog knows, and the time.
func (l *KeyLimits) Check() FieldErrors {
	var errs FieldErrors
	checkScope(&errs, "assistants", l.Assistants, "must be an assistant's id: asst_ and 26 characters", func(id AssistantID) bool {
		_, ok := ParseAssistantID(string(id))
		return ok
	})
	checkScope(&errs, "models", l.Models, "must be a model's slug", func(slug string) bool { return slug != "" })
	if l.Budget != nil && (*l.Budget < 0 || *l.Budget > MaxKeyBudget) {
		errs.Add("budget", "must be between 0 and %d", int64(MaxKeyBudget))
	}
	if l.ReadOnly && l.Scoped() {
		errs.Add("read_only", "does not go together with assistants, models or budget, which are for keys that generate")
	}
	return errs
}

func checkScope[T ~string](errs *FieldErrors, field string, items []T, want string, valid func(T) bool) {
	switch {
	case items == nil:
		return
	case len(items) == 0:
		errs.Add(field, "must have at least one item; null is no limit")
	case len(items) > MaxKeyScope:
		errs.Add(field, "must have at most %d items, has %d", MaxKeyScope, len(items))
		return
	}
	seen := make(map[T]bool, len(items))
	for i, item := range items {
		switch at := fmt.Sprintf("%s[%d]", field, i); {
		case !valid(item):
			errs.Add(at, "%s", want)
		case seen[item]:
			errs.Add(at, "is listed twice")
		}
		seen[item] = true
	}
}

func checkExpiry(errs *FieldErrors, expires, now time.Time) {
	if !expires.IsZero() && !expires.After(now) {
		errs.Add("expires_at", "must be in the future")
	}
}

func checkKeyName(errs *FieldErrors, name string) {
	checkText(errs, "name", name, 1, MaxKeyName)
	if name != "" && strings.TrimSpace(name) == "" {
		errs.Add("name", "must not be blank")
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		errs.Add("name", "must not contain control characters")
	}
}

// NewKey describes a key to create.
type NewKey struct {
	Name   string
	Limits KeyLimits
}

// Check gathers everything that is wrong with a key to create at a moment, but for its models, which the catalog knows.
func (n *NewKey) Check(now time.Time) FieldErrors {
	var errs FieldErrors
	checkKeyName(&errs, n.Name)
	errs = append(errs, n.Limits.Check()...)
	checkExpiry(&errs, n.Limits.ExpiresAt, now)
	return errs
}

// KeyPatch is a partial update of a key: what is not Set stays, null lifts a limit.
type KeyPatch struct {
	Name       Optional[string]
	ReadOnly   Optional[bool]
	Assistants Optional[[]AssistantID]
	Models     Optional[[]string]
	Budget     Optional[int64]
	ExpiresAt  Optional[time.Time]
}

// Apply returns a key's name and limits with the patch applied, and whether anything differs.
func (p *KeyPatch) Apply(k *Key) (next NewKey, changed bool) {
	next = NewKey{k.Name, k.Limits}
	set(&next.Name, p.Name)
	set(&next.Limits.ReadOnly, p.ReadOnly)
	set(&next.Limits.Assistants, p.Assistants)
	set(&next.Limits.Models, p.Models)
	setPointer(&next.Limits.Budget, p.Budget)
	set(&next.Limits.ExpiresAt, p.ExpiresAt)
	next.Limits.ExpiresAt = next.Limits.ExpiresAt.UTC().Truncate(time.Microsecond) // as it is stored
	return next, !reflect.DeepEqual(next, NewKey{k.Name, k.Limits})
}

// Check gathers what is wrong with the patch by itself, as NewKey.Check does: KeyLimits.Check judges what Apply makes of a
// key. A time that is over may stay, and may not be set.
func (p *KeyPatch) Check(now time.Time) FieldErrors {
	next, _ := p.Apply(&Key{})
	var errs FieldErrors
	if p.Name.Set {
		checkKeyName(&errs, next.Name)
	}
	errs = append(errs, next.Limits.Check()...)
	checkExpiry(&errs, next.Limits.ExpiresAt, now)
	return errs
}

// KeyHash is the SHA-256 of an API key, which is all that is stored of it.
type KeyHash [sha256.Size]byte

// KeySecret is an API key itself. It redacts itself when printed or logged; Reveal gives the text, to be shown once.
type KeySecret struct{ text string }

const (
	keyPrefix    = "nb_"
	keyRandom    = 39
	keyChecksum  = 6
	keyLength    = len(keyPrefix) + keyRandom + keyChecksum
	keyShown     = 8
	base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewKeySecret makes a random key: nb_, 39 random characters (232 bits) and a checksum of 6.
func NewKeySecret() KeySecret {
	b := []byte(keyPrefix)
	digits := big.NewInt(int64(len(base62Digits)))
	for range keyRandom {
		n, err := rand.Int(rand.Reader, digits)
		if err != nil {
			panic(err) // crypto/rand does not fail since Go 1.24
		}
		b = append(b, base62Digits[n.Int64()])
	}
	return KeySecret{string(b) + checksum(string(b))}
}

// ParseKeySecret checks a key's form and checksum; nothing is looked up. A key that fails was mistyped or is not ours.
func ParseKeySecret(s string) (KeySecret, bool) {
	if len(s) != keyLength || !strings.HasPrefix(s, keyPrefix) {
		return KeySecret{}, false
	}
	for _, c := range []byte(s[len(keyPrefix):]) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return KeySecret{}, false
		}
	}
	body := s[:keyLength-keyChecksum]
	return KeySecret{s}, checksum(body) == s[keyLength-keyChecksum:]
}

// checksum is the CRC-32 (IEEE) in base 62, most significant digit first, padded with 0 to 6.
func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	var b [keyChecksum]byte
	for i := keyChecksum - 1; i >= 0; i-- {
		b[i] = base62Digits[sum%62]
		sum /= 62
	}
	return string(b[:])
}

// Reveal returns the key's text. Show it once, to its owner.
func (k KeySecret) Reveal() string { return k.text }

// Hash is what is stored and looked up.
func (k KeySecret) Hash() KeyHash { return sha256.Sum256([]byte(k.text)) }

// Prefix returns the characters by which an owner recognises a key in a list.
func (k KeySecret) Prefix() string { return k.text[:min(len(k.text), keyShown)] }

// String hides the key.
func (k KeySecret) String() string { return keyPrefix + "…" }

// GoString hides the key.
func (k KeySecret) GoString() string { return k.String() }

// LogValue hides the key.
func (k KeySecret) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText hides the key, in JSON too. What shows it to its owner calls Reveal.
func (k KeySecret) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
