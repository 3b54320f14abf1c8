package store

import (
	"errors"

	"github.com/elumenta/elumenta"
)

// mostPaged bounds the texts of a page, in bytes: a hundred of the longest assistants have a hundred times as much, and wait in memory for
// a client that reads slowly.
const mostPaged = 2 << 20

// errPageFull ends the reading of a page; what is behind is on the next one.
var errPageFull = errors.New("the page is full")

// paged counts the bytes of a page.
type paged int

// fits reports whether an item with so many bytes may be on the page, as the first one always may.
func (n *paged) fits(bytes int) bool {
	first := *n == 0
	*n += paged(bytes)
	return first || *n <= mostPaged
}

// cut reports whether the reading of rows ended since the page was full.
func cut(err error) (full bool, other error) {
	if errors.Is(err, errPageFull) {
		return true, nil
	}
	return false, err
}

func fieldsBytes(f *elumenta.Fields) int {
	n := len(f.Instructions) + len(f.Description) + elumenta.VariablesSize(f.Variables)
	if f.ResponseFormat != nil {
		n += len(f.ResponseFormat.Schema)
	}
	for k, v := range f.Metadata {
		n += len(k) + len(v)
	}
	return n
}

func listingBytes(l *elumenta.Listing) int {
	return len(l.Description) + elumenta.VariablesSize(l.Variables)
}
