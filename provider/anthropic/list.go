package anthropic

import (
	"context"
	"net/url"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

var _ elumenta.ModelLister = Provider{}

// ListModels reads GET /v1/models (https://platform.claude.com/docs/en/api/models/list).
func (Provider) ListModels(ctx context.Context, t elumenta.Target) (ids []string, err error) {
	after := ""
	for range wire.MostListPages {
		call := wire.Call{Format: &format, Target: t, Path: "/v1/models?limit=1000" + after}
		var page struct {
			Data    []struct{ ID string } `json:"data"`
			HasMore bool                  `json:"has_more"`
			LastID  string                `json:"last_id"`
		}
		if err := call.List(ctx, &page); err != nil {
			return nil, err
		}
		for _, m := range page.Data {
			ids = append(ids, m.ID)
		}
		if !page.HasMore {
			break
		}
		after = "&after_id=" + url.QueryEscape(page.LastID)
	}
	return ids, nil
}
