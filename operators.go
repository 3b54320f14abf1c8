package elumenta

import (
	"context"
	"strings"
	"time"
)

// MaxTopup bounds one top-up, in tokens.
const MaxTopup = 1_000_000_000_000

// Check gathers everything that is wrong with an account to create.
func (n *NewAccount) Check(plans Plans) FieldErrors {
	var errs FieldErrors
	checkDisplayName(&errs, n.DisplayName)
	checkPlan(&errs, plans, n.Plan)
	if n.Role != "" {
		checkRole(&errs, n.Role)
	}
	return errs
}

func checkDisplayName(errs *FieldErrors, name string) {
	checkLine(errs, "display_name", name, 1, MaxDisplayName)
}

func checkPlan(errs *FieldErrors, plans Plans, name string) {
	if _, ok := plans.Get(name); !ok {
		errs.Add("plan", "is not known; the plans are %s", strings.Join(plans.Names(), ", "))
	}
}

func checkRole(errs *FieldErrors, role Role) {
	if role != RoleUser && role != RoleAdmin {
		errs.Add("role", "must be %s or %s", RoleUser, RoleAdmin)
	}
}

// CheckReason adds what is wrong with an operator's reason: it is one line of at most MaxReason characters.
func CheckReason(errs *FieldErrors, reason string, least int) {
	checkLine(errs, "reason", reason, least, MaxReason)
}

// Topup adds 1 to MaxTopup tokens, which never expire.
type Topup struct {
	Tokens int64
	Reason string // of an operator, "" for none
	// Idempotency is nil for a top-up without an Idempotency-Key.
	Idempotency *Idempotency
}

// Check gathers everything that is wrong with a top-up.
func (t *Topup) Check() FieldErrors {
	var errs FieldErrors
	if t.Tokens < 1 || t.Tokens > MaxTopup {
		errs.Add("tokens", "must be between 1 and %d", int64(MaxTopup))
	}
	CheckReason(&errs, t.Reason, 0)
	return errs
}

// PlanChange puts an account on a plan.
type PlanChange struct {
	Plan string
	// Expires is when the account falls back to the least plan; zero means never.
	Expires time.Time
	Reason  string // of an operator, "" for none
}

// Check gathers everything that is wrong with a change of plan at a moment.
func (c *PlanChange) Check(plans Plans, now time.Time) FieldErrors {
	var errs FieldErrors
	checkPlan(&errs, plans, c.Plan)
	checkExpiry(&errs, c.Expires, now)
	if len(plans) > 0 && c.Plan == plans[0].Name && !c.Expires.IsZero() {
		errs.Add("expires_at", "must be left out: %s is the plan that accounts fall back to, and has no end", c.Plan)
	}
	CheckReason(&errs, c.Reason, 0)
	return errs
}

// AccountPatch is a partial update of an account: what is not Set stays.
type AccountPatch struct {
	DisplayName Optional[string]
	Role        Optional[Role]
}

// Check gathers everything that is wrong with a patch.
func (p *AccountPatch) Check() FieldErrors {
	var errs FieldErrors
	if p.DisplayName.Set {
		checkDisplayName(&errs, p.DisplayName.Value)
	}
	if p.Role.Set {
		checkRole(&errs, p.Role.Value)
	}
	return errs
}

// AccountQuery asks for one page of all accounts, newest first.
type AccountQuery struct {
	// Text, if not empty, is an account's id, or must be contained in the display name, case and accents aside.
	Text string
	// Plan, if not empty, is what the accounts are on by now.
	Plan string
	// Suspended, if not nil, says whether they are.
	Suspended *bool
	Before    AccountID // exclusive; "" begins at the newest
	Limit     int
}

// Operators is what operators do, for and to every account. Whoever calls has checked that the context's actor is one.
// What changes something is recorded in the audit trail, in the same commit. Errors are *Error: CodeNotFound,
// CodeValidation, CodeConflict, CodeUnavailable. Methods are safe for concurrent use; what they acknowledge is durable.
type Operators interface {
	JournalReader
	// CreateAccount makes an account on a plan; an empty role is RoleUser. With idem, a repetition returns the first one's
	// account, as it is now, and replayed true.
	CreateAccount(ctx context.Context, n NewAccount, idem *Idempotency) (a *Account, replayed bool, err error)
	// ListAccounts lists accounts.
	ListAccounts(ctx context.Context, q AccountQuery) (items []Account, more bool, err error)
	// Account reads one account as it is now.
	Account(ctx context.Context, id AccountID) (*Account, error)
	// ChangeAccount applies a patch. The last admin who is not suspended stays one, and StarterAuthor cannot be one: CodeConflict.
	ChangeAccount(ctx context.Context, id AccountID, p *AccountPatch) (*Account, error)
	// SetPlan starts a plan now: what is left of the old plan's tokens expires, the new plan's are granted, top-ups stay. An
	// account that is on the plan keeps its month and its tokens: only the plan's end changes.
	SetPlan(ctx context.Context, id AccountID, c PlanChange) (*Account, error)
	// Topup adds tokens. With an Idempotency, a repetition adds nothing and returns replayed true.
	Topup(ctx context.Context, id AccountID, t Topup) (a *Account, replayed bool, err error)
	// SetSuspended suspends an account or ends that. While it is suspended its keys do not work, and its assistants are not
	// listed and of no use to others, pinned or not. The last admin cannot be suspended: CodeConflict.
	SetSuspended(ctx context.Context, id AccountID, suspended bool, reason string) (*Account, error)
	// Keys lists an account's keys that are not revoked, newest first.
	Keys(ctx context.Context, account AccountID, before KeyID, limit int) (keys []Key, more bool, err error)
	// KeysByPrefix lists the keys of everyone that begin with a prefix, of 8 characters, newest first.
	KeysByPrefix(ctx context.Context, prefix string, before KeyID, limit int) (keys []Key, more bool, err error)
	// RevokeAnyKey ends anyone's key at once, on every node.
	RevokeAnyKey(ctx context.Context, id KeyID) error
	// Unpublish takes anyone's assistant from the marketplace, and all its versions from those who pin them, at once, upholds
	// its open reports, and bars its publishing. The author reads the reason. One of which nothing is public or reported is
	// CodeNotFound.
	Unpublish(ctx context.Context, id AssistantID, reason string) error
	// AllowAssistant lets the author of a taken-down assistant publish it again; a starter is published by that. One that is not
	// taken down is CodeNotFound.
	AllowAssistant(ctx context.Context, id AssistantID, reason string) error
	// ReviewAssistant reads anyone's assistant with its instructions, at a version or, with 0, its newest, if there is cause: it
	// is or was public, is reported or taken down, else CodeNotFound. Each time is recorded in the audit trail.
	ReviewAssistant(ctx context.Context, id AssistantID, version int) (*Reviewed, error)
	// ReportedAssistants lists assistants that have reports in a state.
	ReportedAssistants(ctx context.Context, q ReportQuery) (items []ReportedAssistant, more bool, err error)
	// Reports lists an assistant's reports, in every state, newest first, after a position if that is not zero.
	Reports(ctx context.Context, id AssistantID, after ReportPosition, limit int) (items []Report, more bool, err error)
	// DismissReports closes an assistant's open reports and leaves it as it is. One without any is CodeNotFound.
	DismissReports(ctx context.Context, id AssistantID, reason string) error
	// AuditTrail lists what was recorded, newest first.
	AuditTrail(ctx context.Context, q AuditQuery) (items []AuditEntry, more bool, err error)
}
