package gemini

import (
	"context"
	"net/url"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

var _ elumenta.ModelLister = Provider{}

// ListModels reads GET /v1beta/models (https://ai.google.dev/api/models#method:-models.list).
func (Provider) ListModels(ctx context.Context, t elumenta.Target) (ids []string, err error) {
	after := ""
	for range wire.MostListPages {
		call := wire.Call{Format: &format, Target: t, Path: "/v1beta/models?pageSize=1000" + after}
		var page struct {
			Models        []struct{ Name string } `json:"models"`
			NextPageToken string                  `json:"nextPageToken"`
		}
		if err := call.List(ctx, &page); err != nil {
			return nil, err
		}
		for _, m := range page.Models {
			ids = append(ids, strings.TrimPrefix(m.Name, "models/"))
		}
		if page.NextPageToken == "" {
			break
		}
		after = "&pageToken=" + url.QueryEscape(page.NextPageToken)
	}
	return ids, nil
}
