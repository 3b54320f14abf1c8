package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/elumenta/elumenta"
)

const (
	cursorTag  = 16   // bytes of the HMAC in a cursor
	maxCursor  = 1024 // characters: a name may be part of one
	cursorText = "the cursor does not belong to this list: begin again without one"
)

// list says which list a cursor pages: of what kind, for whom, and filtered how.
type list struct {
	kind    string
	account elumenta.AccountID
	filter  string
}

// cursor names a position in a list. It is worth nothing in another list, for another account or under another filter.
func (a *API) cursor(l list, position string) string {
	return base64.RawURLEncoding.EncodeToString(append(a.cursorMAC(l, position), position...))
}

// position reads a cursor of a list; "" is the beginning.
func (a *API) position(l list, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(cursor) > maxCursor || len(b) <= cursorTag {
		return "", elumenta.Errorf(elumenta.CodeBadRequest, cursorText)
	}
	position := string(b[cursorTag:])
	if !hmac.Equal(b[:cursorTag], a.cursorMAC(l, position)) {
		return "", elumenta.Errorf(elumenta.CodeBadRequest, cursorText)
	}
	return position, nil
}

func (a *API) cursorMAC(l list, position string) []byte {
	h := hmac.New(sha256.New, a.Secret[:])
	for _, s := range []string{"cursor", l.kind, string(l.account), l.filter, position} {
		_, _ = h.Write(append(binary.AppendUvarint(nil, uint64(len(s))), s...)) // a hash never fails
	}
	return h.Sum(nil)[:cursorTag]
}

// next is the cursor after a page, nil at the list's end.
func (a *API) next(l list, more bool, last string) *string {
	if !more {
		return nil
	}
	c := a.cursor(l, last)
	return &c
}
