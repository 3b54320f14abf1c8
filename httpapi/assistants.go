package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

// noBody is the input or output of a route without one.
type noBody struct{}

// PathID is the parameter of a path that names an assistant. It is exported for huma, which reads its tags.
type PathID struct {
	ID string `path:"id" doc:"asst_ and 26 characters."`
}

// Paging is the parameters of every list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many items a page has at most."`
	Cursor string `query:"cursor" doc:"next_cursor of the page before."`
}

// Search is the parameter that searches a list.
type Search struct {
	Q string `query:"q" maxLength:"200" doc:"Only what has this in its name or description, case and accents aside."`
}

type assistantOut struct {
	ETag         string   `header:"ETag" doc:"The newest version, quoted; weak for the public view."`
	CacheControl string   `header:"Cache-Control"`
	Vary         []string `header:"Vary"`
	Status       int
	Body         any
}

type createdAssistant struct {
	Location string `header:"Location" doc:"Where the assistant is."`
	ETag     string `header:"ETag"`
	Replayed string `header:"Idempotency-Replayed" doc:"true if the Idempotency-Key was used before."`
	Body     assistantView
}

type updatedAssistant struct {
	ETag string `header:"ETag"`
	Body assistantView
}

type bodyOf[T any] struct{ Body T }

func (a *API) assistantRoutes() {
	const tag = "Assistants"
	register(a, huma.Operation{
		OperationID: "create-assistant", Method: http.MethodPost, Path: "/assistants", Tags: []string{tag}, Summary: "Create an assistant",
		DefaultStatus: http.StatusCreated,
	}, need{body: bodyOfAssistant}, a.createAssistant)
	register(a, huma.Operation{
		OperationID: "import-assistant", Method: http.MethodPost, Path: "/assistants/import", Tags: []string{tag},
		Summary:       "Create an assistant with its saved versions",
		Description:   "The versions, the oldest first, keep their numbers, notes and dates; the last one is the newest. The assistant has an id of its own. A version that is public is checked as one that is published.",
		DefaultStatus: http.StatusCreated,
	}, need{body: bodyOfHistory}, a.importAssistant)
	register(a, huma.Operation{
		OperationID: "list-assistants", Method: http.MethodGet, Path: "/assistants", Tags: []string{tag},
		Summary: "List your assistants, newest first",
	}, need{}, a.listAssistants)
	register(a, huma.Operation{
		OperationID: "get-assistant", Method: http.MethodGet, Path: "/assistants/{id}", Tags: []string{tag}, Summary: "Read an assistant",
		Description: "Your own with all its fields, or the public view of a published one of another account.",
	}, need{}, a.getAssistant)
	register(a, huma.Operation{
		OperationID: "update-assistant", Method: http.MethodPut, Path: "/assistants/{id}", Tags: []string{tag}, Summary: "Update an assistant",
		Description: "Fields that are present are replaced, fields that are absent stay, null clears an optional one. What changes something makes a version.",
	}, need{body: bodyOfAssistant}, a.updateAssistant)
	register(a, huma.Operation{
		OperationID: "delete-assistant", Method: http.MethodDelete, Path: "/assistants/{id}", Tags: []string{tag}, Summary: "Delete an assistant",
	}, need{}, a.deleteAssistant)
	register(a, huma.Operation{
		OperationID: "list-versions", Method: http.MethodGet, Path: "/assistants/{id}/versions", Tags: []string{tag},
		Summary: "List an assistant's versions, newest first",
	}, need{}, a.listVersions)
	register(a, huma.Operation{
		OperationID: "get-version", Method: http.MethodGet, Path: "/assistants/{id}/versions/{n}", Tags: []string{tag}, Summary: "Read a saved version",
	}, need{}, a.getVersion)
	register(a, huma.Operation{
		OperationID: "get-uses", Method: http.MethodGet, Path: "/assistants/{id}/uses", Tags: []string{tag}, Summary: "See how much others use an assistant of yours",
	}, need{}, a.getUses)
	register(a, huma.Operation{
		OperationID: "restore-version", Method: http.MethodPost, Path: "/assistants/{id}/versions/{n}/restore", Tags: []string{tag},
		Summary:     "Make a version the newest again, as a new version",
		Description: "Visibility stays as it is: a version that could not be published cannot be restored while the assistant is (422).",
	}, need{}, a.restoreVersion)
	register(a, huma.Operation{
		OperationID: "withdraw-version", Method: http.MethodDelete, Path: "/assistants/{id}/versions/{n}", Tags: []string{tag},
		Summary:     "Withdraw a version that is not the newest",
		Description: "It is gone from the list, and pins of it stop at once. The newest cannot be withdrawn (422).",
	}, need{}, a.withdrawVersion)
}

// Idempotency documents the header; idempotency reads it.
type Idempotency struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"1 to 255 visible ASCII characters, your own; it counts for 24 hours."`
}

func (a *API) createAssistant(ctx context.Context, c *call, _ *createIn) (*createdAssistant, error) {
	b := decodeAssistant(c.body, false)
	fields, visibility, _ := b.patch.Apply(elumenta.Fields{}, elumenta.Private)
	idem := a.idempotency(c, "assistants", &b.reader)
	if err := a.checked(b, fields, visibility); err != nil {
		return nil, err
	}
	made, replayed, err := a.Assistants.CreateAssistant(ctx, c.caller.Account.ID, fields, visibility, idem)
	return created(made, replayed, err)
}

// created answers with a new assistant.
func created(made *elumenta.Assistant, replayed bool, err error) (*createdAssistant, error) {
	if err != nil {
		return nil, err
	}
	return &createdAssistant{
		Location: Base + "/assistants/" + string(made.ID), ETag: tagOf(made), Replayed: replayedHeader(replayed), Body: viewAssistant(made),
	}, nil
}

type createIn struct {
	Idempotency
	known
}

type listAssistantsIn struct {
	Paging
	Search
	known
}

func (a *API) listAssistants(ctx context.Context, c *call, in *listAssistantsIn) (*bodyOf[page[assistantView]], error) {
	l := list{kind: "assistants", account: c.caller.Account.ID, filter: in.Q}
	before, err := a.position(l, in.Cursor)
	if err != nil {
		return nil, err
	}
	items, more, err := a.Assistants.Assistants(ctx, c.caller.Account.ID, elumenta.ListQuery{
		Before: elumenta.AssistantID(before), Limit: in.Limit, Text: in.Q,
	})
	if err != nil {
		return nil, err
	}
	last := lastOf(items, func(x *elumenta.Assistant) string { return string(x.ID) })
	return &bodyOf[page[assistantView]]{viewPage(items, viewAssistant, a.next(l, more, last))}, nil
}

type getAssistantIn struct {
	PathID
	known
	IfNoneMatch string `header:"If-None-Match" doc:"Entity tags; 304 if one of them still stands."`
}

func (a *API) getAssistant(ctx context.Context, c *call, in *getAssistantIn) (*assistantOut, error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	out, err := a.view(ctx, c, id)
	if err != nil {
		return nil, err
	}
	known, err := parseTags("If-None-Match", c.request.Header.Values("If-None-Match"))
	if err != nil {
		return nil, err
	}
	if known != nil && known.matchWeak(out.ETag) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}

// view is the owner's, or else the public one.
func (a *API) view(ctx context.Context, c *call, id elumenta.AssistantID) (*assistantOut, error) {
	out := &assistantOut{CacheControl: "private, no-cache", Vary: []string{"Authorization"}, Status: http.StatusOK}
	own, err := a.Assistants.Assistant(ctx, c.caller.Account.ID, id)
	if err == nil {
		out.ETag, out.Body = tagOf(own), viewAssistant(own)
		return out, nil
	}
	if !elumenta.HasCode(err, elumenta.CodeNotFound) && !elumenta.HasCode(err, elumenta.CodeForbidden) {
		return nil, err
	}
	l, err := a.Assistants.Listing(ctx, id)
	if err != nil {
		return nil, err
	}
	v := viewListing(l)
	out.Body = v
	out.ETag, err = weakTag(v)
	return out, err
}

type changedAssistantIn struct {
	PathID
	known
	IfMatchHeader
}

// IfMatchHeader makes a change conditional.
type IfMatchHeader struct {
	IfMatch string `header:"If-Match" doc:"The version that the change is meant for, quoted."`
}

func (a *API) updateAssistant(ctx context.Context, c *call, in *changedAssistantIn) (*updatedAssistant, error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	now, err := a.own(ctx, c, id)
	if err != nil {
		return nil, err
	}
	b := decodeAssistant(c.body, true)
	fields, visibility, _ := b.patch.Apply(now.Fields, now.Visibility)
	if err := a.checked(b, fields, visibility); err != nil {
		return nil, err
	}
	version, err := ifMatch(c.request.Header, now)
	if err != nil {
		return nil, err
	}
	updated, err := a.Assistants.UpdateAssistant(ctx, c.caller.Account.ID, id, version, &b.patch)
	if err != nil {
		return nil, err
	}
	return &updatedAssistant{ETag: tagOf(updated), Body: viewAssistant(updated)}, nil
}

// ifMatch is the version that a change is meant for, 0 for any.
func ifMatch(h http.Header, now *elumenta.Assistant) (int, error) {
	want, err := parseTags("If-Match", h.Values("If-Match"))
	switch {
	case err != nil:
		return 0, err
	case want == nil, want.any:
		return 0, nil
	case want.matchStrong(tagOf(now)):
		return now.Version, nil
	}
	return 0, &elumenta.Error{
		Code: elumenta.CodeVersionConflict, Message: fmt.Sprintf("the assistant is at version %d now: read it again and repeat the change", now.Version),
		Details: map[string]any{"version": now.Version},
	}
}

// own reads the caller's own assistant. A published one of another account is known, and not the caller's to change.
func (a *API) own(ctx context.Context, c *call, id elumenta.AssistantID) (*elumenta.Assistant, error) {
	own, err := a.Assistants.Assistant(ctx, c.caller.Account.ID, id)
	if elumenta.HasCode(err, elumenta.CodeNotFound) {
		if _, public := a.Assistants.Listing(ctx, id); public == nil {
			return nil, elumenta.Errorf(elumenta.CodeForbidden, "this assistant belongs to another account: you may use it, not change it")
		}
	}
	return own, err
}

type oneAssistantIn struct {
	PathID
	known
}

func (a *API) deleteAssistant(ctx context.Context, c *call, in *changedAssistantIn) (*noBody, error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	now, err := a.own(ctx, c, id)
	if err != nil {
		return nil, err
	}
	version, err := ifMatch(c.request.Header, now)
	if err != nil {
		return nil, err
	}
	return nil, a.Assistants.DeleteAssistant(ctx, c.caller.Account.ID, id, version)
}

type usesView struct {
	Uses     int64 `json:"uses" doc:"Charged generations by other accounts, ever."`
	Accounts int64 `json:"accounts" doc:"Other accounts with a charged generation in the last 30 days."`
}

func (a *API) getUses(ctx context.Context, c *call, in *oneAssistantIn) (*bodyOf[usesView], error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.own(ctx, c, id); err != nil {
		return nil, err
	}
	uses, err := a.Assistants.AssistantUses(ctx, c.caller.Account.ID, id)
	return &bodyOf[usesView]{usesView{Uses: uses.Generations, Accounts: uses.Accounts}}, err
}

// assistantID reads an id of a path: a malformed one names nothing.
func assistantID(s string) (elumenta.AssistantID, error) {
	id, ok := elumenta.ParseAssistantID(s)
	if !ok {
		return "", elumenta.NotFound("assistant")
	}
	return id, nil
}

// known refuses query parameters that a route does not have. It is embedded in a route's input.
type known struct{}

// Resolve is called by huma once the parameters are read; what it returns joins the other errors.
func (known) Resolve(ctx huma.Context) (errs []error) {
	u := ctx.URL()
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return []error{&huma.ErrorDetail{Location: "query.query", Message: "is not a well-formed query string"}}
	}
	for name, values := range query {
		at := "query." + shown([]byte(name))
		switch {
		case !hasParam(ctx.Operation(), name):
			errs = append(errs, &huma.ErrorDetail{Location: at, Message: "is not known here"})
		case len(values) > 1:
			errs = append(errs, &huma.ErrorDetail{Location: at, Message: "is given more than once"})
		case name != "cursor" && (!utf8.ValidString(values[0]) || strings.IndexByte(values[0], 0) >= 0):
			errs = append(errs, &huma.ErrorDetail{Location: at, Message: "must be UTF-8 without the character U+0000"})
		}
	}
	return errs
}

func hasParam(op *huma.Operation, name string) bool {
	for _, p := range op.Parameters {
		if p.In == "query" && p.Name == name {
			return true
		}
	}
	return false
}
