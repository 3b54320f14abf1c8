package elumenta

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of moderation.
const (
	MaxReportComment = 1000 // characters
	// MaxOpenReports is how many reports an account may have that operators have not decided on.
	MaxOpenReports = 100
	// MaxDeniedNames is how many entries a deny-list may have, each of MaxName characters.
	MaxDeniedNames = 10_000
)

// ReportReason is why an account reports an assistant.
type ReportReason string

// The reasons.
const (
	ReportSpam          ReportReason = "spam"
	ReportHarmful       ReportReason = "harmful"
	ReportIllegal       ReportReason = "illegal"
	ReportImpersonation ReportReason = "impersonation"
	ReportCopyright     ReportReason = "copyright"
	ReportSexual        ReportReason = "sexual"
	ReportOther         ReportReason = "other"
)

// ReportReasons lists the reasons in the order in which they are shown.
func ReportReasons() []ReportReason {
	return []ReportReason{ReportSpam, ReportHarmful, ReportIllegal, ReportImpersonation, ReportCopyright, ReportSexual, ReportOther}
}

// ReportState says what became of a report.
type ReportState string

// The states: a report is open until operators dismiss it, or uphold it by taking the assistant down.
const (
	ReportOpen      ReportState = "open"
	ReportDismissed ReportState = "dismissed"
	ReportUpheld    ReportState = "upheld"
)

// ReportStates lists the states in the order in which a report has them.
func ReportStates() []ReportState { return []ReportState{ReportOpen, ReportDismissed, ReportUpheld} }

// MetadataCopiedFrom is the metadata of a copy: the version that it was made of, as asst_…@3.
const MetadataCopiedFrom = "copied_from"

// NewReport is what an account says about an assistant. The comment is for operators alone.
type NewReport struct {
	Reason  ReportReason
	Comment Text
}

// Check gathers everything that is wrong with a report.
func (r *NewReport) Check() FieldErrors {
	var errs FieldErrors
	if !slices.Contains(ReportReasons(), r.Reason) {
		reasons := make([]string, len(ReportReasons()))
		for i, known := range ReportReasons() {
			reasons[i] = string(known)
		}
		errs.Add("reason", "must be one of %s", strings.Join(reasons, ", "))
	}
	checkText(&errs, "comment", string(r.Comment), 0, MaxReportComment)
	return errs
}

// Report is what an account reported. An account has one open report for each assistant, and keeps those that were decided on.
type Report struct {
	Assistant AssistantID
	Account   AccountID // whose report it is: only operators learn that
	Version   int       // the newest that others could use then
	NewReport
	State     ReportState
	CreatedAt time.Time
	// DecidedAt is zero while the report is open.
	DecidedAt time.Time
}

// Position is where the report stands among its assistant's.
func (r *Report) Position() ReportPosition { return ReportPosition{r.CreatedAt, string(r.Account)} }

// ReportedAssistant is an assistant in the operators' queue, with its reports in one state.
type ReportedAssistant struct {
	ID        AssistantID
	Owner     AccountID
	Author    string // the owner's display name
	Name      string
	Published bool
	TakenDown *TakeDown
	// Reports counts the reports by their reason.
	Reports map[ReportReason]int
	// FirstAt and LastAt are when the first and the last of them came.
	FirstAt, LastAt time.Time
	// DecidedAt is when the last of them was decided; zero while they are open.
	DecidedAt time.Time
}

// Position is where the assistant stands in the queue.
func (r *ReportedAssistant) Position() ReportPosition {
	at := r.DecidedAt
	if at.IsZero() {
		at = r.FirstAt
	}
	return ReportPosition{at, string(r.ID)}
}

// ReportQuery asks for one page of reported assistants: of open reports the one that has waited longest first, of decided
// ones the last decision first.
type ReportQuery struct {
	State ReportState
	After ReportPosition // exclusive; zero begins at the first
	Limit int
}

// ReportPosition is a place among reports.
type ReportPosition struct {
	At time.Time
	ID string // of an assistant in the queue, of an account among an assistant's reports
}

// TakeDown says that an operator took an assistant from the marketplace, and that it cannot be published.
type TakeDown struct {
	Reason string // the operator's, which the author reads
	At     time.Time
}

// Refusal is why a taken-down assistant cannot be published.
func (t *TakeDown) Refusal() *Error {
	return &Error{
		Code:    CodeForbidden,
		Message: "an operator took this assistant down, and it cannot be published until one allows that again: " + t.Reason,
		Details: map[string]any{"reason": t.Reason, "taken_down_at": t.At.UTC().Format(time.RFC3339Nano)},
	}
}

// Reviewed is an assistant as operators see it to judge it: all of a version, instructions included.
type Reviewed struct {
	Assistant
	Author string // the owner's display name
	// Newest is the newest version's number; Version is that of the fields.
	Newest int
	// Public is whether others may pin this version.
	Public bool
}

// DeniedNames are words that names in the marketplace may not have. The zero value denies none. It is safe for concurrent use.
type DeniedNames struct{ entries, spelled []string }

// NewDeniedNames makes a deny-list. An entry is found whatever its case, accents, width and invisible characters, and with
// digits for letters. It must stand on word boundaries, except where scripts that write no blanks have none. bad are the
// indexes of entries without a letter, digit or symbol, or of more than MaxName characters: they deny nothing.
func NewDeniedNames(entries []string) (d DeniedNames, bad []int) {
	for i, e := range entries {
		folded := foldName(e)
		if !strings.ContainsFunc(folded, legible) || utf8.RuneCountInString(e) > MaxName {
			bad = append(bad, i)
			continue
		}
		d.entries = append(d.entries, folded)
		d.spelled = append(d.spelled, strings.Map(spell, folded))
	}
	return d, bad
}

// Check adds a field whose text has a denied word. What it says does not repeat the list.
func (d DeniedNames) Check(errs *FieldErrors, field, name string) {
	if len(d.entries) > 0 && d.denies(name) {
		errs.Add(field, "is not allowed here: choose another one")
	}
}

func (d DeniedNames) denies(name string) bool {
	folded := foldName(name)
	spelled := strings.Map(spell, folded)
	for i := range d.entries {
		if hasWord(folded, d.entries[i]) || hasWord(spelled, d.spelled[i]) {
			return true
		}
	}
	return false
}

// foldName folds a name, without what is not seen; blanks become one space.
func foldName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(Fold(s)), " ")
}

// spell reads digits and signs as the letters that they are written for. i and l cannot be told apart then.
func spell(r rune) rune {
	const from, to = "013457@$!|l", "oieastasiii"
	if i := strings.IndexRune(from, r); i >= 0 {
		return rune(to[i])
	}
	return r
}

// hasWord reports whether s contains a word that begins and ends at boundaries.
func hasWord(s, word string) bool {
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return false
		}
		start := from + i
		end := start + len(word)
		if boundary(s, start) && boundary(s, end) {
			return true
		}
		_, size := utf8.DecodeRuneInString(s[start:])
		from = start + size
	}
}

// boundary reports whether words may be parted at a byte offset: acme2 has acme, acmeist has not.
func boundary(s string, at int) bool {
	if at == 0 || at == len(s) {
		return true
	}
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at:])
	kind := kindOf(before)
	return !kind.word() || kind != kindOf(after)
}

func legible(r rune) bool { return kindOf(r) != separator }
