package elumenta_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

func TestIDsSortByTime(t *testing.T) {
	last := elumenta.NewAssistantID()
	for range 1000 {
		next := elumenta.NewAssistantID()
		if next <= last {
			t.Fatalf("%s does not sort after %s", next, last)
		}
		last = next
	}
	if _, ok := elumenta.ParseAssistantID(string(last)); !ok {
		t.Errorf("%s does not parse", last)
	}
}

func TestFirstGenerationIDBoundsItsMillisecond(t *testing.T) {
	before := elumenta.FirstGenerationID(time.Now())
	id := elumenta.NewGenerationID()
	after := elumenta.FirstGenerationID(time.Now().Add(time.Millisecond))
	if id < before || id >= after {
		t.Errorf("%s is not in [%s, %s)", id, before, after)
	}
}

func TestMalformedIDs(t *testing.T) {
	good := string(elumenta.NewAssistantID())
	for _, s := range []string{
		"", "asst_", good[5:], "gen_" + good[5:], good + "0", good[:len(good)-1], strings.ToUpper(good), good[:10] + "u" + good[11:],
		good[:10] + "\r\n" + good[12:], "asst_8" + good[6:], "asst__" + good[6:], good[:10] + "é" + good[12:],
	} {
		if _, ok := elumenta.ParseAssistantID(s); ok {
			t.Errorf("%q is taken for an assistant id", s)
		}
	}
}

func TestAssistantRef(t *testing.T) {
	id := elumenta.NewAssistantID()
	for _, c := range []struct {
		suffix string
		want   elumenta.AssistantRef
		ok     bool
	}{
		{"", elumenta.AssistantRef{ID: id}, true},
		{"@3", elumenta.AssistantRef{ID: id, Version: 3}, true},
		{"@999999999", elumenta.AssistantRef{ID: id, Version: 999999999}, true},
		{"@production", elumenta.AssistantRef{ID: id, Label: "production"}, true},
		{"@a-1", elumenta.AssistantRef{ID: id, Label: "a-1"}, true},
		{"@", elumenta.AssistantRef{}, false},
		{"@0", elumenta.AssistantRef{}, false},
		{"@03", elumenta.AssistantRef{}, false},
		{"@-1", elumenta.AssistantRef{}, false},
		{"@1.5", elumenta.AssistantRef{}, false},
		{"@1234567890", elumenta.AssistantRef{}, false},
		{"@Prod", elumenta.AssistantRef{}, false},
		{"@" + strings.Repeat("a", 33), elumenta.AssistantRef{}, false},
		{"@3@3", elumenta.AssistantRef{}, false},
	} {
		got, ok := elumenta.ParseAssistantRef(string(id) + c.suffix)
		if ok != c.ok || got != c.want {
			t.Errorf("%q: got %+v %t", c.suffix, got, ok)
		}
	}
}

func FuzzParseAssistantRef(f *testing.F) {
	id := string(elumenta.NewAssistantID())
	for _, s := range []string{"", id, id + "@3", id + "@production", id + "@", "@", id[:12]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, ok := elumenta.ParseAssistantRef(s)
		if !ok {
			return
		}
		back := string(ref.ID)
		switch {
		case ref.Version > 0 && ref.Label == "":
			back += fmt.Sprintf("@%d", ref.Version)
		case ref.Label != "" && ref.Version == 0:
			back += "@" + ref.Label
		}
		if back != s {
			t.Errorf("%q reads as %q", s, back)
		}
	})
}

func TestKeySecret(t *testing.T) {
	key := elumenta.NewKeySecret()
	text := key.Reveal()
	if len(text) != 48 || !strings.HasPrefix(text, "nb_") {
		t.Fatalf("%d characters", len(text))
	}
	if _, ok := elumenta.ParseKeySecret(text); !ok {
		t.Error("a new key does not parse")
	}
	// The checksum as the contract words it, computed apart from the code.
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum, want := uint64(crc32.ChecksumIEEE([]byte(text[:42]))), ""
	for range 6 {
		want = string(digits[sum%62]) + want
		sum /= 62
	}
	if text[42:] != want {
		t.Errorf("checksum %s, want %s", text[42:], want)
	}
	for i := range len(text) {
		swapped := []byte(text)
		swapped[i] = 'z' - (swapped[i] % 20)
		if s := string(swapped); s != text {
			if _, ok := elumenta.ParseKeySecret(s); ok {
				t.Errorf("a key mistyped at %d is taken", i)
			}
		}
	}
}

func FuzzParseKeySecret(f *testing.F) {
	f.Add(elumenta.NewKeySecret().Reveal())
	f.Add("nb_")
	f.Fuzz(func(t *testing.T, s string) {
		if key, ok := elumenta.ParseKeySecret(s); ok && key.Reveal() != s {
			t.Errorf("%q reads as %q", s, key.Reveal())
		}
	})
}

func TestSecretsRedactThemselves(t *testing.T) {
	const canary = "canary-5f1d"
	key := elumenta.NewKeySecret()
	var installation elumenta.InstallationSecret
	copy(installation[:], canary)
	part := elumenta.Part{Kind: elumenta.PartText, Text: canary, Opaque: &elumenta.Opaque{Data: canary}}
	target := elumenta.Target{Credential: elumenta.NewSecret(canary)}
	snapshot := &elumenta.Snapshot{Instructions: canary}
	for _, v := range []any{elumenta.Text(canary), elumenta.NewSecret(canary), key, installation, part, &part, target, &target, snapshot} {
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})).Debug("x", "v", v)
		out := log.String()
		if _, isText := v.(elumenta.Text); isText {
			out += fmt.Sprintf("%v %s %q %x %d", v, v, v, v, v)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			out += fmt.Sprintf(verb, v)
		}
		for _, secret := range []string{canary, key.Reveal()} {
			if strings.Contains(out, secret) && !jsonShowsText(v) {
				t.Errorf("%T shows %s: %s", v, secret, out)
			}
		}
	}
	if b, err := json.Marshal(target.Credential); err != nil || strings.Contains(string(b), canary) {
		t.Errorf("a marshalled credential is %s, %v", b, err)
	}
}

// jsonShowsText reports whether a JSON log handler would marshal text inside v: nothing logs such values.
func jsonShowsText(v any) bool {
	switch v.(type) {
	case elumenta.Part, *elumenta.Part, *elumenta.Snapshot:
		return true
	}
	return false
}

func TestHMACsAreApart(t *testing.T) {
	var a, b elumenta.InstallationSecret
	b[0] = 1
	one := a.Idempotency("acct_1", "generate", "k", []byte("body"))
	for name, other := range map[string]*elumenta.Idempotency{
		"secret":  b.Idempotency("acct_1", "generate", "k", []byte("body")),
		"account": a.Idempotency("acct_2", "generate", "k", []byte("body")),
		"call":    a.Idempotency("acct_1", "keys", "k", []byte("body")),
		"key":     a.Idempotency("acct_1", "generate", "k2", []byte("body")),
	} {
		if other.Key == one.Key || other.Body == one.Body {
			t.Errorf("another %s gives the same hash", name)
		}
	}
	if again := a.Idempotency("acct_1", "generate", "k", []byte("body2")); again.Key != one.Key || again.Body == one.Body {
		t.Error("another body must differ in the body's hash alone")
	}
	if a.User("acct_1", "u") == a.User("acct_2", "u") || a.User("acct_1", "u") == a.User("acct_1", "v") {
		t.Error("users are not told apart")
	}
}
