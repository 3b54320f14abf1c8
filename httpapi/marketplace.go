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
		Summary: "List or search published assistants",
		Description: "Without q, in the order that sort names: popular goes by how many different accounts used an assistant in the last 30 days, as " +
			"counted every ten minutes, and what is not counted yet stands behind, newest first. A cursor of popular, or of a search, is good for an " +
			"hour; then 400 bad_request says to start again.",
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
	Q        string `query:"q" maxLength:"200" doc:"Only what has all of these words in its name or description, case and accents aside; the last one may go on. Names that equal it come first, then names that begin with it, then names that have it, then descriptions, each by popularity, whatever sort says."`
	Sort     string `query:"sort" enum:"popular,new,name" default:"popular" doc:"The order of a list without q."`
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
	// No parameter has the character U+0000.
	l := list{kind: "marketplace", account: c.caller.Account.ID, filter: strings.Join([]string{in.Category, in.Sort, in.Q}, "\x00")}
	after, err := a.position(l, in.Cursor)
	if err != nil {
		return nil, err
	}
	items, next, err := a.Assistants.Listings(ctx, elumenta.ListingQuery{
		Category: in.Category, Text: in.Q, Sort: elumenta.ListingSort(in.Sort), After: after, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return &bodyOf[page[listingView]]{viewPage(items, viewListing, a.next(l, next != "", next))}, nil
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
