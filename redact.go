package elumenta

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
)

// Secret is a provider's credential. It redacts itself when printed, logged or marshalled; Reveal gives the text.
type Secret struct{ text string }

// NewSecret wraps a credential.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the credential, for the request to the provider and nothing else.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no credential.
func (s Secret) IsZero() bool { return s.text == "" }

// String hides the credential.
func (s Secret) String() string { return "[redacted]" }

// GoString hides the credential.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the credential.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the credential, in JSON too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Text is instructions or a piece of a conversation. It is a string that redacts itself when printed or logged with
// %v, %q or slog; string(t) is the text. Marshalling shows it: a wire format is what it is for.
type Text string

// String hides the text and says how long it is.
func (t Text) String() string { return fmt.Sprintf("[%d bytes]", len(t)) }

// GoString hides the text.
func (t Text) GoString() string { return t.String() }

// Format hides the text whatever the verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, t.String()) }

// LogValue hides the text.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Stack is the calling goroutine's, as runtime/debug prints it, without the arguments of the calls: they may point into what a client sent.
func Stack() string {
	var b strings.Builder
	for line := range strings.Lines(string(debug.Stack())) {
		if strings.HasPrefix(line, "created by ") {
			b.WriteString(line) // it has none
			continue
		}
		if i := strings.LastIndexByte(line, '('); i > 0 && !strings.HasPrefix(line, "\t") {
			line = line[:i] + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}
