package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/elumenta/elumenta"
)

// sorts are the orders of the marketplace; each has a text market.sort_NAME.
var sorts = []string{"popular", "new", "name"} //nolint:gochecknoglobals // a constant

// reportReasons are those of the API; each has a text market.reason_NAME.
var reportReasons = []string{"spam", "harmful", "illegal", "impersonation", "copyright", "sexual", "other"} //nolint:gochecknoglobals // a constant

func (c *Console) marketplaceRoutes() {
	c.page("marketplace", (*page).showMarketplace)
	c.page("marketplace/{id}", func(p *page) error { return p.showListing(nil) })
	c.form("marketplace/{id}/copy", (*page).copyListing)
	c.form("marketplace/{id}/report", (*page).report)
}

// shelf is what the marketplace shows.
type shelf struct {
	Query, Category, Sort string
	Cursor                string // of the page that is shown, empty for the first
	Categories            []Category
	Listings              List[Listing]
}

// address is the marketplace with some of what was chosen changed: names and values.
func (s *shelf) address(changes ...string) string {
	values := url.Values{}
	for _, v := range [][2]string{{"q", s.Query}, {"category", s.Category}, {"sort", s.Sort}} {
		if v[1] != "" && (v[0] != "sort" || v[1] != sorts[0]) {
			values.Set(v[0], v[1])
		}
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if values.Del(changes[i]); changes[i+1] != "" {
			values.Set(changes[i], changes[i+1])
		}
	}
	if len(values) == 0 {
		return Base + "marketplace"
	}
	return Base + "marketplace?" + values.Encode()
}

func (s *shelf) total() (n int64) {
	for _, c := range s.Categories {
		n += c.Count
	}
	return n
}

const shelfSize = 24

func (p *page) showMarketplace() error {
	q := p.r.URL.Query()
	s := &shelf{Query: q.Get("q"), Category: q.Get("category"), Sort: q.Get("sort"), Cursor: q.Get("cursor")}
	if s.Sort == "" {
		s.Sort = sorts[0]
	}
	ask := url.Values{"limit": {strconv.Itoa(shelfSize)}, "sort": {s.Sort}}
	for name, value := range map[string]string{"q": s.Query, "category": s.Category, "cursor": s.Cursor} {
		if value != "" {
			ask.Set(name, value)
		}
	}
	err := p.get("/assistants/marketplace?"+ask.Encode(), &s.Listings)
	if s.Cursor != "" && codeOf(err) == elumenta.CodeBadRequest {
		return p.redirect(s.address("cursor", ""), "order_changed") // its ranking is gone
	}
	if err != nil {
		return err
	}
	if q.Get("part") == "results" {
		return p.fragment(shelfResults(p, s))
	}
	var categories List[Category]
	if err := p.get("/assistants/marketplace/categories", &categories); err != nil {
		return err
	}
	s.Categories = categories.Items
	return p.render("marketplace", p.T("market.title"), shelfPage(p, s))
}

// assistantPath is an assistant's in the API.
func assistantPath(id string) string { return "/assistants/" + url.PathEscape(id) }

// offer is an assistant's public page.
type offer struct {
	Listing
	Own       bool
	Available bool  // its model
	Cost      int64 // of one generation, in tokens
}

func variablesJSON(v []Variable) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func (p *page) showListing(errs map[string]string) error {
	o := &offer{}
	path := assistantPath(p.r.PathValue("id"))
	a, err := p.ask(http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	var own struct{ Visibility string } // which the public view has not
	if err := errors.Join(json.Unmarshal(a.body.Bytes(), &own), json.Unmarshal(a.body.Bytes(), &o.Listing)); err != nil {
		return err
	}
	switch own.Visibility {
	case "":
	case "marketplace":
		var uses Uses
		if err := p.get(path+"/uses", &uses); err != nil {
			return err
		}
		o.Own, o.Author, o.Uses = true, p.caller.Account.DisplayName, uses.Uses
	default:
		return p.redirect(Base+"assistants/"+o.ID, "")
	}
	var m Model
	switch err := p.get("/models/"+url.PathEscape(o.Model), &m); codeOf(err) {
	case "":
		o.Available, o.Cost = m.Available, m.TokenCost
	case elumenta.CodeNotFound: // the catalog has it no longer
	default:
		return err
	}
	status := http.StatusOK
	if errs != nil {
		status = http.StatusUnprocessableEntity
	}
	return p.renderStatus(status, "marketplace", o.Name, listingPage(p, o, errs))
}

// copyListing makes an assistant of the caller's own of one that may be copied.
func (p *page) copyListing() error {
	var made Assistant
	err := p.send(http.MethodPost, assistantPath(p.r.PathValue("id"))+"/copy", map[string]any{}, &made, onceOnly(p.r.PostForm.Get("once"))...)
	if errs, ok := fieldErrors(err); ok {
		return p.showListing(errs)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+made.ID, "copied")
}

func (p *page) report() error {
	body := map[string]any{"reason": p.r.PostForm.Get("reason")}
	if comment := lines(p.r.PostForm.Get("comment")); comment != "" {
		body["comment"] = comment
	}
	id := p.r.PathValue("id")
	err := p.send(http.MethodPost, assistantPath(id)+"/reports", body, nil)
	if errs, ok := fieldErrors(err); ok {
		return p.showListing(errs)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"marketplace/"+url.PathEscape(id), "reported")
}
