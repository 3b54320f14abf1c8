package console

import (
	"net/http"
	"net/url"
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

func (p *page) showStatement() error {
	s, ask := p.statementQuery()
	var balance struct {
		Tokens int64 `json:"token_balance"`
	}
	if err := p.get("/balance", &balance); err != nil {
		return err
	}
	s.Balance = balance.Tokens
	ask.Set("limit", "50")
	if cursor := p.r.URL.Query().Get("cursor"); cursor != "" {
		ask.Set("cursor", cursor)
	}
	err := p.get("/balance/statement?"+ask.Encode(), &s.Entries)
	return p.answerStatement(s, err)
}

// answerStatement shows a statement, or what is wrong with its time.
func (p *page) answerStatement(s *statement, err error) error {
	if codeOf(err) == elumenta.CodeValidation {
		s.Errors, _ = fieldErrors(err)
		return p.renderStatus(http.StatusUnprocessableEntity, "account", p.T("statement.title"), statementPage(p, s))
	}
	if err != nil {
		return err
	}
	return p.render("account", p.T("statement.title"), statementPage(p, s))
}

// statementFile is the statement as a file of comma-separated values, as the API makes it.
func (p *page) statementFile() error {
	s, ask := p.statementQuery()
	ask.Set("format", "csv")
	err := p.file("/balance/statement?" + ask.Encode())
	if codeOf(err) == elumenta.CodeValidation {
		return p.answerStatement(s, err)
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
