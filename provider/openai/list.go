package openai

import (
	"context"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

var (
	_ elumenta.ModelLister = Chat{}
	_ elumenta.ModelLister = Responses{}
)

// ListModels reads GET /models (https://platform.openai.com/docs/api-reference/models/list), as hosts with OpenAI's API have it, too.
func (Chat) ListModels(ctx context.Context, t elumenta.Target) ([]string, error) { return list(ctx, t) }

// ListModels is Chat's.
func (Responses) ListModels(ctx context.Context, t elumenta.Target) ([]string, error) {
	return list(ctx, t)
}

func list(ctx context.Context, t elumenta.Target) (ids []string, err error) {
	call := wire.Call{Format: &format, Target: t, Path: "/models"}
	var page struct {
		Data []struct{ ID string } `json:"data"`
	}
	if err := call.List(ctx, &page); err != nil {
		return nil, err
	}
	for _, m := range page.Data {
		ids = append(ids, m.ID)
	}
	return ids, nil
}
