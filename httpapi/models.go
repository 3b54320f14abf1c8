package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

func (a *API) modelRoutes() {
	register(a, huma.Operation{
		OperationID: "list-models", Method: http.MethodGet, Path: "/models", Tags: []string{"Models"}, Summary: "List the catalog's models",
	}, need{scoped: true}, a.listModels)
	register(a, huma.Operation{
		OperationID: "get-model", Method: http.MethodGet, Path: "/models/{slug}", Tags: []string{"Models"}, Summary: "Read a model",
	}, need{scoped: true}, a.getModel)
}

type modelView struct {
	Slug              string `json:"slug"`
	Name              string `json:"name"`
	Category          string `json:"category"`
	Provider          string `json:"provider"`
	MinPlan           string `json:"min_plan" doc:"The least plan that includes the model."`
	TokenCost         int64  `json:"token_cost" doc:"The price of a generation, in tokens of your balance."`
	Description       string `json:"description"`
	ContextWindow     int    `json:"context_window" doc:"In the provider's tokens."`
	SupportsStreaming bool   `json:"supports_streaming"`
	SupportsVision    bool   `json:"supports_vision"`
	CacheMinimum      *int   `json:"cache_minimum" doc:"The smallest prompt that the provider caches, in its tokens; null if it caches none."`
	Available         bool   `json:"available" doc:"Whether a provider is configured for it."`
}

func viewModel(m *elumenta.Model) modelView {
	v := modelView{
		Slug: m.Slug, Name: m.Name, Category: m.Category, Provider: m.Provider, MinPlan: m.MinPlan, TokenCost: m.TokenCost,
		Description: m.Description, ContextWindow: m.ContextWindow, SupportsStreaming: true, // every format streams
		SupportsVision: m.Capabilities.Vision, Available: m.Available(),
	}
	if m.Capabilities.Cache != elumenta.CacheNone {
		v.CacheMinimum = &m.Capabilities.CacheMinimum
	}
	return v
}

type listModelsIn struct {
	known
	Category string `query:"category" maxLength:"64" doc:"Only this category, such as text."`
}

func (a *API) listModels(_ context.Context, _ *call, in *listModelsIn) (*bodyOf[items[modelView]], error) {
	out := &bodyOf[items[modelView]]{items[modelView]{Items: []modelView{}}}
	for _, m := range a.settings().Catalog.Models() {
		if in.Category == "" || in.Category == m.Category {
			out.Body.Items = append(out.Body.Items, viewModel(m))
		}
	}
	return out, nil
}

type oneModelIn struct {
	known
	Slug string `path:"slug"`
}

func (a *API) getModel(_ context.Context, _ *call, in *oneModelIn) (*bodyOf[modelView], error) {
	m, ok := a.settings().Catalog.Get(in.Slug)
	if !ok {
		return nil, elumenta.NotFound("model")
	}
	return &bodyOf[modelView]{viewModel(m)}, nil
}
