package httpapi

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// number reads a number.
func (r *reader) number(p *fieldPath) (float64, bool) {
	_, f, ok := r.numeric(p, "a number")
	return f, ok
}

// integer reads a whole number of at most 2³¹-1.
func (r *reader) integer(p *fieldPath) (int, bool) {
	n, ok := r.whole(p, -math.MaxInt32, math.MaxInt32)
	return int(n), ok
}

// whole reads a whole number between two, exactly, in whichever way it is written: 1000, 1e3 and 1000.0 are the same.
func (r *reader) whole(p *fieldPath, least, most int64) (int64, bool) {
	raw, f, ok := r.numeric(p, "an integer")
	if !ok {
		return 0, false
	}
	switch {
	case f < float64(least):
		r.bad(p, "must be at least %d", least)
		return 0, false
	case f > float64(most):
		r.bad(p, "must be at most %d", most)
		return 0, false
	}
	n, ok := wholeNumber(string(raw), f)
	if !ok {
		r.bad(p, "must be an integer")
	}
	return n, ok
}

// wholeNumber is the number that raw is, which f rounds; false if it has a fraction, however small.
func wholeNumber(raw string, f float64) (int64, bool) {
	if f == 0 { // its exponent may be anything
		digits, _, _ := strings.Cut(strings.ToLower(raw), "e")
		return 0, strings.Trim(digits, "-0.") == ""
	}
	if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return n, true
	}
	n, ok := new(big.Rat).SetString(raw)
	if !ok || !n.IsInt() {
		return 0, false
	}
	return n.Num().Int64(), true
}

// numeric reads a number: raw, as it stands in the body until the next value is read, and rounded.
func (r *reader) numeric(p *fieldPath, want string) (raw []byte, f float64, ok bool) {
	if !r.is(p, '0', want) {
		return nil, 0, false
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		r.fail(err)
		return nil, 0, false
	}
	f, err = strconv.ParseFloat(string(raw), 64)
	if err != nil {
		r.bad(p, "is too large")
		return nil, 0, false
	}
	return raw, f, true
}
