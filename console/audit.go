package console

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

// AuditEntry is what somebody did.
type AuditEntry struct {
	Seq       int64          `json:"seq"`
	At        time.Time      `json:"at"`
	Actor     string         `json:"actor"`
	Address   *string        `json:"address"`
	Action    string         `json:"action"`
	AccountID *string        `json:"account_id"`
	Target    string         `json:"target"`
	Details   map[string]any `json:"details"`
}

// auditTrail is a page of the trail.
type auditTrail struct {
	Account, Action string
	List[AuditEntry]
	Errors map[string]string
}

func (t *auditTrail) address(cursor string) string {
	return Base + "admin/audit?" + url.Values{"account": {t.Account}, "action": {t.Action}, "cursor": {cursor}}.Encode()
}

func (p *page) listAudit() error {
	q := p.r.URL.Query()
	t := &auditTrail{Account: strings.TrimSpace(q.Get("account")), Action: q.Get("action")}
	ask := url.Values{"limit": {"50"}}
	for name, value := range map[string]string{"account": t.Account, "action": t.Action, "cursor": q.Get("cursor")} {
		if value != "" {
			ask.Set(name, value)
		}
	}
	status := http.StatusOK
	err := p.get("/admin/audit?"+ask.Encode(), &t.List)
	if codeOf(err) == elumenta.CodeValidation {
		status = http.StatusUnprocessableEntity
		t.Errors, _ = fieldErrors(err)
	} else if err != nil {
		return err
	}
	return p.renderStatus(status, "admin", p.T("admin.audit"), auditPage(p, t))
}

// auditDetails are what details of the trail there are, in the order of a page; each has a text audit.detail_NAME.
var auditDetails = []string{ //nolint:gochecknoglobals // a constant
	"from", "to", "plan", "role", "tokens", "expires_at", "read_only", "assistants", "models", "budget", "version", "reports", "sessions", "reason",
}

// detail is one of an entry, in words.
type detail struct{ Name, Value string }

// details are an entry's in words. One that this page does not know keeps its name.
func (e *AuditEntry) details(p *page) []detail {
	names := slices.SortedFunc(maps.Keys(e.Details), func(x, y string) int {
		return cmp.Or(cmp.Compare(detailRank(x), detailRank(y)), strings.Compare(x, y))
	})
	list := make([]detail, len(names))
	for i, name := range names {
		list[i] = detail{name, detailText(p, name, e.Details[name])}
		if text := "audit.detail_" + name; p.known(text) {
			list[i].Name = p.T(text)
		}
	}
	return list
}

func detailRank(name string) int {
	if i := slices.Index(auditDetails, name); i >= 0 {
		return i
	}
	return len(auditDetails)
}

func detailText(p *page, name string, value any) string {
	switch v := value.(type) {
	case float64:
		return p.Number(int64(v))
	case bool:
		if v {
			return p.T("audit.yes")
		}
		return p.T("audit.no")
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil && name == "expires_at" {
			return p.Until(t)
		}
		return v
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			texts[i] = detailText(p, name, v[i])
		}
		return strings.Join(texts, ", ")
	}
	return fmt.Sprint(value)
}
