package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

func (c *Console) usageRoutes() {
	c.page(ownUsage, func(p *page) error { return p.showUsage(ownUsage) })
	c.page(ownUsage+".csv", func(p *page) error { return p.usageFile(ownUsage) })
	c.page(allUsage, adminOnly(func(p *page) error { return p.showUsage(allUsage) }))
	c.page(allUsage+".csv", adminOnly(func(p *page) error { return p.usageFile(allUsage) }))
}

// Where usage is, the page's as well as the API's.
const (
	ownUsage = "usage"
	allUsage = "admin/usage"
)

// usageGroups are what usage is shown by, the account's own and everyone's; each has a text usage.by_NAME.
var usageGroups = map[string][]string{ //nolint:gochecknoglobals // a constant
	ownUsage: {"day", "assistant", "version", "model", "key"},
	allUsage: {"day", "account", "model"},
}

// UsageSum adds up generations.
type UsageSum struct {
	Group            string  `json:"group"`
	Requests         int64   `json:"requests"`
	Failures         int64   `json:"failures"`
	TokensSpent      int64   `json:"tokens_spent"`
	PromptTokens     int64   `json:"prompt_tokens"`
	CachedTokens     int64   `json:"cached_tokens"`
	CompletionTokens int64   `json:"completion_tokens"`
	CacheMisses      int64   `json:"cache_misses"`
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

// rank puts what is many groups behind the others.
func (u *UsageSum) rank() int {
	if u.Group == elumenta.UsageOther {
		return 1
	}
	return 0
}

// usageReport is what the page shows.
type usageReport struct {
	Path     string `json:"-"` // ownUsage or allUsage
	From, To string // days, both in the report
	By       string
	Items    []UsageSum `json:"items"`
	Total    UsageSum   `json:"total"`
	// Columns are those of the chart of days: each day, or where these are too many, each month.
	Columns []UsageSum        `json:"-"`
	Months  bool              `json:"-"`
	Errors  map[string]string `json:"-"`
}

// mostColumns bounds the columns of a chart by day.
const mostColumns = 366

func (u *usageReport) address(changes ...string) string {
	v := url.Values{"from": {u.From}, "to": {u.To}, "by": {u.By}}
	for i := 0; i+1 < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	return Base + u.Path + "?" + v.Encode()
}

// file is the address of the same report as comma-separated values.
func (u *usageReport) file() string {
	return Base + u.Path + ".csv?" + url.Values{"from": {u.From}, "to": {u.To}, "by": {u.By}}.Encode()
}

// last is the address of the same report over the days up to today.
func (u *usageReport) last(days int) string {
	today := time.Now().UTC()
	return u.address("from", today.AddDate(0, 0, 1-days).Format(time.DateOnly), "to", today.Format(time.DateOnly))
}

// most is the largest number of requests of several: the length of the longest bar.
func most(items []UsageSum) int64 {
	most := int64(1)
	for i := range items {
		most = max(most, items[i].Requests)
	}
	return most
}

// usageQuery reads the page's address: the report, and the API's query for it.
func (p *page) usageQuery(path string) (*usageReport, url.Values) {
	q := p.r.URL.Query()
	today := time.Now().UTC()
	u := &usageReport{Path: path, From: q.Get("from"), To: q.Get("to"), By: q.Get("by")}
	if !slices.Contains(usageGroups[path], u.By) {
		u.By = usageGroups[path][0]
	}
	to, err := time.Parse(time.DateOnly, u.To)
	if err != nil {
		to = today
	}
	from, err := time.Parse(time.DateOnly, u.From)
	if err != nil {
		from = to.AddDate(0, 0, -29)
	}
	u.From, u.To = from.Format(time.DateOnly), to.Format(time.DateOnly)
	return u, url.Values{"from": {u.From}, "to": {to.AddDate(0, 0, 1).Format(time.DateOnly)}, "group_by": {u.By}}
}

func (p *page) showUsage(path string) error {
	u, ask := p.usageQuery(path)
	err := p.get("/"+path+"?"+ask.Encode(), u)
	if codeOf(err) == elumenta.CodeValidation { // a time that is too long
		u.Errors, _ = fieldErrors(err)
		return p.renderStatus(http.StatusUnprocessableEntity, u.section(), p.T("usage.title"), usagePage(p, u))
	}
	if err != nil {
		return err
	}
	if u.By == "day" {
		u.fillColumns()
	} else {
		slices.SortStableFunc(u.Items, func(x, y UsageSum) int {
			return cmp.Or(cmp.Compare(x.rank(), y.rank()), cmp.Compare(y.Requests, x.Requests))
		})
	}
	if err := p.labelUsage(u); err != nil {
		return err
	}
	return p.render(u.section(), p.T("usage.title"), usagePage(p, u))
}

// section is where the page stands in the navigation.
func (u *usageReport) section() string {
	section, _, _ := strings.Cut(u.Path, "/")
	return section
}

// fillColumns makes the chart's columns, those without a generation too.
func (u *usageReport) fillColumns() {
	from, _ := time.Parse(time.DateOnly, u.From) // as usageQuery wrote them
	to, _ := time.Parse(time.DateOnly, u.To)
	layout := time.DateOnly
	if u.Months = to.Sub(from) >= mostColumns*24*time.Hour; u.Months {
		layout = "2006-01"
	}
	at := map[string]int{}
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		name := day.Format(layout)
		if _, there := at[name]; !there {
			at[name] = len(u.Columns)
			u.Columns = append(u.Columns, UsageSum{Group: name})
		}
	}
	for i := range u.Items {
		item := &u.Items[i]
		if column, ok := at[item.Group[:min(len(item.Group), len(layout))]]; ok {
			u.Columns[column].Requests += item.Requests
			u.Columns[column].Failures += item.Failures
		}
	}
}

// mostNames bounds the names that a page looks up, one by one, of the groups with the most requests.
const mostNames = 50

// labelUsage finds the names of what has an id. What is deleted, or cannot be read, keeps its id.
func (p *page) labelUsage(u *usageReport) error {
	names := map[string]string{}
	if u.By == "key" {
		var keys List[Key]
		if err := p.get("/keys?limit=100", &keys); err != nil {
			return err
		}
		for _, k := range keys.Items {
			names[k.ID] = k.Name
		}
	}
	for i := range u.Items {
		item := &u.Items[i]
		id, version, _ := strings.Cut(item.Group, "@")
		name, known := names[id]
		if !known && len(names) < mostNames {
			var err error
			if name, err = p.nameOf(u.By, id); err != nil {
				return err
			}
			names[id] = name
		}
		item.Label = item.Group
		if text := "usage.group_" + item.Group; p.known(text) { // none, other
			item.Label = p.T(text)
		} else if name != "" && version != "" {
			item.Label = p.T("usage.version", "name", name, "n", version)
		} else if name != "" {
			item.Label = name
		}
	}
	return nil
}

// nameOf is the name of an account or an assistant, empty for what has none or cannot be read.
func (p *page) nameOf(by, id string) (string, error) {
	var named struct {
		Name        string `json:"name"`
		DisplayName string `json:"display_name"`
	}
	path := map[string]string{"account": "/admin/accounts/" + url.PathEscape(id), "assistant": assistantPath(id), "version": assistantPath(id)}[by]
	if path == "" || id == elumenta.UsageNone || id == elumenta.UsageOther {
		return "", nil
	}
	switch err := p.get(path, &named); codeOf(err) {
	case "", elumenta.CodeNotFound, elumenta.CodeForbidden:
		return named.Name + named.DisplayName, nil
	default:
		return "", err
	}
}

// usageFile is the same as a file of comma-separated values, as the API makes it.
func (p *page) usageFile(path string) error {
	_, ask := p.usageQuery(path)
	ask.Set("format", "csv")
	err := p.file("/" + path + "?" + ask.Encode())
	if codeOf(err) == elumenta.CodeValidation {
		return p.showUsage(path) // which says what is wrong, too
	}
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
