package httpapi

import (
	"context"
	"strconv"

	"github.com/elumenta/elumenta"
)

// PathVersion is the parameters of a path that names a version.
type PathVersion struct {
	PathID
	N string `path:"n" doc:"The number of a version."`
}

type listVersionsIn struct {
	PathID
	Paging
	known
}

func (a *API) listVersions(ctx context.Context, c *call, in *listVersionsIn) (*bodyOf[page[versionView]], error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.own(ctx, c, id); err != nil {
		return nil, err
	}
	l := list{kind: "versions", account: c.caller.Account.ID, filter: in.ID}
	position, err := a.position(l, in.Cursor)
	if err != nil {
		return nil, err
	}
	before, _ := strconv.Atoi(position) // 0 at the beginning; else a number that we wrote
	items, more, err := a.Assistants.Versions(ctx, c.caller.Account.ID, id, before, in.Limit)
	if err != nil {
		return nil, err
	}
	last := lastOf(items, func(v *elumenta.Version) string { return strconv.Itoa(v.Version) })
	return &bodyOf[page[versionView]]{viewPage(items, viewVersion, a.next(l, more, last))}, nil
}

type oneVersionIn struct {
	PathVersion
	known
}

func (a *API) getVersion(ctx context.Context, c *call, in *oneVersionIn) (*bodyOf[versionView], error) {
	now, n, err := a.version(ctx, c, in.PathVersion)
	if err != nil {
		return nil, err
	}
	found, _, err := a.Assistants.Versions(ctx, c.caller.Account.ID, now.ID, n+1, 1)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || found[0].Version != n {
		return nil, elumenta.NotFound("version")
	}
	return &bodyOf[versionView]{viewVersion(&found[0])}, nil
}

type restoreVersionIn struct {
	PathVersion
	known
	IfMatchHeader
}

func (a *API) restoreVersion(ctx context.Context, c *call, in *restoreVersionIn) (*updatedAssistant, error) {
	now, n, err := a.version(ctx, c, in.PathVersion)
	if err != nil {
		return nil, err
	}
	newest, err := ifMatch(c.request.Header, now)
	if err != nil {
		return nil, err
	}
	restored, err := a.Assistants.RestoreVersion(ctx, c.caller.Account.ID, now.ID, newest, n)
	if err != nil {
		return nil, err
	}
	return &updatedAssistant{ETag: tagOf(restored), Body: viewAssistant(restored)}, nil
}

func (a *API) withdrawVersion(ctx context.Context, c *call, in *oneVersionIn) (*noBody, error) {
	now, n, err := a.version(ctx, c, in.PathVersion)
	if err != nil {
		return nil, err
	}
	return nil, a.Assistants.WithdrawVersion(ctx, c.caller.Account.ID, now.ID, n)
}

// version reads the caller's own assistant and the number of the version of it that a path names.
func (a *API) version(ctx context.Context, c *call, in PathVersion) (now *elumenta.Assistant, n int, err error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, 0, err
	}
	if now, err = a.own(ctx, c, id); err != nil {
		return nil, 0, err
	}
	ref, ok := elumenta.ParseAssistantRef(in.ID + "@" + in.N)
	if !ok || ref.Version == 0 {
		return nil, 0, elumenta.NotFound("version")
	}
	return now, ref.Version, nil
}
