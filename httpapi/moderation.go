package httpapi

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

// sharingRoutes are what an account does with an assistant of another one, beside using it.
func (a *API) sharingRoutes() {
	const tag = "Marketplace"
	register(a, huma.Operation{
		OperationID: "copy-assistant", Method: http.MethodPost, Path: "/assistants/{id}/copy", Tags: []string{tag},
		Summary: "Copy an assistant to make one of your own from it",
		Description: "A published assistant that is copyable, or any of your own. The copy is private, with the fields of the newest version or of the one that " +
			"you name; its metadata names that version as copied_from, and nothing else. Of an assistant that is not copyable the author keeps the instructions to themselves (403).",
		DefaultStatus: http.StatusCreated,
	}, need{body: otherBody, optional: true}, a.copyAssistant)
	register(a, huma.Operation{
		OperationID: "report-assistant", Method: http.MethodPost, Path: "/assistants/{id}/reports", Tags: []string{tag},
		Summary: "Report an assistant to the operators",
		Description: "One that is published, or has versions that others may pin. An account has one open report for each assistant: another one replaces it (200), and takes its place. Once operators have decided on it " +
			"it stays (409) until the assistant has a newer public version. The author does not learn who reported. An account may have 100 open reports (422).",
		DefaultStatus: http.StatusCreated,
	}, need{body: otherBody}, a.reportAssistant)
}

func (a *API) moderationRoutes() {
	operate(a, huma.Operation{
		OperationID: "admin-list-reports", Method: http.MethodGet, Path: "/reports", Summary: "List reported assistants",
		Description: "Those with open reports, the one that has waited longest first; or with reports that were decided on, the last decision first.",
	}, need{}, a.listReported)
	operate(a, huma.Operation{
		OperationID: "admin-get-assistant", Method: http.MethodGet, Path: "/assistants/{id}", Summary: "Read anyone's assistant, to judge it",
		Description: "With its instructions, if it is or was public, is reported or taken down. Each time is in the audit trail.",
	}, need{}, a.reviewAssistant)
	operate(a, huma.Operation{
		OperationID: "admin-list-assistant-reports", Method: http.MethodGet, Path: "/assistants/{id}/reports", Summary: "Read an assistant's reports, newest first",
	}, need{}, a.listReports)
	operate(a, huma.Operation{
		OperationID: "admin-dismiss-reports", Method: http.MethodPost, Path: "/assistants/{id}/reports/dismiss", Summary: "Dismiss an assistant's open reports",
		Description: "The assistant stays as it is.",
	}, need{body: otherBody, optional: true}, a.reasoned(0, elumenta.Operators.DismissReports))
	operate(a, huma.Operation{
		OperationID: "admin-unpublish-assistant", Method: http.MethodPost, Path: "/assistants/{id}/unpublish", Summary: "Take anyone's assistant down",
		Description: "It leaves the marketplace, and pins of all its versions stop at once. Its open reports are upheld. Its author finds a new, private version, " +
			"reads the reason, and cannot publish it until an operator allows that.",
	}, need{body: otherBody}, a.reasoned(1, elumenta.Operators.Unpublish))
	operate(a, huma.Operation{
		OperationID: "admin-allow-assistant", Method: http.MethodPost, Path: "/assistants/{id}/allow", Summary: "Let a taken-down assistant be published again",
		Description: "It stays private until its author publishes it; a starter assistant is published at once.",
	}, need{body: otherBody, optional: true}, a.reasoned(0, elumenta.Operators.AllowAssistant))
}

// reasoned does something to an assistant for a reason of least characters or more.
func (a *API) reasoned(
	least int, do func(o elumenta.Operators, ctx context.Context, id elumenta.AssistantID, reason string) error,
) func(context.Context, *call, *oneAssistantIn) (*noBody, error) {
	return func(ctx context.Context, c *call, in *oneAssistantIn) (*noBody, error) {
		id, err := assistantID(in.ID)
		if err != nil {
			return nil, err
		}
		reason, err := readReason(c.body, least)
		if err != nil {
			return nil, err
		}
		return nil, do(a.Operators, ctx, id, reason)
	}
}

type copyAssistantIn struct {
	PathID
	Idempotency
	known
}

func (a *API) copyAssistant(ctx context.Context, c *call, in *copyAssistantIn) (*createdAssistant, error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	var r reader
	version, name := r.copied(c.body)
	idem := a.idempotency(c, "copies "+string(id), &r)
	if err := r.err(); err != nil {
		return nil, err
	}
	made, replayed, err := a.Assistants.CopyAssistant(ctx, c.caller.Account.ID, elumenta.AssistantRef{ID: id, Version: version}, name, idem)
	return created(made, replayed, err)
}

// copied reads what to copy and how to call it: 0 is the newest version, and no name the original's.
func (r *reader) copied(body []byte) (version int, name string) {
	r.fields(body, map[string]func(*fieldPath){
		"version": func(at *fieldPath) {
			n, _ := r.whole(at, 1, math.MaxInt32)
			version = int(n)
		},
		"name": func(at *fieldPath) {
			var ok bool
			if name, ok = r.text(at); ok {
				elumenta.CheckAssistantName(&r.errs, name)
			}
		},
	})
	return version, name
}

type reportView struct {
	AssistantID string    `json:"assistant_id" pattern:"^asst_[0-9a-hjkmnp-tv-z]{26}$"`
	Version     int       `json:"version" minimum:"1" doc:"The newest public version when it was reported."`
	Reason      string    `json:"reason" enum:"spam,harmful,illegal,impersonation,copyright,sexual,other"`
	Comment     string    `json:"comment" maxLength:"1000"`
	CreatedAt   time.Time `json:"created_at"`
}

type reported struct {
	Status int
	Body   reportView
}

func (a *API) reportAssistant(ctx context.Context, c *call, in *oneAssistantIn) (*reported, error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	n, err := readReport(c.body)
	if err != nil {
		return nil, err
	}
	made, replaced, err := a.Assistants.ReportAssistant(ctx, c.caller.Account.ID, id, n)
	if err != nil {
		return nil, err
	}
	out := &reported{Status: http.StatusCreated, Body: reportView{
		AssistantID: string(made.Assistant), Version: made.Version, Reason: string(made.Reason), Comment: string(made.Comment), CreatedAt: made.CreatedAt.UTC(),
	}}
	if replaced {
		out.Status = http.StatusOK
	}
	return out, nil
}

func readReport(body []byte) (elumenta.NewReport, error) {
	var r reader
	var reason, comment string
	r.fields(body, map[string]func(*fieldPath){"reason": r.into(&reason), "comment": r.into(&comment)})
	n := elumenta.NewReport{Reason: elumenta.ReportReason(reason), Comment: elumenta.Text(comment)}
	return n, r.also(n.Check())
}

type reportedAssistantView struct {
	AssistantID string         `json:"assistant_id" pattern:"^asst_[0-9a-hjkmnp-tv-z]{26}$"`
	Name        string         `json:"name"`
	AccountID   string         `json:"account_id" pattern:"^acct_[0-9a-hjkmnp-tv-z]{26}$" doc:"The author's."`
	Author      string         `json:"author" doc:"The display name of the author's account."`
	Visibility  string         `json:"visibility" enum:"private,marketplace"`
	TakenDown   *takenDownView `json:"taken_down"`
	Reports     int            `json:"reports" doc:"How many there are in the state."`
	Reasons     map[string]int `json:"reasons" nullable:"false" doc:"How many there are of each reason."`
	FirstAt     time.Time      `json:"first_reported_at"`
	LastAt      time.Time      `json:"last_reported_at"`
	DecidedAt   *time.Time     `json:"decided_at" doc:"null while they are open."`
}

func viewReported(r *elumenta.ReportedAssistant) reportedAssistantView {
	v := reportedAssistantView{
		AssistantID: string(r.ID), Name: r.Name, AccountID: string(r.Owner), Author: r.Author, Visibility: string(elumenta.Private),
		TakenDown: viewTakenDown(r.TakenDown), Reasons: map[string]int{}, FirstAt: r.FirstAt.UTC(), LastAt: r.LastAt.UTC(), DecidedAt: nullTime(r.DecidedAt),
	}
	if r.Published {
		v.Visibility = string(elumenta.Marketplace)
	}
	for reason, n := range r.Reports {
		v.Reasons[string(reason)] = n
		v.Reports += n
	}
	return v
}

// reportPosition reads a place among reports.
func (a *API) reportPosition(l list, cursor string) (p elumenta.ReportPosition, err error) {
	position, err := a.position(l, cursor)
	if err != nil || position == "" {
		return p, err
	}
	at, id, _ := strings.Cut(position, " ")
	micros, err := strconv.ParseInt(at, 10, 64) // a number that we wrote
	return elumenta.ReportPosition{At: time.UnixMicro(micros), ID: id}, err
}

func writePosition(p elumenta.ReportPosition) string {
	return strconv.FormatInt(p.At.UnixMicro(), 10) + " " + p.ID
}

type listReportedIn struct {
	State string `query:"state" enum:"open,dismissed,upheld" default:"open" doc:"What became of the reports."`
	Paging
	known
}

func (a *API) listReported(ctx context.Context, c *call, in *listReportedIn) (*bodyOf[page[reportedAssistantView]], error) {
	l := list{kind: "reported assistants", account: c.caller.Account.ID, filter: in.State}
	after, err := a.reportPosition(l, in.Cursor)
	if err != nil {
		return nil, err
	}
	items, more, err := a.Operators.ReportedAssistants(ctx, elumenta.ReportQuery{State: elumenta.ReportState(in.State), After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	last := lastOf(items, func(r *elumenta.ReportedAssistant) string { return writePosition(r.Position()) })
	return &bodyOf[page[reportedAssistantView]]{viewPage(items, viewReported, a.next(l, more, last))}, nil
}

type adminReportView struct {
	AccountID string     `json:"account_id" pattern:"^acct_[0-9a-hjkmnp-tv-z]{26}$" doc:"Who reports. The author does not learn that."`
	Version   int        `json:"version" minimum:"1" doc:"The newest public version when it was reported."`
	Reason    string     `json:"reason" enum:"spam,harmful,illegal,impersonation,copyright,sexual,other"`
	Comment   string     `json:"comment" maxLength:"1000"`
	State     string     `json:"state" enum:"open,dismissed,upheld"`
	CreatedAt time.Time  `json:"created_at"`
	DecidedAt *time.Time `json:"decided_at" doc:"null while it is open."`
}

func viewReport(r *elumenta.Report) adminReportView {
	return adminReportView{
		AccountID: string(r.Account), Version: r.Version, Reason: string(r.Reason), Comment: string(r.Comment), State: string(r.State),
		CreatedAt: r.CreatedAt.UTC(), DecidedAt: nullTime(r.DecidedAt),
	}
}

type listReportsIn struct {
	PathID
	Paging
	known
}

func (a *API) listReports(ctx context.Context, c *call, in *listReportsIn) (*bodyOf[page[adminReportView]], error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	l := list{kind: "an assistant's reports", account: c.caller.Account.ID, filter: in.ID}
	after, err := a.reportPosition(l, in.Cursor)
	if err != nil {
		return nil, err
	}
	items, more, err := a.Operators.Reports(ctx, id, after, in.Limit)
	if err != nil {
		return nil, err
	}
	last := lastOf(items, func(r *elumenta.Report) string { return writePosition(r.Position()) })
	return &bodyOf[page[adminReportView]]{viewPage(items, viewReport, a.next(l, more, last))}, nil
}

// reviewView is an assistant as operators see it.
type reviewView struct {
	ID string `json:"id" pattern:"^asst_[0-9a-hjkmnp-tv-z]{26}$"`
	FieldsView
	AccountID  string         `json:"account_id" pattern:"^acct_[0-9a-hjkmnp-tv-z]{26}$" doc:"The author's."`
	Author     string         `json:"author" doc:"The display name of the author's account."`
	Visibility string         `json:"visibility" enum:"private,marketplace"`
	TakenDown  *takenDownView `json:"taken_down"`
	Version    int            `json:"version" minimum:"1" doc:"Whose fields these are."`
	Newest     int            `json:"newest_version" minimum:"1"`
	Public     bool           `json:"public" doc:"Whether others may pin this version."`
	CreatedAt  time.Time      `json:"created_at"`
	UpdatedAt  time.Time      `json:"updated_at"`
}

type reviewAssistantIn struct {
	PathID
	Version int `query:"version" minimum:"1" doc:"Which version; the newest if it is left out."`
	known
}

func (a *API) reviewAssistant(ctx context.Context, _ *call, in *reviewAssistantIn) (*bodyOf[reviewView], error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := a.Operators.ReviewAssistant(ctx, id, in.Version)
	if err != nil {
		return nil, err
	}
	return &bodyOf[reviewView]{reviewView{
		ID: string(r.ID), FieldsView: viewFields(&r.Fields), AccountID: string(r.Owner), Author: r.Author, Visibility: string(r.Visibility),
		TakenDown: viewTakenDown(r.TakenDown), Version: r.Version, Newest: r.Newest, Public: r.Public, CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}}, nil
}
