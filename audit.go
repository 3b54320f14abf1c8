package elumenta

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
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
	AuditAccountRenamed   AuditAction = "account.renamed"
	AuditAccountSuspended AuditAction = "account.suspended"
	AuditAccountResumed   AuditAction = "account.resumed"
	AuditRoleChanged      AuditAction = "account.role_changed"
	AuditPlanChanged      AuditAction = "account.plan_changed"
	AuditToppedUp         AuditAction = "account.topped_up"
	AuditKeyCreated       AuditAction = "key.created"
	AuditKeyChanged       AuditAction = "key.changed"
	AuditKeyRevoked       AuditAction = "key.revoked"
	AuditSignedIn         AuditAction = "session.started"
	AuditSignedOut        AuditAction = "session.ended"
	AuditPublished        AuditAction = "assistant.published"
	AuditUnpublished      AuditAction = "assistant.unpublished"
	AuditDeleted          AuditAction = "assistant.deleted"
	AuditTakenDown        AuditAction = "assistant.taken_down"
	AuditAllowed          AuditAction = "assistant.allowed"
	AuditRead             AuditAction = "assistant.read"
	AuditReportsDismissed AuditAction = "assistant.reports_dismissed"
)

// AuditActions lists the actions.
func AuditActions() []AuditAction {
	return []AuditAction{
		AuditAccountCreated, AuditAccountRenamed, AuditAccountSuspended, AuditAccountResumed, AuditRoleChanged, AuditPlanChanged, AuditToppedUp,
		AuditKeyCreated, AuditKeyChanged, AuditKeyRevoked, AuditSignedIn, AuditSignedOut, AuditPublished, AuditUnpublished, AuditDeleted,
		AuditTakenDown, AuditAllowed, AuditRead, AuditReportsDismissed,
	}
}

// AuditHash chains an entry of the audit trail to the one before it.
type AuditHash [sha256.Size]byte

// String is the hash in hexadecimal digits.
func (h AuditHash) String() string { return hex.EncodeToString(h[:]) }

// AuditEntry is one row of the audit trail: who did what to what, when and from where. Rows are appended and chained by
// their hashes. Details hold names of plans, numbers and an operator's reason; never a key, instructions or a conversation.
type AuditEntry struct {
	Seq     int64 // from 1, without gaps
	At      time.Time
	Actor   string // as Actor.String
	Key     KeyID
	Address string
	Action  AuditAction
	Account AccountID // whose affair it is
	Target  string    // id of what it was done to
	Details map[string]any
	Hash    AuditHash
}

// AuditHead names the end of the audit trail: the number of its entries, and the hash of the last, which covers all of
// them. Whoever keeps it elsewhere can show later that none of them was changed or removed.
type AuditHead struct {
	Seq  int64
	Hash AuditHash
}

// String is SEQ:HASH, as ParseAuditHead takes it.
func (h AuditHead) String() string { return fmt.Sprintf("%d:%s", h.Seq, h.Hash) }

// ParseAuditHead takes SEQ:HASH.
func ParseAuditHead(s string) (AuditHead, bool) {
	seq, text, _ := strings.Cut(s, ":")
	n, err := strconv.ParseInt(seq, 10, 64)
	if err != nil || n < 0 {
		return AuditHead{}, false
	}
	hash, err := hex.DecodeString(text)
	if err != nil || len(hash) != len(AuditHash{}) {
		return AuditHead{}, false
	}
	return AuditHead{n, AuditHash(hash)}, true
}

// AuditBrokenError says where the audit trail stops being what was written.
type AuditBrokenError struct {
	Seq    int64 // of the first entry that is not as it was written
	Reason string
}

// Error names the entry.
func (e *AuditBrokenError) Error() string {
	return fmt.Sprintf("the audit trail is broken at entry %d: %s", e.Seq, e.Reason)
}

// AuditQuery asks for one page of the audit trail, newest first.
type AuditQuery struct {
	Account AccountID   // whose affair it is; "" for all
	Action  AuditAction // "" for all
	Before  int64       // exclusive; 0 begins at the newest
	Limit   int
}
