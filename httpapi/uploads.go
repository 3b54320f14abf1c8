package httpapi

import (
	"io"
	"sync"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	// mostUploaded bounds the bytes of bodies that an account sends at once: a body may take a minute, and waits in memory.
	mostUploaded = 128 << 20
	// freeUpload is a body that is not counted: as many of them as there are connections come to little.
	freeUpload = 256 << 10
)

// uploads counts the bytes of bodies that are on their way, by account.
type uploads struct {
	mu    sync.Mutex
	bytes map[elumenta.AccountID]int64
}

// add counts bytes, or reports that they are too many.
func (u *uploads) add(account elumenta.AccountID, n int64) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.bytes[account]+n > mostUploaded {
		return false
	}
	if u.bytes[account] += n; u.bytes[account] == 0 {
		delete(u.bytes, account)
	}
	return true
}

// upload counts what is read of one body until done.
type upload struct {
	io.Reader
	all     *uploads
	account elumenta.AccountID
	plan    string
	counted int64
}

// Read fails with CodeRateLimited where the account has too much on its way.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if n > 0 && !u.all.add(u.account, int64(n)) {
		return 0, &elumenta.Error{
			Code: elumenta.CodeRateLimited, Message: "the bodies that this account sends at once have more than 128 MiB: wait and try again",
			RetryAfter: time.Second, Limited: &elumenta.Limited{Plan: u.plan, RetryAfter: time.Second},
		}
	}
	u.counted += int64(n)
	return n, err
}

func (u *upload) done() { u.all.add(u.account, -u.counted) }
