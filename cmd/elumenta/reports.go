package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
	"github.com/elumenta/elumenta/store"
)

type reportsCommand struct {
	List    reportsListCommand    `cmd:"" help:"List reported assistants, the one that has waited longest first."`
	Show    reportsShowCommand    `cmd:"" help:"Show an assistant's reports, newest first."`
	Read    reportsReadCommand    `cmd:"" help:"Print a published or reported assistant with its instructions, on the record."`
	Dismiss reportsDismissCommand `cmd:"" help:"Close an assistant's open reports, and leave it as it is."`
}

// Help shows examples.
func (reportsCommand) Help() string {
	return `Examples:
  elumenta reports list
  elumenta reports show asst_01j9x2…
  elumenta reports read asst_01j9x2…
  elumenta reports dismiss asst_01j9x2… --reason "satire"
  elumenta assistants takedown asst_01j9x2… --reason "sells pills"

These commands work on the database itself, also while a server runs on it. What they do is in the audit trail.`
}

func assistantID(s string) (elumenta.AssistantID, error) {
	id, ok := elumenta.ParseAssistantID(s)
	if !ok {
		return "", usageError{fmt.Sprintf("%q is not an assistant's id: asst_ and 26 characters; `elumenta reports list` shows those that were reported", s)}
	}
	return id, nil
}

// moderateFlags are those of an operator's command on one assistant.
type moderateFlags struct {
	databaseFlags
	Assistant string `arg:"" help:"The assistant's id."`
}

// with runs f on the assistant in the database.
func (m *moderateFlags) with(p *program, f func(ctx context.Context, s *store.Store, id elumenta.AssistantID) error) error {
	id, err := assistantID(m.Assistant)
	if err != nil {
		return err
	}
	return m.databaseFlags.with(p, func(ctx context.Context, s *store.Store) error { return f(ctx, s, id) })
}

type reportsListCommand struct {
	databaseFlags
	State elumenta.ReportState `default:"open" enum:"open,dismissed,upheld" help:"What became of the reports: open, dismissed or upheld. [${default}]"`
	JSON  bool                 `name:"json" help:"Print a JSON array."`
}

// Help shows examples.
func (reportsListCommand) Help() string {
	return `Examples:
  elumenta reports list
  elumenta reports list --state upheld --json | jq -r '.[].assistant_id'

Decided ones are listed by the last decision, newest first.`
}

// reportedView is a reported assistant as --json prints it, as the API has it.
type reportedView struct {
	AssistantID elumenta.AssistantID          `json:"assistant_id"`
	Name        string                        `json:"name"`
	AccountID   elumenta.AccountID            `json:"account_id"`
	Author      string                        `json:"author"`
	Visibility  elumenta.Visibility           `json:"visibility"`
	TakenDown   *takenDownView                `json:"taken_down"`
	Reports     int                           `json:"reports"`
	Reasons     map[elumenta.ReportReason]int `json:"reasons"`
	FirstAt     time.Time                     `json:"first_reported_at"`
	LastAt      time.Time                     `json:"last_reported_at"`
	DecidedAt   *time.Time                    `json:"decided_at"`
}

type takenDownView struct {
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

func viewReported(r *elumenta.ReportedAssistant) reportedView {
	v := reportedView{
		AssistantID: r.ID, Name: r.Name, AccountID: r.Owner, Author: r.Author, Visibility: elumenta.Private,
		Reasons: r.Reports, FirstAt: r.FirstAt, LastAt: r.LastAt, DecidedAt: timeOrNull(r.DecidedAt),
	}
	if r.Published {
		v.Visibility = elumenta.Marketplace
	}
	if t := r.TakenDown; t != nil {
		v.TakenDown = &takenDownView{Reason: t.Reason, At: t.At}
	}
	for _, n := range r.Reports {
		v.Reports += n
	}
	return v
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// reasons lists the reasons, the most frequent first.
func (v *reportedView) reasons() string {
	list := slices.DeleteFunc(elumenta.ReportReasons(), func(r elumenta.ReportReason) bool { return v.Reasons[r] == 0 })
	slices.SortStableFunc(list, func(a, b elumenta.ReportReason) int { return v.Reasons[b] - v.Reasons[a] })
	var texts []string
	for _, r := range list {
		texts = append(texts, fmt.Sprintf("%d %s", v.Reasons[r], r))
	}
	return strings.Join(texts, ", ")
}

// Run lists the assistants.
func (c *reportsListCommand) Run(p *program) error {
	query := elumenta.ReportQuery{State: c.State, Limit: 100}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		views := []reportedView{}
		for more := true; more; {
			items, next, err := s.ReportedAssistants(ctx, query)
			if err != nil {
				return err
			}
			for i := range items {
				views, query.After = append(views, viewReported(&items[i])), items[i].Position()
			}
			more = next
		}
		if c.JSON {
			return p.printJSON(views)
		}
		return p.table(func(w *tabwriter.Writer) {
			_, _ = fmt.Fprintln(w, "ASSISTANT\tNAME\tAUTHOR\tVISIBILITY\tSINCE\tREPORTS")
			for _, v := range views {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", v.AssistantID, printable(v.Name), printable(v.Author), v.Visibility,
					v.FirstAt.Format(time.DateOnly), v.reasons())
			}
		})
	})
}

type reportsShowCommand struct {
	moderateFlags
	JSON bool `name:"json" help:"Print a JSON array."`
}

// Help shows examples.
func (reportsShowCommand) Help() string {
	return `Example:
  elumenta reports show asst_01j9x2…

An account has one open report for each assistant. The author does not learn who reported.`
}

// reportView is a report as --json prints it, as the API has it.
type reportView struct {
	AccountID elumenta.AccountID    `json:"account_id"`
	Version   int                   `json:"version"`
	Reason    elumenta.ReportReason `json:"reason"`
	Comment   string                `json:"comment"`
	State     elumenta.ReportState  `json:"state"`
	CreatedAt time.Time             `json:"created_at"`
	DecidedAt *time.Time            `json:"decided_at"`
}

// Run shows the reports.
func (c *reportsShowCommand) Run(p *program) error {
	return c.with(p, func(ctx context.Context, s *store.Store, id elumenta.AssistantID) error {
		views, after := []reportView{}, elumenta.ReportPosition{}
		for more := true; more; {
			items, next, err := s.Reports(ctx, id, after, 100)
			if err != nil {
				return err
			}
			for _, r := range items {
				views, after = append(views, reportView{r.Account, r.Version, r.Reason, string(r.Comment), r.State, r.CreatedAt, timeOrNull(r.DecidedAt)}), r.Position()
			}
			more = next
		}
		if c.JSON {
			return p.printJSON(views)
		}
		return p.table(func(w *tabwriter.Writer) {
			_, _ = fmt.Fprintln(w, "REPORTED\tBY\tVERSION\tSTATE\tREASON\tCOMMENT")
			for _, v := range views {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", v.CreatedAt.Format(time.DateTime), v.AccountID, v.Version, v.State, v.Reason, printable(v.Comment))
			}
		})
	})
}

type reportsReadCommand struct {
	moderateFlags
	Version int `help:"Which version, instead of the newest." placeholder:"N"`
}

// Help shows examples.
func (reportsReadCommand) Help() string {
	return `Examples:
  elumenta reports read asst_01j9x2…
  elumenta reports read asst_01j9x2… --version 3

Only an assistant that is or was public, was reported or was taken down can be read, and each time is in the audit trail.`
}

// Run prints the assistant.
func (c *reportsReadCommand) Run(p *program) error {
	if c.Version < 0 {
		return usageError{"--version must be the number of a version"}
	}
	return c.with(p, func(ctx context.Context, s *store.Store, id elumenta.AssistantID) error {
		r, err := s.ReviewAssistant(ctx, id, c.Version)
		if err != nil {
			return err
		}
		return p.printText(string(assistantfile.Format(&assistantfile.Assistant{ID: r.ID, Visibility: r.Visibility, Version: r.Version, Fields: r.Fields})))
	})
}

type reportsDismissCommand struct {
	moderateFlags
	Reason string `help:"Why, for the audit trail; a single line." placeholder:"TEXT"`
}

// Help shows examples.
func (reportsDismissCommand) Help() string {
	return `Example:
  elumenta reports dismiss asst_01j9x2… --reason "satire"

The same account may report the assistant again only once it has changed.`
}

// Run closes the reports.
func (c *reportsDismissCommand) Run(p *program) error {
	return c.with(p, func(ctx context.Context, s *store.Store, id elumenta.AssistantID) error {
		return s.DismissReports(ctx, id, c.Reason)
	})
}

type assistantsTakedownCommand struct {
	moderateFlags
	Reason string `required:"" help:"Why: the author reads it; a single line." placeholder:"TEXT"`
}

// Help shows examples.
func (assistantsTakedownCommand) Help() string {
	return `Example:
  elumenta assistants takedown asst_01j9x2… --reason "sells pills"

An operator's command, on the database itself. The assistant leaves the marketplace, and those who pin a version of it lose it, at once. Its open
reports are upheld. Its author reads the reason, and cannot publish it until it is allowed again.`
}

// Run takes the assistant down.
func (c *assistantsTakedownCommand) Run(p *program) error {
	return c.with(p, func(ctx context.Context, s *store.Store, id elumenta.AssistantID) error {
		return s.Unpublish(ctx, id, c.Reason)
	})
}

type assistantsAllowCommand struct {
	moderateFlags
	Reason string `help:"Why, for the audit trail; a single line." placeholder:"TEXT"`
}

// Help shows examples.
func (assistantsAllowCommand) Help() string {
	return `Example:
  elumenta assistants allow asst_01j9x2…

An operator's command, on the database itself. The assistant stays private until its author publishes it; a starter is published at once.`
}

// Run allows publishing.
func (c *assistantsAllowCommand) Run(p *program) error {
	return c.with(p, func(ctx context.Context, s *store.Store, id elumenta.AssistantID) error {
		return s.AllowAssistant(ctx, id, c.Reason)
	})
}
