package elumenta

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.jetify.com/typeid"
)

// Ids are TypeIDs (https://github.com/jetify-com/typeid/tree/main/spec): a prefix, an underscore and a UUIDv7 in 26
// characters of Crockford's base 32, so that they sort by the time at which they were made.
type (
	// AssistantID names an assistant: asst_ and 26 characters.
	AssistantID string
	// GenerationID names a generation: gen_ and 26 characters.
	GenerationID string
	// KeyID names an API key without being it: key_ and 26 characters.
	KeyID string
	// AccountID names an account: acct_ and 26 characters.
	AccountID string
	// SessionID names a session of the web console without being its secret: sess_ and 26 characters.
	SessionID string
	// RequestID names one HTTP request: req_ and 26 characters.
	RequestID string
)

const (
	assistantPrefix  = "asst"
	generationPrefix = "gen"
	keyIDPrefix      = "key"
	accountPrefix    = "acct"
	sessionPrefix    = "sess"
	requestPrefix    = "req"
)

func newID(prefix string) string {
	u, err := uuid.NewV7()
	if err != nil {
		panic(err) // crypto/rand does not fail since Go 1.24
	}
	return formatID(prefix, u)
}

func formatID(prefix string, u uuid.UUID) string {
	id, err := typeid.FromUUIDBytesWithPrefix(prefix, u[:])
	if err != nil {
		panic(err) // the prefixes are constants
	}
	return id.String()
}

func parseID(prefix, s string) bool {
	if len(s) != len(prefix)+27 || !strings.HasPrefix(s, prefix) {
		return false
	}
	id, err := typeid.FromString(s)
	return err == nil && id.Prefix() == prefix
}

// NewAssistantID makes an id that sorts after those made before it.
func NewAssistantID() AssistantID { return AssistantID(newID(assistantPrefix)) }

// NewGenerationID makes an id that sorts after those made before it.
func NewGenerationID() GenerationID { return GenerationID(newID(generationPrefix)) }

// NewKeyID makes an id that sorts after those made before it.
func NewKeyID() KeyID { return KeyID(newID(keyIDPrefix)) }

// NewAccountID makes an id that sorts after those made before it.
func NewAccountID() AccountID { return AccountID(newID(accountPrefix)) }

// NewSessionID makes an id that sorts after those made before it.
func NewSessionID() SessionID { return SessionID(newID(sessionPrefix)) }

// NewRequestID makes an id for one HTTP request.
func NewRequestID() RequestID { return RequestID(newID(requestPrefix)) }

// ParseAssistantID reports whether s is a well-formed assistant id; nothing is looked up.
func ParseAssistantID(s string) (AssistantID, bool) {
	return AssistantID(s), parseID(assistantPrefix, s)
}

// ParseGenerationID reports whether s is a well-formed generation id; nothing is looked up.
func ParseGenerationID(s string) (GenerationID, bool) {
	return GenerationID(s), parseID(generationPrefix, s)
}

// ParseKeyID reports whether s is a well-formed id of a key; nothing is looked up.
func ParseKeyID(s string) (KeyID, bool) { return KeyID(s), parseID(keyIDPrefix, s) }

// ParseAccountID reports whether s is a well-formed account id; nothing is looked up.
func ParseAccountID(s string) (AccountID, bool) { return AccountID(s), parseID(accountPrefix, s) }

// FirstGenerationID returns the lowest generation id of a moment: ids made at or after t, to the millisecond, sort at or
// after it. Usage is read by ranges of ids.
func FirstGenerationID(t time.Time) GenerationID {
	var u uuid.UUID
	ms := max(t.UnixMilli(), 0)
	for i := range 6 {
		u[i] = byte(ms >> (8 * (5 - i)))
	}
	return GenerationID(formatID(generationPrefix, u))
}

// AssistantRef is how a caller names an assistant: the bare id, a pinned version (asst_…@3) or a label
// (asst_…@production). The zero value means no assistant.
type AssistantRef struct {
	ID      AssistantID
	Version int    // 0: not pinned
	Label   string // "": no label
}

// ParseAssistantRef takes ID, ID@VERSION or ID@LABEL. A version has 1 to 9 digits without a leading zero; a label is
// [a-z][a-z0-9-]{0,31}. It reports whether s is well-formed; nothing is looked up.
func ParseAssistantRef(s string) (AssistantRef, bool) {
	base, pin, pinned := strings.Cut(s, "@")
	id, ok := ParseAssistantID(base)
	if !ok {
		return AssistantRef{}, false
	}
	ref := AssistantRef{ID: id}
	if !pinned {
		return ref, true
	}
	if validLabel(pin) {
		ref.Label = pin
		return ref, true
	}
	if len(pin) == 0 || len(pin) > 9 || pin[0] < '1' || pin[0] > '9' {
		return AssistantRef{}, false
	}
	n, err := strconv.Atoi(pin)
	if err != nil {
		return AssistantRef{}, false
	}
	ref.Version = n
	return ref, true
}

func validLabel(s string) bool {
	if len(s) == 0 || len(s) > 32 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
