package storetest

import (
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// reconfigure gives the bench other plans: by a reload, or by another store on the same database.
func (b *bench) reconfigure(url string, plans elumenta.Plans, reload bool) {
	b.Helper()
	if reload {
		b.Reload(plans, elumenta.DeniedNames{}, 0, 0)
		return
	}
	wantOK(b, b.Close())
	b.Store = OpenWith(b, store.Options{URL: url, Serve: true, Plans: plans, Now: b.clock.Now})
}

// testPlansConfigured follows an account through configurations: one without its plan, one that gives more, one that gives
// nothing more.
func testPlansConfigured(t *testing.T, url string) { followPlans(t, url, false) }

func testPlansReloaded(t *testing.T, url string) { followPlans(t, url, true) }

func followPlans(t *testing.T, url string, reload bool) {
	b := newBench(t, url)
	p := b.payer("basic")
	check := func(step string, monthly, topup int64) {
		t.Helper()
		a, err := b.Account(t.Context(), p.account)
		wantOK(t, err)
		if a.Plan != "basic" || a.Balance.Monthly != monthly || a.Balance.Topup != topup {
			t.Errorf("%s: %s with %+v", step, a.Plan, a.Balance)
		}
	}
	_, _, err := b.Topup(t.Context(), p.account, elumenta.Topup{Tokens: 20})
	wantOK(t, err)
	p.settle(p.reserve(10), elumenta.Charged)

	b.reconfigure(url, elumenta.Plans{{Name: "free", OnceTokens: 50}, {Name: "pro", MonthlyTokens: 700}}, reload)
	b.clock.Set(b.clock.Now().AddDate(0, 3, 0))
	_, err = b.Reserve(t.Context(), p.reservation(1))
	if e := wantError(t, err, elumenta.CodeInsufficientPlan); !strings.Contains(e.Message, "the plan basic of this account is not offered any more") {
		t.Errorf("the plan is gone: %s", e.Message)
	}
	check("gone", 290, 20)
	_, _, err = b.Topup(t.Context(), p.account, elumenta.Topup{Tokens: 1})
	wantOK(t, err)
	if v := Verified(t, b.Store); v.UnknownPlans["basic"] != 1 || len(v.UnknownPlans) != 1 {
		t.Errorf("unknown plans: %v", v.UnknownPlans)
	}

	b.reconfigure(url, elumenta.Plans{{Name: "free", OnceTokens: 50}, {Name: "basic", MonthlyTokens: 400}}, reload)
	check("back, with more", 400, 21)
	p.settle(p.reserve(405), elumenta.Charged)
	check("spent", 0, 16)

	b.reconfigure(url, elumenta.Plans{{Name: "free", OnceTokens: 50}, {Name: "basic", MonthlyTokens: 100}}, reload)
	check("less, from the next month", 0, 16)
	b.clock.Set(b.clock.Now().AddDate(0, 1, 0))
	check("less", 100, 16)
	p.settle(p.reserve(16), elumenta.Charged)
	if kinds := p.kinds(); kinds != "grant topup reserve settle topup expire grant reserve settle grant reserve settle" {
		t.Errorf("entries: %s", kinds)
	}
	if v := Verified(t, b.Store); len(v.UnknownPlans) > 0 {
		t.Errorf("unknown plans: %v", v.UnknownPlans)
	}
}
