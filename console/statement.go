package console

import (
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

func (p *page) showStatement() error {
	var balance struct {
		Tokens int64 `json:"token_balance"`
	}
	if err := p.get("/balance", &balance); err != nil {
		return err
	}
	path := "/balance/statement?limit=50"
	if cursor := p.r.URL.Query().Get("cursor"); cursor != "" {
		path += "&cursor=" + queryEscape(cursor)
	}
	var entries List[JournalEntry]
	if err := p.get(path, &entries); err != nil {
		return err
	}
	return p.render("account", p.T("statement.title"), statementPage(p, balance.Tokens, &entries))
}
