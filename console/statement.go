package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/elumenta/elumenta"
)

// JournalEntry is one movement of an account's tokens.
type JournalEntry struct {
	Seq          int64          `json:"seq"`
	At           time.Time      `json:"at"`
	Kind         string         `json:"kind"`
	Source       elumenta.Place `json:"source"`
	Destination  elumenta.Place `json:"destination"`
	Monthly      int64          `json:"monthly_tokens"`
	Topup        int64          `json:"topup_tokens"`
	Reason       string         `json:"reason"`
	GenerationID *string        `json:"generation_id"`
	Balance      struct {
		Tokens int64 `json:"token_balance"`
	} `json:"balance"`
}

// amount is what moved: with a sign if it changed the balance.
func (e *JournalEntry) amount(p *page) string {
	n := p.Number(e.Monthly + e.Topup)
	switch elumenta.PlaceAvailable {
	case e.Destination:
		return "+" + n
	case e.Source:
		return "−" + n
	}
	return n
}

// why says in words what the entry's reason means: a plan, a model, an error's code, or an operator's own words.
func (e *JournalEntry) why(p *page) string {
	switch elumenta.EntryKind(e.Kind) {
	case elumenta.EntryTopup:
		return e.Reason
	case elumenta.EntrySettle, elumenta.EntryGiveBack:
		if e.Reason == "client_left" {
			return p.T("statement.left_" + e.Kind)
		}
		if text := "error." + e.Reason; e.Kind == string(elumenta.EntryGiveBack) && p.known(text) {
			return p.T("statement.why_give_back") + " " + p.T(text) + "."
		}
	}
	return p.T("statement.why_"+e.Kind, "reason", e.Reason)
}

// statement is the page of an account's journal.
type statement struct {
	Balance  int64
	From, To string // days, both in the statement; empty for the beginning and the end
	Entries  List[JournalEntry]
	Errors   map[string]string
}

// query is the time of the statement, for a page of the console.
func (s *statement) query() url.Values { return url.Values{"from": {s.From}, "to": {s.To}} }

// statementQuery reads the page's address: the statement, and the API's query for it.
func (p *page) statementQuery() (*statement, url.Values) {
	q, ask := p.r.URL.Query(), url.Values{}
	s := &statement{}
	if day, err := time.Parse(time.DateOnly, q.Get("from")); err == nil {
		s.From = day.Format(time.DateOnly)
		ask.Set("from", s.From)
	}
	if ends, err := endOfDay(q.Get("to")); err == nil {
		s.To = lastDay(&ends)
		ask.Set("to", ends.Format(time.DateOnly))
	}
	return s, ask
}

// readStatement reads a page of a statement, or what is wrong with its time.
func (p *page) readStatement(path string, most int, errs map[string]string) (*statement, error) {
	s, ask := p.statementQuery()
	s.Errors = errs
	ask.Set("limit", strconv.Itoa(most))
	if cursor := p.r.URL.Query().Get("cursor"); cursor != "" {
		ask.Set("cursor", cursor)
	}
	err := p.get(path+"?"+ask.Encode(), &s.Entries)
	if codeOf(err) == elumenta.CodeValidation {
		s.Errors, _ = fieldErrors(err)
		return s, nil
	}
	return s, err
}

// showStatement is the page of the account's journal; errs is what was wrong with the time of a file of it.
func (p *page) showStatement(errs map[string]string) error {
	var balance struct {
		Tokens int64 `json:"token_balance"`
	}
	if err := p.get("/balance", &balance); err != nil {
		return err
	}
	s, err := p.readStatement("/balance/statement", 50, errs)
	if err != nil {
		return err
	}
	s.Balance = balance.Tokens
	status := http.StatusOK
	if s.Errors != nil {
		status = http.StatusUnprocessableEntity
	}
	return p.renderStatus(status, "account", p.T("statement.title"), statementPage(p, s))
}

// statementFile is a statement as a file of comma-separated values, as the API makes it. What is wrong with its time is for show.
func (p *page) statementFile(path string, show func(errs map[string]string) error) error {
	_, ask := p.statementQuery()
	ask.Set("format", "csv")
	err := p.file(path + "?" + ask.Encode())
	if codeOf(err) == elumenta.CodeValidation {
		errs, _ := fieldErrors(err)
		return show(errs)
	}
	return err
}

// file answers with a file of comma-separated values of the API's.
func (p *page) file(path string) error {
	a, err := p.ask(http.MethodGet, path, nil, "Accept", "text/csv")
	if err != nil {
		return err
	}
	for _, name := range []string{"Content-Type", "Content-Disposition"} {
		p.w.Header().Set(name, a.header.Get(name))
	}
	_, err = p.w.Write(a.body.Bytes())
	return err
}
