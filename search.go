package elumenta

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxWord is how many characters of a word count: what is longer is no word that somebody searches for.
	maxWord = 40
	// maxSortName bounds SortName, in bytes: names are the keys of an index.
	maxSortName = 400
	// shortPrefix is the length up to which each beginning of a word is a term of its own, and longPrefix that of one more, so
	// that a beginning is found in few terms, whatever its length.
	shortPrefix, longPrefix = 3, 5
	// lastRune ends a range of terms: no term has it.
	lastRune = "\U0010FFFF"
)

// SearchText is what is searched of an assistant, folded: its name, a line feed and its description.
func SearchText(name, description string) string { return Fold(name) + "\n" + Fold(description) }

// SortName is a name as lists are sorted by it and as it is compared with what somebody looks for: its words, folded, with
// single blanks between, at most 400 bytes.
func SortName(name string) string { return normal(cut(Fold(name))) }

// piece is what text is cut into: a word, a character of a script that puts no blanks between words, or a symbol.
type piece struct {
	text   string
	kind   pieceKind
	joined bool // follows the one before with nothing in between
}

type pieceKind int8

const (
	separator pieceKind = iota
	letters
	digits
	character
	symbol
)

func (k pieceKind) word() bool { return k == letters || k == digits }

// withoutBlanks are scripts that put no blanks between words, or whose words run together, as those of Korean do.
var withoutBlanks = []*unicode.RangeTable{ //nolint:gochecknoglobals // a constant
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Hangul, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

func kindOf(r rune) pieceKind {
	const firstWithoutBlanks, longVowel = '\u0E00', '\u30FC'
	switch {
	case r >= 'a' && r <= 'z':
		return letters
	case r >= '0' && r <= '9':
		return digits
	case r == '#' || unicode.IsSymbol(r):
		return symbol
	case r < utf8.RuneSelf:
		return separator
	case r == longVowel, r >= firstWithoutBlanks && unicode.In(r, unicode.L, unicode.M, unicode.Nl) && unicode.In(r, withoutBlanks...):
		return character
	case unicode.In(r, unicode.L, unicode.M):
		return letters
	case unicode.IsNumber(r):
		return digits
	}
	return separator
}

// cut cuts folded text. Letters and digits are words of their own: GPT-4 and gpt4 are the same.
func cut(folded string) []piece {
	var pieces []piece
	last, length := separator, 0
	for at := 0; at < len(folded); {
		r, size := utf8.DecodeRuneInString(folded[at:])
		kind := kindOf(r)
		switch {
		case kind == separator:
		case kind.word() && kind == last:
			if length++; length <= maxWord {
				word := &pieces[len(pieces)-1]
				word.text = folded[at-len(word.text) : at+size]
			}
		default:
			pieces = append(pieces, piece{folded[at : at+size], kind, last != separator})
			length = 1
		}
		last = kind
		at += size
	}
	return pieces
}

// normal puts pieces together again, at most maxSortName bytes of them.
func normal(pieces []piece) string {
	var b strings.Builder
	for i, p := range pieces {
		if i > 0 && (!p.joined || p.kind != character || pieces[i-1].kind != character) {
			b.WriteByte(' ')
		}
		b.WriteString(p.text)
		if b.Len() > maxSortName {
			return strings.ToValidUTF8(b.String()[:maxSortName], "")
		}
	}
	return b.String()
}

// SearchField is where a term stands.
type SearchField byte

// The fields of a document. What is in a name is anywhere, too.
const (
	SearchAnywhere  SearchField = 'a'
	SearchName      SearchField = 'n'
	SearchBeginning SearchField = 'b' // of the name
)

// Kinds of terms, behind the field.
const (
	termPrefix = "p" // the first 1 to shortPrefix characters of a word
	termLong   = "q" // the first longPrefix characters, or a shorter word
	termWord   = "w" // a word of at least longPrefix characters
	termRun    = "r" // a character, or two neighbours, or a symbol
)

// SearchListed is a term of every document.
const SearchListed = "l"

// SearchCategory is the term of a category.
func SearchCategory(slug string) string { return "c" + slug }

// SearchDocument is what is known of a published assistant where it is searched for. Its text is a SearchText.
type SearchDocument struct{ Category, Text string }

// Terms are what the document is found by, each once. Another way of cutting text needs a migration that empties the
// index and notes every published assistant.
func (d SearchDocument) Terms() []string {
	set := map[string]struct{}{}
	d.collect(set)
	terms := make([]string, 0, len(set))
	for term := range set {
		terms = append(terms, term)
	}
	return terms
}

func (d SearchDocument) collect(set map[string]struct{}) {
	set[SearchListed] = struct{}{}
	set[SearchCategory(d.Category)] = struct{}{}
	name, description, _ := strings.Cut(d.Text, "\n")
	pieces := cut(name)
	addTerms(set, SearchName, pieces, len(pieces))
	addTerms(set, SearchAnywhere, pieces, len(pieces))
	addTerms(set, SearchBeginning, pieces, min(1, len(pieces)))
	pieces = cut(description)
	addTerms(set, SearchAnywhere, pieces, len(pieces))
}

// addTerms adds the terms that begin in the first n pieces.
func addTerms(set map[string]struct{}, field SearchField, pieces []piece, n int) {
	for i, p := range pieces[:n] {
		if !p.kind.word() {
			set[term(field, termRun, p.text)] = struct{}{}
			if pair, ok := pairAt(pieces, i); ok {
				set[term(field, termRun, pair)] = struct{}{}
			}
			continue
		}
		length := 0
		for at := range p.text {
			if length > 0 && length <= shortPrefix {
				set[term(field, termPrefix, p.text[:at])] = struct{}{}
			}
			if length == longPrefix {
				set[term(field, termLong, p.text[:at])] = struct{}{}
			}
			length++
		}
		if length <= shortPrefix {
			set[term(field, termPrefix, p.text)] = struct{}{}
		}
		if length <= longPrefix {
			set[term(field, termLong, p.text)] = struct{}{}
		}
		if length >= longPrefix {
			set[term(field, termWord, p.text)] = struct{}{}
		}
	}
}

func term(field SearchField, kind, text string) string { return string(rune(field)) + kind + text }

// pairAt is the character at i and its neighbour behind it.
func pairAt(pieces []piece, i int) (string, bool) {
	if i+1 == len(pieces) || pieces[i].kind != character || pieces[i+1].kind != character || !pieces[i+1].joined {
		return "", false
	}
	return pieces[i].text + pieces[i+1].text, true
}

// SearchRange is the terms from From up to To; without To it is From alone.
type SearchRange struct{ From, To string }

// SearchQuery is what somebody looks for.
type SearchQuery struct {
	name   string
	pieces []piece
}

// ParseSearchQuery cuts a query as documents are cut. All of its terms must be found; its last word may go on, since it may not be
// typed to its end.
func ParseSearchQuery(q string) SearchQuery {
	pieces := cut(Fold(q))
	return SearchQuery{normal(pieces), pieces}
}

// Empty reports whether the query has no term, and so finds nothing.
func (q *SearchQuery) Empty() bool { return len(q.pieces) == 0 }

// Longest is a part of the query that the text of each document has that answers it.
func (q *SearchQuery) Longest() (longest string) {
	for _, p := range q.pieces {
		if len(p.text) > len(longest) {
			longest = p.text
		}
	}
	return longest
}

// Name is to be compared with SortName.
func (q *SearchQuery) Name() string { return q.name }

// Names is the range of the names that begin with the query.
func (q *SearchQuery) Names() SearchRange { return SearchRange{q.name, q.name + lastRune} }

// Simple reports whether a name begins with the query if and only if it has its terms at the SearchBeginning.
func (q *SearchQuery) Simple() bool {
	if len(q.pieces) == 2 {
		_, pair := pairAt(q.pieces, 0)
		return pair
	}
	return len(q.pieces) == 1
}

// Terms are what a document must have, each once: of each range at least one term.
func (q *SearchQuery) Terms(field SearchField) []SearchRange {
	var ranges []SearchRange
	for i, p := range q.pieces {
		if i > 0 && field == SearchBeginning {
			break
		}
		var r SearchRange
		pair, paired := pairAt(q.pieces, i)
		switch {
		case p.kind.word() && i == len(q.pieces)-1:
			r = prefixRange(field, p.text)
		case p.kind.word() && utf8.RuneCountInString(p.text) < longPrefix:
			r.From = term(field, termLong, p.text)
		case p.kind.word():
			r.From = term(field, termWord, p.text)
		case paired:
			r.From = term(field, termRun, pair)
		case i > 0 && p.joined && p.kind == character && q.pieces[i-1].kind == character:
			continue // the pair before has it
		default:
			r.From = term(field, termRun, p.text)
		}
		if !slices.Contains(ranges, r) {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// prefixRange has every word that begins with prefix.
func prefixRange(field SearchField, prefix string) SearchRange {
	kind := termWord
	switch n := utf8.RuneCountInString(prefix); {
	case n <= shortPrefix:
		return SearchRange{From: term(field, termPrefix, prefix)}
	case n == longPrefix:
		return SearchRange{From: term(field, termLong, prefix)}
	case n < longPrefix:
		kind = termLong
	}
	from := term(field, kind, prefix)
	return SearchRange{from, from + lastRune}
}

// SearchTier says how well a document answers a query; the lower, the better.
type SearchTier int

// The tiers.
const (
	NameEquals SearchTier = iota
	NameBegins
	NameContains
	Contains
	SearchTiers = int(iota) // how many there are
)

// Find is the tier of a document, or false if it does not answer the query. It says of one document what its Terms say of all.
func (q *SearchQuery) Find(d SearchDocument) (SearchTier, bool) {
	for _, p := range q.pieces {
		if !strings.Contains(d.Text, p.text) {
			return 0, false // most are told so, without being cut
		}
	}
	text, rest, _ := strings.Cut(d.Text, "\n")
	name, description := cut(text), cut(rest)
	sorted := normal(name)
	switch {
	case q.Empty() || !q.foundIn(name, description):
		return 0, false
	case sorted == q.name:
		return NameEquals, true
	case strings.HasPrefix(sorted, q.name):
		return NameBegins, true
	case q.foundIn(name):
		return NameContains, true
	}
	return Contains, true
}

// foundIn reports whether each piece of the query is in one of the texts.
func (q *SearchQuery) foundIn(texts ...[]piece) bool {
	for i, p := range q.pieces {
		pair, paired := pairAt(q.pieces, i)
		last := i == len(q.pieces)-1
		if !slices.ContainsFunc(texts, func(pieces []piece) bool {
			for at, other := range pieces {
				next, ok := "", false
				if paired {
					next, ok = pairAt(pieces, at)
				}
				if paired && ok && next == pair || !paired && (other.text == p.text || last && p.kind.word() && strings.HasPrefix(other.text, p.text)) {
					return true
				}
			}
			return false
		}) {
			return false
		}
	}
	return true
}
