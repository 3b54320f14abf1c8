package wire

import "bytes"

// Pattern is a JSON text with holes where the next ones like it have other strings: most events of a stream differ in nothing
// else, and what else they say is known then. The zero value matches nothing.
type Pattern struct {
	fixed []byte // the text without its holes
	ends  []int  // where in it the part before a hole ends
}

// Span is a place in a text.
type Span struct{ From, To int }

// Learn takes a text that has been read as JSON to its end, and where in it strings may differ, in their order.
func (p *Pattern) Learn(text []byte, holes ...Span) {
	p.fixed, p.ends = p.fixed[:0], p.ends[:0]
	from := 0
	for _, h := range holes {
		p.fixed = append(p.fixed, text[from:h.From]...)
		p.ends = append(p.ends, len(p.fixed))
		from = h.To
	}
	p.fixed = append(p.fixed, text[from:]...)
}

// Forget makes it match nothing, and keeps the room that it took unless that is much.
func (p *Pattern) Forget() {
	if cap(p.fixed) > pooledLimit {
		p.fixed = nil
	}
	clear(p.fixed[:cap(p.fixed)])
	p.fixed, p.ends = p.fixed[:0], p.ends[:0]
}

// Match reports whether a text is like the one that was learned, and says where the string in its first hole is. Such a text is
// JSON, too.
func (p *Pattern) Match(text []byte) (first Span, ok bool) {
	if len(p.ends) == 0 {
		return first, false
	}
	at, from := 0, 0
	for i, end := range p.ends {
		part := p.fixed[from:end]
		if !bytes.HasPrefix(text[at:], part) {
			return first, false
		}
		at += len(part)
		to, ok := str(text, at)
		if !ok {
			return first, false
		}
		if i == 0 {
			first = Span{at, to}
		}
		at, from = to, end
	}
	return first, bytes.Equal(text[at:], p.fixed[from:])
}
