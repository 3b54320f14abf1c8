package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

// assistantView is an assistant as its owner sees it.
type assistantView struct {
	ID string `json:"id" pattern:"^asst_[0-9a-hjkmnp-tv-z]{26}$"`
	FieldsView
	Visibility string         `json:"visibility" enum:"private,marketplace"`
	TakenDown  *takenDownView `json:"taken_down"`
	Version    int            `json:"version" minimum:"1" doc:"The newest version."`
	CreatedAt  time.Time      `json:"created_at"`
	UpdatedAt  time.Time      `json:"updated_at"`
}

// FieldsView is the fields that a version keeps.
type FieldsView struct {
	Name           string              `json:"name" minLength:"1" maxLength:"100"`
	Model          string              `json:"model" doc:"A slug of the catalog."`
	Instructions   string              `json:"instructions" minLength:"1" maxLength:"256000"`
	Description    string              `json:"description" maxLength:"512"`
	Category       *string             `json:"category"`
	Temperature    *float64            `json:"temperature" minimum:"0" maximum:"2"`
	MaxTokens      *int                `json:"max_tokens" minimum:"1"`
	ResponseFormat *responseFormatView `json:"response_format"`
	Variables      []variableView      `json:"variables" maxItems:"32" nullable:"false"`
	Metadata       map[string]string   `json:"metadata"`
	Copyable       bool                `json:"copyable" doc:"Whether others may copy it once it is published, and so read its instructions."`
}

// takenDownView says why an assistant cannot be published.
type takenDownView struct {
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Schema describes the type to huma, which would not let a reference be null.
func (takenDownView) Schema(r huma.Registry) *huma.Schema {
	s := orNull(component(r, "TakenDown", []string{"reason", "at"}, map[string]*huma.Schema{
		"reason": {Type: huma.TypeString}, "at": {Type: huma.TypeString, Format: "date-time"},
	}))
	s.Description = "null, or why and when an operator took it from the marketplace: it cannot be published."
	return s
}

func viewTakenDown(t *elumenta.TakeDown) *takenDownView {
	if t == nil {
		return nil
	}
	return &takenDownView{Reason: t.Reason, At: t.At.UTC()}
}

type variableView struct {
	Name        string  `json:"name" pattern:"^[a-z][a-z0-9_]{0,31}$"`
	Description string  `json:"description" maxLength:"512"`
	Default     *string `json:"default" maxLength:"8000"`
	Required    bool    `json:"required"`
}

type versionView struct {
	Version int    `json:"version" minimum:"1"`
	Note    string `json:"note" maxLength:"200"`
	Public  bool   `json:"public" doc:"Whether it was the newest while the assistant was published, so that others may pin it."`
	FieldsView
	CreatedAt time.Time `json:"created_at"`
}

// listingView is the public view of a published assistant.
type listingView struct {
	ID          string         `json:"id" pattern:"^asst_[0-9a-hjkmnp-tv-z]{26}$"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Category    string         `json:"category"`
	Model       string         `json:"model"`
	Version     int            `json:"version"`
	Author      string         `json:"author" doc:"The display name of the author's account."`
	Copyable    bool           `json:"copyable" doc:"Whether you may copy it, and so read its instructions."`
	Variables   []variableView `json:"variables" maxItems:"32" nullable:"false" doc:"What a call may, or must, give values for."`
	Uses        int64          `json:"uses" doc:"Charged generations by other accounts than the author's."`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
}

func viewAssistant(a *elumenta.Assistant) assistantView {
	return assistantView{
		ID: string(a.ID), Visibility: string(a.Visibility), TakenDown: viewTakenDown(a.TakenDown), Version: a.Version,
		FieldsView: viewFields(&a.Fields), CreatedAt: a.CreatedAt.UTC(), UpdatedAt: a.UpdatedAt.UTC(),
	}
}

func viewVariables(variables []elumenta.Variable) []variableView {
	views := make([]variableView, len(variables))
	for i, v := range variables {
		views[i] = variableView(v)
	}
	return views
}

func viewFields(f *elumenta.Fields) FieldsView {
	v := FieldsView{
		Name: f.Name, Model: f.Model, Instructions: string(f.Instructions), Description: f.Description,
		Temperature: f.Temperature, MaxTokens: f.MaxTokens, Metadata: maps.Clone(f.Metadata), Copyable: f.Copyable,
		Variables: viewVariables(f.Variables),
	}
	if v.Metadata == nil {
		v.Metadata = map[string]string{}
	}
	if f.Category != "" {
		v.Category = &f.Category
	}
	if r := f.ResponseFormat; r != nil {
		v.ResponseFormat = &responseFormatView{Type: r.Type}
		if r.Type == elumenta.FormatJSONSchema {
			v.ResponseFormat.JSONSchema = &jsonSchemaView{Name: r.Name, Schema: r.Schema, Strict: r.Strict}
		}
	}
	return v
}

func viewVersion(v *elumenta.Version) versionView {
	return versionView{Version: v.Version, Note: v.Note, Public: v.Public, FieldsView: viewFields(&v.Fields), CreatedAt: v.CreatedAt.UTC()}
}

func viewListing(l *elumenta.Listing) listingView {
	return listingView{
		ID: string(l.ID), Name: l.Name, Description: l.Description, Category: l.Category, Model: l.Model, Version: l.Version,
		Author: l.Author, Copyable: l.Copyable, Variables: viewVariables(l.Variables), Uses: l.Uses, CreatedAt: l.CreatedAt.UTC(), UpdatedAt: l.UpdatedAt.UTC(),
	}
}

// page is one page of any list.
type page[T any] struct {
	Items      []T     `json:"items" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Send it as cursor for the next page; null on the last one."`
}

func viewPage[T, V any](items []T, view func(*T) V, next *string) page[V] {
	p := page[V]{Items: make([]V, len(items)), NextCursor: next}
	for i := range items {
		p.Items[i] = view(&items[i])
	}
	return p
}

// tagOf is the owner's entity tag: the newest version.
func tagOf(a *elumenta.Assistant) string { return strconv.Quote(strconv.Itoa(a.Version)) }

// weakTag is over everything that a view shows.
func weakTag(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return `W/"` + hex.EncodeToString(sum[:12]) + `"`, nil
}

func lastOf[T any](items []T, position func(*T) string) string {
	if len(items) == 0 {
		return ""
	}
	return position(&items[len(items)-1])
}
