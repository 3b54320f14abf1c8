package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

func (a *API) marketplaceRoutes() {
	const tag = "Marketplace"
	register(a, huma.Operation{
		OperationID: "list-marketplace", Method: http.MethodGet, Path: "/assistants/marketplace", Tags: []string{tag},
		Summary: "List published assistants, newest first",
	}, need{}, a.listMarketplace)
	register(a, huma.Operation{
		OperationID: "list-categories", Method: http.MethodGet, Path: "/assistants/marketplace/categories", Tags: []string{tag},
		Summary: "List the categories with how many assistants each has",
	}, need{}, a.listCategories)
}

type listMarketplaceIn struct {
	Paging
	known
	Category string `query:"category" maxLength:"200" doc:"Only this category."`
}

// Resolve checks the category, so that what is wrong with it joins the other errors.
func (in *listMarketplaceIn) Resolve(ctx huma.Context) []error {
	errs := in.known.Resolve(ctx)
	var bad elumenta.FieldErrors
	if in.Category != "" && !elumenta.KnownCategory(in.Category) {
		bad.Add("category", "is not known; the categories are %s", strings.Join(elumenta.CategorySlugs(), ", "))
	}
	return append(errs, paramErrors(bad)...)
}

func (a *API) listMarketplace(ctx context.Context, c *call, in *listMarketplaceIn) (*bodyOf[page[listingView]], error) {
	l := list{kind: "marketplace", account: c.caller.Account.ID, filter: in.Category}
	before, err := a.position(l, in.Cursor)
	if err != nil {
		return nil, err
	}
	items, more, err := a.Assistants.Listings(ctx, elumenta.ListingQuery{
		Category: in.Category, Before: elumenta.AssistantID(before), Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	last := lastOf(items, func(x *elumenta.Listing) string { return string(x.ID) })
	return &bodyOf[page[listingView]]{viewPage(items, viewListing, a.next(l, more, last))}, nil
}

type categoryView struct {
	Slug  string `json:"slug"`
	Name  string `json:"name"`
	Count int64  `json:"count" doc:"Published assistants."`
}

type items[T any] struct {
	Items []T `json:"items" nullable:"false"`
}

func (a *API) listCategories(ctx context.Context, _ *call, _ *struct{ known }) (*bodyOf[items[categoryView]], error) {
	counts, err := a.Assistants.CategoryCounts(ctx)
	if err != nil {
		return nil, err
	}
	out := &bodyOf[items[categoryView]]{}
	for _, c := range elumenta.Categories() {
		out.Body.Items = append(out.Body.Items, categoryView{Slug: c.Slug, Name: c.Name, Count: counts[c.Slug]})
	}
	return out, nil
}
