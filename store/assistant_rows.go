package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/elumenta/elumenta"
)

// headColumns are what an assistant has beside its versions; a is assistants.
const headColumns = `a.id, a.account_id, a.version, a.versions, a.published, a.owner_suspended, a.taken_down_at, a.taken_down_reason, a.doc, a.revision,
	a.created_at, a.updated_at`

// head is a row of assistants.
type head struct {
	elumenta.Assistant // but for Visibility, TakenDown and Fields
	versions           int
	published          bool
	ownerSuspended     bool
	doc                int64             // 0 if it was never published
	down               elumenta.TakeDown // zero for none
}

func (h *head) fields() []any {
	return []any{&h.ID, &h.Owner, &h.Version, &h.versions, &h.published, &h.ownerSuspended, storedTime{&h.down.At}, &h.down.Reason, &h.doc, &h.Revision,
		storedTime{&h.CreatedAt}, storedTime{&h.UpdatedAt}}
}

func (h *head) assistant(f elumenta.Fields) elumenta.Assistant {
	a := h.Assistant
	a.Visibility = visibility(h.published)
	a.TakenDown = h.takeDown()
	a.Fields = f
	return a
}

// takeDown is nil for none.
func (h *head) takeDown() *elumenta.TakeDown { return takeDown(h.down) }

func takeDown(t elumenta.TakeDown) *elumenta.TakeDown {
	if t.At.IsZero() {
		return nil
	}
	return &t
}

func visibility(published bool) elumenta.Visibility {
	if published {
		return elumenta.Marketplace
	}
	return elumenta.Private
}

// versionColumns are what a saved version has; v is assistant_versions.
const versionColumns = `v.version, v.created_at, v.note, v.public, ` + fieldColumns

const fieldColumns = `v.name, v.model, v.instructions, v.description, v.category, v.temperature, v.max_tokens, v.response_format, v.variables, v.metadata, v.copyable`

func versionFields(v *elumenta.Version) []any {
	return append([]any{&v.Version, storedTime{&v.CreatedAt}, &v.Note, &v.Public}, scanFields(&v.Fields)...)
}

func scanFields(f *elumenta.Fields) []any {
	return []any{&f.Name, &f.Model, &f.Instructions, &f.Description, &f.Category, &f.Temperature, &f.MaxTokens,
		storedFormat{&f.ResponseFormat}, storedJSON{&f.Variables}, storedJSON{&f.Metadata}, &f.Copyable}
}

// storedJSON scans a column that is JSON or NULL.
type storedJSON struct{ to any }

// Scan implements sql.Scanner.
func (j storedJSON) Scan(src any) error {
	switch text := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(text), j.to)
	case []byte:
		return json.Unmarshal(text, j.to)
	}
	return fmt.Errorf("JSON is stored as %T", src)
}

// format is a ResponseFormat in its column. The schema is a string there: it stays as it came, byte for byte.
type format struct {
	Type   string `json:"type"`
	Name   string `json:"name,omitempty"`
	Schema string `json:"schema,omitempty"`
	Strict bool   `json:"strict,omitempty"`
}

type storedFormat struct{ to **elumenta.ResponseFormat }

// Scan implements sql.Scanner.
func (s storedFormat) Scan(src any) error {
	var f *format
	if err := (storedJSON{&f}).Scan(src); err != nil || f == nil {
		return err
	}
	*s.to = &elumenta.ResponseFormat{Type: f.Type, Name: f.Name, Strict: f.Strict}
	if f.Schema != "" {
		(*s.to).Schema = json.RawMessage(f.Schema)
	}
	return nil
}

// readVersion reads one saved version.
func readVersion(ctx context.Context, q querier, id elumenta.AssistantID, version int) (*elumenta.Version, error) {
	var v elumenta.Version
	err := q.QueryRowContext(ctx, `SELECT `+versionColumns+` FROM assistant_versions v WHERE v.assistant_id = $1 AND v.version = $2`,
		string(id), version).Scan(versionFields(&v)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, elumenta.NotFound("version")
	}
	return &v, err
}

// readHead reads an assistant that owner may change; lock ends the SELECT. Another account's is CodeForbidden if it is
// listed, else CodeNotFound as if it did not exist.
func readHead(ctx context.Context, q querier, owner elumenta.AccountID, id elumenta.AssistantID, lock string) (*head, error) {
	h, err := readAnyHead(ctx, q, id, lock)
	switch {
	case err != nil:
		return nil, err
	case h.Owner == owner:
		return h, nil
	case h.published && !h.ownerSuspended:
		return nil, elumenta.Errorf(elumenta.CodeForbidden, "this assistant belongs to another account: only its owner may do that")
	}
	return nil, elumenta.NotFound("assistant")
}

// readAnyHead reads anyone's assistant; lock ends the SELECT.
func readAnyHead(ctx context.Context, q querier, id elumenta.AssistantID, lock string) (*head, error) {
	var h head
	err := q.QueryRowContext(ctx, `SELECT `+headColumns+` FROM assistants a WHERE a.id = $1`+lock, string(id)).Scan(h.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, elumenta.NotFound("assistant")
	}
	return &h, err
}

func searchText(f *elumenta.Fields) string { return elumenta.SearchText(f.Name, f.Description) }

// likePattern matches what contains a folded text.
func likePattern(folded string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(folded) + "%"
}
