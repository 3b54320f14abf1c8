package elumenta

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// Limits of an account, by the contract.
const (
	MaxAssistants  = 10_000
	MaxKeys        = 100
	MaxVersions    = 1_000
	MaxDisplayName = 100
)

// Role says what an account may do beyond its own affairs.
type Role string

// The roles.
const (
	RoleUser  Role = "user"
	RoleAdmin Role = "admin"
)

// Plan is what an account has bought: tokens (Elumenta's own unit), and how many generations it may make.
type Plan struct {
	Name string
	// OnceTokens are granted when an account first begins such a plan, and never again.
	OnceTokens int64
	// MonthlyTokens are granted at the start of each of the plan's months and do not roll over.
	MonthlyTokens int64
	// PerHour and PerDay limit generations in the clock hour and day, UTC. Zero means no limit.
	PerHour, PerDay int64
	// OpenGenerations is how many may run at once. Zero means no limit.
	OpenGenerations int64
	// Unlimited accounts have no balance: nothing is taken and nothing is refused for want of tokens.
	Unlimited bool
}

// Plans is an ordered list, the least plan first: a model's min_plan is met by that plan and all behind it.
type Plans []Plan

// DefaultPlans are the plans of a server that configures none.
func DefaultPlans() Plans {
	return Plans{
		{Name: "free", OnceTokens: 50, PerHour: 20, PerDay: 150, OpenGenerations: 200},
		{Name: "basic", MonthlyTokens: 300, PerHour: 30, PerDay: 200, OpenGenerations: 200},
		{Name: "pro", MonthlyTokens: 700, PerHour: 60, PerDay: 500, OpenGenerations: 200},
		{Name: "vip", MonthlyTokens: 1_500, PerHour: 100, PerDay: 1_000, OpenGenerations: 200},
		{Name: "elite", MonthlyTokens: 3_000, OpenGenerations: 200},
		{Name: "unlimited", Unlimited: true},
	}
}

// Get finds a plan by name.
func (p Plans) Get(name string) (Plan, bool) {
	for _, plan := range p {
		if plan.Name == name {
			return plan, true
		}
	}
	return Plan{}, false
}

// Includes reports whether an account on plan may use what needs at least the plan least. An unknown plan includes
// nothing; an empty or unknown least needs nothing.
func (p Plans) Includes(plan, least string) bool {
	have, need := -1, 0
	for i := range p {
		if p[i].Name == plan {
			have = i
		}
		if p[i].Name == least {
			need = i
		}
	}
	return have >= need
}

// Names lists the plans, the least first.
func (p Plans) Names() []string {
	names := make([]string, len(p))
	for i := range p {
		names[i] = p[i].Name
	}
	return names
}

// Account owns keys and assistants and pays for generations.
type Account struct {
	ID          AccountID
	DisplayName string
	Role        Role
	Plan        string
	PlanStarted time.Time
	// PlanExpires is when the account falls back to the least plan; zero means never.
	PlanExpires time.Time
	Suspended   bool
	// OnceGranted is whether a plan's OnceTokens were granted: an account gets such tokens once, whatever its plans.
	OnceGranted bool
	Balance     Balance
	Rate        RateCount
	// Revision rises with every change that a request's fate may depend on: plan, role, suspension, top-up does not.
	Revision  int64
	CreatedAt time.Time
}

// RateCount is how many generations were reserved in the account's current clock hour and day, UTC. A count whose
// window has ended counts as zero.
type RateCount struct {
	Hour, Day           int64 // start of the window, Unix seconds
	HourCount, DayCount int64
}

// At returns the counts as they stand at a moment: windows that have ended start anew. A clock that is set back by less than a
// window goes on counting in the one that had begun, so that a step to and fro over its beginning allows nothing twice.
func (r RateCount) At(now time.Time) RateCount {
	window(&r.Hour, &r.HourCount, now, time.Hour)
	window(&r.Day, &r.DayCount, now, 24*time.Hour)
	return r
}

func window(start, count *int64, now time.Time, length time.Duration) {
	current := now.UTC().Truncate(length).Unix()
	if ahead := *start - current; ahead == 0 || ahead > 0 && ahead <= int64(length/time.Second) {
		return
	}
	*start, *count = current, 0
}

// RateState is what the X-RateLimit headers say. A zero limit is none, and its headers are absent.
type RateState struct {
	LimitHour, LimitDay         int64
	RemainingHour, RemainingDay int64
	ResetHour, ResetDay         time.Time
}

// State compares the counts with a plan's limits.
func (r RateCount) State(p Plan, now time.Time) RateState {
	r = r.At(now)
	return RateState{
		LimitHour: p.PerHour, LimitDay: p.PerDay,
		RemainingHour: max(0, p.PerHour-r.HourCount), RemainingDay: max(0, p.PerDay-r.DayCount),
		ResetHour: time.Unix(r.Hour, 0).Add(time.Hour), ResetDay: time.Unix(r.Day, 0).Add(24 * time.Hour),
	}
}

// Caller is who makes a request: a key and its account, as they were read together.
type Caller struct {
	Key     Key
	Account Account
}

// MaxIdempotencyKey bounds an Idempotency-Key, in characters.
const MaxIdempotencyKey = 255

// ValidIdempotencyKey reports whether s has 1 to MaxIdempotencyKey visible ASCII characters.
func ValidIdempotencyKey(s string) bool {
	return s != "" && len(s) <= MaxIdempotencyKey && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}

// Idempotency is what is kept of an Idempotency-Key: HMACs under the installation's secret, never the key or a body.
type Idempotency struct{ Key, Body [sha256.Size]byte }

// InstallationSecret is made at the first start, is the same on every node of a database, and keys the HMACs of what must
// be recognised but not stored. It redacts itself.
type InstallationSecret [32]byte

// String hides the secret.
func (s InstallationSecret) String() string { return "[redacted]" }

// GoString hides the secret.
func (s InstallationSecret) GoString() string { return s.String() }

// LogValue hides the secret.
func (s InstallationSecret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Idempotency hashes an Idempotency-Key and the body that came with it, apart for each account and call.
func (s InstallationSecret) Idempotency(account AccountID, call, key string, body []byte) *Idempotency {
	return &Idempotency{
		Key:  s.mac("idempotency key", string(account), call, key),
		Body: s.mac("idempotency body", string(account), call, key, string(body)),
	}
}

// Topup hashes a top-up's Idempotency-Key and what it asks for. The key is that of the account which gets the tokens, whoever gives them.
func (s InstallationSecret) Topup(account AccountID, key string, t *Topup) *Idempotency {
	return s.Idempotency(account, "topups", key, fmt.Appendf(nil, "%d %s", t.Tokens, t.Reason))
}

// User hashes a caller's own end user, apart for each account.
func (s InstallationSecret) User(account AccountID, user string) UserHash {
	return s.mac("user", string(account), user)
}

func (s InstallationSecret) mac(fields ...string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, s[:])
	for _, f := range fields {
		_, _ = h.Write(binary.AppendUvarint(nil, uint64(len(f))))
		_, _ = io.WriteString(h, f)
	}
	h.Sum(sum[:0])
	return sum
}

// NewAccount describes an account to create.
type NewAccount struct {
	DisplayName string
	Role        Role
	Plan        string
}

// Accounts keeps accounts and their keys. Errors are *Error: CodeNotFound, CodeValidation, CodeConflict,
// CodeUnavailable. Methods are safe for concurrent use; what they acknowledge is durable.
type Accounts interface {
	JournalReader
	// Authenticate finds a key that is not revoked, with its account, as both are now. An unknown, revoked or expired key is
	// CodeNotAuthenticated, a suspended account CodeAccountSuspended.
	Authenticate(ctx context.Context, hash KeyHash) (*Caller, error)
	// Account reads one account as it is now, its month begun anew where that was due.
	Account(ctx context.Context, id AccountID) (*Account, error)
	// SetDisplayName changes the name that the account's published assistants show. One that is denied is CodeValidation.
	SetDisplayName(ctx context.Context, id AccountID, name string) (*Account, error)
	// CreateKey stores a key for an account; StarterAuthor has none: CodeConflict. With idem, a repetition returns the first key, as it
	// is now, and replayed true.
	CreateKey(ctx context.Context, account AccountID, n NewKey, secret KeySecret, idem *Idempotency) (key *Key, replayed bool, err error)
	// Keys lists an account's keys that are not revoked, newest first.
	Keys(ctx context.Context, account AccountID, before KeyID, limit int) (keys []Key, more bool, err error)
	// ChangeKey applies a patch. What it changes counts for the next request, on every node.
	ChangeKey(ctx context.Context, account AccountID, id KeyID, p *KeyPatch) (*Key, error)
	// RevokeKey ends a key at once, on every node.
	RevokeKey(ctx context.Context, account AccountID, id KeyID) error
}
