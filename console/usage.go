package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/elumenta/elumenta"
)

func (c *Console) usageRoutes() {
	c.page("usage", (*page).showUsage)
	c.page("usage.csv", (*page).usageFile)
}

// usageGroups are what usage is shown by; each has a text usage.by_NAME.
var usageGroups = []string{"day", "assistant", "version", "model", "key"} //nolint:gochecknoglobals // a constant

// UsageSum adds up generations.
type UsageSum struct {
	Group            string  `json:"group"`
	Requests         int64   `json:"requests"`
	Failures         int64   `json:"failures"`
	TokensSpent      int64   `json:"tokens_spent"`
	PromptTokens     int64   `json:"prompt_tokens"`
	CachedTokens     int64   `json:"cached_tokens"`
	CompletionTokens int64   `json:"completion_tokens"`
	CacheHitRate     float64 `json:"cache_hit_rate"`
	LatencyP50       float64 `json:"latency_p50_ms"`
	LatencyP95       float64 `json:"latency_p95_ms"`
	Label            string  `json:"-"` // what the group is called
}

// cachedShare is how much of the prompts came from a cache, from 0 to 1.
func (u *UsageSum) cachedShare() float64 {
	if u.PromptTokens == 0 {
		return 0
	}
	return float64(u.CachedTokens) / float64(u.PromptTokens)
}

// usageReport is what the page shows.
type usageReport struct {
	From, To string // days, both in the report
	By       string
	Items    []UsageSum `json:"items"`
	Total    UsageSum   `json:"total"`
}

func (u *usageReport) address(changes ...string) string {
	v := url.Values{"from": {u.From}, "to": {u.To}, "by": {u.By}}
	for i := 0; i+1 < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	return Base + "usage?" + v.Encode()
}

// last is the address of the same report over the days up to today.
func (u *usageReport) last(days int) string {
	today := time.Now().UTC()
	return u.address("from", today.AddDate(0, 0, 1-days).Format(time.DateOnly), "to", today.Format(time.DateOnly))
}

// most is the largest number of requests in one group: the length of the longest bar.
func (u *usageReport) most() int64 {
	most := int64(1)
	for i := range u.Items {
		most = max(most, u.Items[i].Requests)
	}
	return most
}

// usageQuery reads the page's address: the report, and the API's query for it.
func (p *page) usageQuery() (*usageReport, url.Values) {
	q := p.r.URL.Query()
	today := time.Now().UTC()
	u := &usageReport{From: q.Get("from"), To: q.Get("to"), By: q.Get("by")}
	if !slices.Contains(usageGroups, u.By) {
		u.By = usageGroups[0]
	}
	to, err := time.Parse(time.DateOnly, u.To)
	if err != nil {
		to = today
	}
	from, err := time.Parse(time.DateOnly, u.From)
	if err != nil || from.After(to) {
		from = to.AddDate(0, 0, -29)
	}
	u.From, u.To = from.Format(time.DateOnly), to.Format(time.DateOnly)
	return u, url.Values{"from": {u.From}, "to": {to.AddDate(0, 0, 1).Format(time.DateOnly)}, "group_by": {u.By}}
}

func (p *page) showUsage() error {
	u, ask := p.usageQuery()
	if err := p.get("/usage?"+ask.Encode(), u); err != nil {
		return err
	}
	if err := p.labelUsage(u); err != nil {
		return err
	}
	if u.By == "day" {
		u.fillDays()
	}
	return p.render("usage", p.T("usage.title"), usagePage(p, u))
}

// fillDays adds the days without a generation, so that the chart has them.
func (u *usageReport) fillDays() {
	byDay := map[string]UsageSum{}
	for _, item := range u.Items {
		byDay[item.Group] = item
	}
	from, _ := time.Parse(time.DateOnly, u.From) // as usageQuery wrote them
	to, _ := time.Parse(time.DateOnly, u.To)
	if days := int(to.Sub(from).Hours()/24) + 1; days > 366 {
		return
	}
	u.Items = nil
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		name := day.Format(time.DateOnly)
		item := byDay[name]
		item.Group, item.Label = name, name
		u.Items = append(u.Items, item)
	}
}

// labelUsage finds the names of what has an id. What is deleted, or cannot be read, keeps its id.
func (p *page) labelUsage(u *usageReport) error {
	names := map[string]string{}
	switch u.By {
	case "key":
		var keys List[Key]
		if err := p.get("/keys?limit=100", &keys); err != nil {
			return err
		}
		for _, k := range keys.Items {
			names[k.ID] = k.Name
		}
	case "assistant":
		for i := range min(len(u.Items), 50) {
			id := u.Items[i].Group
			var a struct{ Name string }
			switch err := p.get(assistantPath(id), &a); codeOf(err) {
			case "":
				names[id] = a.Name
			case elumenta.CodeNotFound, elumenta.CodeForbidden:
			default:
				return err
			}
		}
	}
	for i := range u.Items {
		item := &u.Items[i]
		if item.Label = names[item.Group]; item.Label == "" {
			item.Label = item.Group
		}
		if known := "usage.group_" + item.Group; p.known(known) { // none, other
			item.Label = p.T(known)
		}
	}
	return nil
}

// usageFile is the same as a file of comma-separated values, as the API makes it.
func (p *page) usageFile() error {
	_, ask := p.usageQuery()
	ask.Set("format", "csv")
	a, err := p.ask(http.MethodGet, "/usage?"+ask.Encode(), nil, "Accept", "text/csv")
	if err != nil {
		return err
	}
	for _, name := range []string{"Content-Type", "Content-Disposition"} {
		p.w.Header().Set(name, a.header.Get(name))
	}
	_, err = p.w.Write(a.body.Bytes())
	return err
}

// Percent writes a share from 0 to 1.
func (l pageLanguage) Percent(share float64) string {
	return l.numbers.Sprintf("%.0f", 100*share) + " %"
}

// Milliseconds writes a time.
func (l pageLanguage) Milliseconds(ms float64) string {
	if ms >= 1000 {
		return l.numbers.Sprintf("%.1f", ms/1000) + " " + l.T("usage.seconds")
	}
	return l.numbers.Sprintf("%.0f", ms) + " " + l.T("usage.milliseconds")
}

func pixels(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }
