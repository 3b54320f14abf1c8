package httpapi

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

// TestUploads: what an account has on its way at once is bounded, whoever sends it, and nothing of it is left.
func TestUploads(t *testing.T) {
	all := &uploads{bytes: map[elumenta.AccountID]int64{}}
	send := func(account elumenta.AccountID, n int64) (*upload, error) {
		u := &upload{Reader: io.LimitReader(zeros{}, n), all: all, account: account}
		_, err := io.Copy(io.Discard, u)
		return u, err
	}
	var open []*upload
	for range 6 {
		u, err := send("a", 20<<20)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, u)
	}
	seventh, err := send("a", 20<<20)
	if e, ok := errors.AsType[*elumenta.Error](err); !ok || e.Code != elumenta.CodeRateLimited || e.RetryAfter == 0 || !strings.Contains(e.Message, "128 MiB") {
		t.Errorf("a seventh: %v", err)
	}
	other, err := send("b", 20<<20)
	if err != nil {
		t.Errorf("another account: %v", err)
	}
	seventh.done()
	if again, err := send("a", 8<<20); err != nil {
		t.Errorf("a smaller one: %v", err)
	} else {
		again.done()
	}
	for _, u := range append(open, other) {
		u.done()
	}
	if len(all.bytes) != 0 {
		t.Errorf("%v are left", all.bytes)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
