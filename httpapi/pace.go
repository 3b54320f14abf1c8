package httpapi

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/elumenta/elumenta"
)

// mostPaced bounds how many accounts are remembered at once.
const mostPaced = 10_000

// pace bounds how many calls an account makes of this node in a minute.
type pace struct {
	perMinute int
	mu        sync.Mutex
	accounts  map[elumenta.AccountID]*rate.Limiter
}

func newPace() *pace { return &pace{accounts: map[elumenta.AccountID]*rate.Limiter{}} }

// set changes the bound. What was called counts towards the new one.
func (p *pace) set(perMinute int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if perMinute == p.perMinute {
		return
	}
	for _, l := range p.accounts {
		l.SetBurst(perMinute)
		l.SetLimit(perSecond(perMinute))
	}
	p.perMinute = perMinute
}

func perSecond(perMinute int) rate.Limit { return rate.Limit(float64(perMinute) / 60) }

// take counts a call. If it is one too many, it says how long to wait.
func (p *pace) take(account elumenta.AccountID, now time.Time) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.accounts[account]
	if l == nil {
		p.makeRoom(now)
		l = rate.NewLimiter(perSecond(p.perMinute), p.perMinute)
		p.accounts[account] = l
	}
	if l.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - l.TokensAt(now)
	return time.Duration(missing / float64(l.Limit()) * float64(time.Second)), false
}

// makeRoom forgets accounts that have been quiet, which changes nothing for them, and any other if there are none.
func (p *pace) makeRoom(now time.Time) {
	if len(p.accounts) < mostPaced {
		return
	}
	for id, l := range p.accounts {
		if l.TokensAt(now) >= float64(p.perMinute) {
			delete(p.accounts, id)
		}
	}
	for id := range p.accounts {
		if len(p.accounts) < mostPaced {
			return
		}
		delete(p.accounts, id)
	}
}
