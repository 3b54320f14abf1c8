package elumenta

import (
	"context"
	"net/netip"
	"time"
)

// ActorCLI stands for whoever runs a command on the database itself.
const ActorCLI = "cli"

// Actor is who does something. The zero Actor is the server itself.
type Actor struct {
	// Account and Key are those of a caller of the API. CLI says that it is a command on the database.
	Account AccountID
	Key     KeyID
	CLI     bool
	// Address is from where the caller came; invalid if that is not known.
	Address netip.Addr
}

// String is how the actor is recorded: an account's id, ActorCLI, or nothing for the server itself.
func (a Actor) String() string {
	if a.CLI {
		return ActorCLI
	}
	return string(a.Account)
}

type actorKey struct{}

// WithActor returns a context whose changes are done by an actor.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf is the actor of a context.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}

// AuditAction says what was done.
type AuditAction string

// The actions of the audit trail.
const (
	AuditAccountCreated   AuditAction = "account.created"
	AuditAccountSuspended AuditAction = "account.suspended"
	AuditAccountResumed   AuditAction = "account.resumed"
	AuditRoleChanged      AuditAction = "account.role_changed"
	AuditPlanChanged      AuditAction = "account.plan_changed"
	AuditToppedUp         AuditAction = "account.topped_up"
	AuditKeyCreated       AuditAction = "key.created"
	AuditKeyChanged       AuditAction = "key.changed"
	AuditKeyRevoked       AuditAction = "key.revoked"
	AuditPublished        AuditAction = "assistant.published"
	AuditUnpublished      AuditAction = "assistant.unpublished"
	AuditDeleted          AuditAction = "assistant.deleted"
)

// AuditEntry is one row of the audit trail: who did what to what, when and from where. Rows are appended and chained by
// their hashes. Details hold names of plans, numbers and an operator's reason; never a key, instructions or a conversation.
type AuditEntry struct {
	Seq     int64
	At      time.Time
	Actor   string // as Actor.String
	Key     KeyID
	Address string
	Action  AuditAction
	Account AccountID // whose affair it is
	Target  string    // id of what it was done to
	Details map[string]any
	Hash    [32]byte
}
