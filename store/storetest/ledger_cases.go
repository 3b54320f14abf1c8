package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

func testCharge(t *testing.T, b *bench) {
	p := b.payer("basic")
	r := p.reservation(4)
	r.Assistant = ""
	grant, err := b.Reserve(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if grant.Balance == nil || *grant.Balance != 296 {
		t.Errorf("granted %v, want a balance of 296", grant.Balance)
	}
	p.check(296, 1)
	outcome := elumenta.Outcome{
		State: elumenta.Charged, Finish: elumenta.FinishStop, Latency: 1500 * time.Millisecond, FirstPiece: 250 * time.Millisecond,
		Usage: elumenta.Usage{PromptTokens: 812, CompletionTokens: 96, CachedTokens: 768, CacheWriteTokens: 5, ReasoningTokens: 7},
	}
	want := elumenta.Settled{State: elumenta.Charged, TokensSpent: 4, Balance: new(int64(296))}
	for range 2 {
		got, err := b.Settle(t.Context(), p.account, r.Generation, outcome)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	p.check(296, 0)
	if got := p.kinds(); got != "grant reserve settle" {
		t.Errorf("entries: %s", got)
	}
	var row [10]int64
	var key, finish, failed string
	if err := b.raw().QueryRowContext(t.Context(), `SELECT key_id, finish, error, state, price, taken_monthly, prompt_tokens, completion_tokens,
		cached_tokens, cache_write_tokens, reasoning_tokens, latency_us, first_piece_us FROM generations WHERE account_id = $1 AND id = $2`,
		string(p.account), string(r.Generation)).Scan(&key, &finish, &failed, &row[0], &row[1], &row[2], &row[3], &row[4], &row[5],
		&row[6], &row[7], &row[8], &row[9]); err != nil {
		t.Fatal(err)
	}
	if key != string(p.key.ID) || finish != "stop" || failed != "" || row != [10]int64{1, 4, 4, 812, 96, 768, 5, 7, 1_500_000, 250_000} {
		t.Errorf("recorded %s %s %q %v", key, finish, failed, row)
	}
	if _, err := b.Settle(t.Context(), p.account, elumenta.NewGenerationID(), outcome); err != nil {
		wantError(t, err, elumenta.CodeInternal)
	} else {
		t.Error("settled what was never reserved")
	}
}

func testGiveBack(t *testing.T, b *bench) {
	p := b.payer("basic")
	if _, _, err := b.Topup(t.Context(), p.account, elumenta.Topup{Tokens: 20}); err != nil {
		t.Fatal(err)
	}
	id := p.reserve(310)
	p.check(10, 1)
	if got := p.settle(id, elumenta.GivenBack); got.TokensSpent != 0 || *got.Balance != 320 {
		t.Errorf("settled %+v", got)
	}
	if got := p.settle(id, elumenta.Charged); got.State != elumenta.GivenBack {
		t.Errorf("the first final state wins: %+v", got)
	}
	p.check(320, 0)
	a, err := b.Account(t.Context(), p.account)
	if err != nil || a.Balance.Monthly != 300 || a.Balance.Topup != 20 {
		t.Errorf("balance %+v, %v: it returns to where it came from", a.Balance, err)
	}
	r := p.reservation(321)
	_, err = b.Reserve(t.Context(), r)
	e := wantError(t, err, elumenta.CodeInsufficientTokens)
	if diff := cmp.Diff(map[string]any{"balance": int64(320), "cost": int64(321)}, e.Details); diff != "" {
		t.Error(diff)
	}
	p.check(320, 0)
}

// testFewTokens: of many at once exactly as many succeed as the balance covers, and it is never below zero.
func testFewTokens(t *testing.T, b *bench) {
	p := b.payer("free")
	r := p.reservation(4)
	errs := together(200, func(int) error {
		mine := r
		mine.Generation = elumenta.NewGenerationID()
		grant, err := b.Reserve(t.Context(), mine)
		if err == nil && *grant.Balance < 0 {
			return fmt.Errorf("a balance of %d", *grant.Balance)
		}
		return err
	})
	granted := 0
	for _, err := range errs {
		if err == nil {
			granted++
			continue
		}
		wantError(t, err, elumenta.CodeInsufficientTokens)
	}
	if granted != 12 {
		t.Errorf("%d granted, want 12", granted)
	}
	p.check(2, 12)
}

func testUnlimited(t *testing.T, b *bench) {
	p := b.payer("unlimited")
	r := p.reservation(39)
	grant, err := b.Reserve(t.Context(), r)
	if err != nil || grant.Balance != nil || grant.Rate.LimitDay != 0 {
		t.Fatalf("granted %+v, %v", grant, err)
	}
	p.check(0, 1)
	if got := p.settle(r.Generation, elumenta.Charged); got.TokensSpent != 39 || got.Balance != nil {
		t.Errorf("settled %+v", got)
	}
	if got := p.settle(p.reserve(39), elumenta.GivenBack); got.TokensSpent != 0 {
		t.Errorf("settled %+v", got)
	}
	p.check(0, 0)
	if got := p.kinds(); got != "" {
		t.Errorf("entries: %s", got)
	}
}

func testRateLimits(t *testing.T, b *bench) {
	p := b.payer("hourly")
	for left := int64(2); left >= 0; left-- {
		r := p.reservation(1)
		grant, err := b.Reserve(t.Context(), r)
		if err != nil || grant.Rate.RemainingHour != left || grant.Rate.LimitDay != 5 {
			t.Fatalf("granted %+v, %v; want %d left", grant, err, left)
		}
		p.settle(r.Generation, elumenta.GivenBack) // counts all the same
	}
	refused := func(after time.Duration) {
		t.Helper()
		r := p.reservation(1)
		_, err := b.Reserve(t.Context(), r)
		e := wantError(t, err, elumenta.CodeRateLimited)
		want := &elumenta.Limited{Plan: "hourly", Hour: new(int64(3)), Day: new(int64(5)), RetryAfter: after}
		if diff := cmp.Diff(want, e.Limited); diff != "" || e.RetryAfter != after {
			t.Errorf("%v %s", e.RetryAfter, diff)
		}
	}
	refused(30 * time.Minute)
	b.clock.Set(time.Date(2026, 1, 31, 12, 59, 59, 0, time.UTC))
	refused(time.Second)
	b.clock.Set(time.Date(2026, 1, 31, 13, 0, 0, 0, time.UTC))
	p.reserve(1)
	p.reserve(1)
	refused(11 * time.Hour) // the day is full, the hour is not
	b.clock.Set(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	p.reserve(1)
	p.check(1_000-3, 3)
}

func testOpenGenerations(t *testing.T, b *bench) {
	p := b.payer("narrow")
	first := p.reserve(1)
	p.reserve(1)
	_, err := b.Reserve(t.Context(), p.reservation(1))
	if e := wantError(t, err, elumenta.CodeTooManyStreams); e.RetryAfter != time.Second {
		t.Errorf("retry after %v", e.RetryAfter)
	}
	p.settle(first, elumenta.Charged)
	p.settle(first, elumenta.Charged) // a repetition frees no second place
	p.reserve(1)
	_, err = b.Reserve(t.Context(), p.reservation(1))
	wantError(t, err, elumenta.CodeTooManyStreams)
	p.check(997, 2)
}

func testIdempotency(t *testing.T, b *bench) {
	p, other := b.payer("basic"), b.payer("basic")
	secret := b.InstallationSecret()
	claim := func(p *payer, body string) elumenta.Reservation {
		r := p.reservation(2)
		r.Idempotency = secret.Idempotency(p.account, "generate", "once", []byte(body))
		return r
	}
	refused := func(body string) elumenta.Error {
		t.Helper()
		_, err := b.Reserve(t.Context(), claim(p, body))
		return wantError(t, err, elumenta.CodeConflict)
	}
	granted := func(p *payer, body string) elumenta.GenerationID {
		t.Helper()
		r := claim(p, body)
		if _, err := b.Reserve(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		return r.Generation
	}
	first := granted(p, "body")
	granted(other, "body") // another account's key is another key
	if e := refused("body"); e.RetryAfter != time.Second || len(e.Details) != 0 {
		t.Errorf("while the first runs: %+v", e)
	}
	refused("other body")
	p.settle(first, elumenta.GivenBack)
	second := granted(p, "other body") // freed
	p.settle(first, elumenta.GivenBack)
	refused("other body") // and not freed by a repetition
	p.settle(second, elumenta.Charged)
	e := refused("other body")
	if diff := cmp.Diff(map[string]any{"generation_id": second, "tokens_spent": int64(2)}, e.Details); diff != "" || e.RetryAfter != 0 {
		t.Errorf("after the answer: %v, %s", e.RetryAfter, diff)
	}
	if e := refused("body"); len(e.Details) != 0 {
		t.Errorf("another body learns nothing: %v", e.Details)
	}
	b.clock.Set(b.clock.Now().Add(24 * time.Hour))
	third := granted(p, "body")
	p.settle(second, elumenta.Charged)
	if e := refused("body"); e.RetryAfter != time.Second {
		t.Errorf("claimed anew: %+v", e)
	}
	p.settle(third, elumenta.Charged)
	p.check(296, 0)
}

func testIdempotencyRace(t *testing.T, b *bench) {
	p := b.payer("basic")
	r := p.reservation(2)
	secret := b.InstallationSecret()
	r.Idempotency = secret.Idempotency(p.account, "generate", "once", nil)
	granted := 0
	for _, err := range together(100, func(int) error {
		mine := r
		mine.Generation = elumenta.NewGenerationID()
		_, err := b.Reserve(t.Context(), mine)
		return err
	}) {
		if err == nil {
			granted++
			continue
		}
		wantError(t, err, elumenta.CodeConflict)
	}
	if granted != 1 {
		t.Errorf("%d granted, want 1", granted)
	}
	p.check(298, 1)
}

func testSettleRace(t *testing.T, b *bench) {
	p := b.payer("basic")
	for range 5 {
		before, err := b.Account(t.Context(), p.account)
		if err != nil {
			t.Fatal(err)
		}
		id := p.reserve(3)
		var charged, back atomic.Int64
		for _, err := range together(40, func(i int) error {
			state := elumenta.Charged
			if i%2 == 0 {
				state = elumenta.GivenBack
			}
			got, err := b.Settle(t.Context(), p.account, id, elumenta.Outcome{State: state})
			if got.State == elumenta.Charged {
				charged.Add(1)
			} else {
				back.Add(1)
			}
			return err
		}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		switch {
		case charged.Load() == 40:
			p.check(before.Balance.Total()-3, 0)
		case back.Load() == 40:
			p.check(before.Balance.Total(), 0)
		default:
			t.Fatalf("%d were told that it was charged and %d that it was given back", charged.Load(), back.Load())
		}
	}
}

func testMonthEnds(t *testing.T, b *bench) {
	p := b.payer("basic") // starts on January 31st, 12:30
	if _, _, err := b.Topup(t.Context(), p.account, elumenta.Topup{Tokens: 50}); err != nil {
		t.Fatal(err)
	}
	id := p.reserve(320)
	kept := p.reserve(10)
	b.clock.Set(time.Date(2026, 2, 28, 12, 30, 0, 0, time.UTC))
	got := p.settle(id, elumenta.GivenBack)
	if *got.Balance != 300+40 {
		t.Errorf("balance %d: the month's part has expired, the top-up's returns", *got.Balance)
	}
	p.settle(kept, elumenta.Charged)
	p.check(340, 0)
	if kinds := p.kinds(); kinds != "grant topup reserve reserve grant give_back expire settle" {
		t.Errorf("entries: %s", kinds)
	}
}

func testPlanChanges(t *testing.T, b *bench) {
	p := b.payer("basic")
	charged, back, open := p.reserve(5), p.reserve(7), p.reserve(9)
	if _, err := b.SetPlan(t.Context(), p.account, elumenta.PlanChange{Plan: "unlimited"}); err != nil {
		t.Fatal(err)
	}
	if got := p.settle(charged, elumenta.Charged); got.Balance != nil || got.TokensSpent != 5 {
		t.Errorf("settled %+v", got)
	}
	p.settle(back, elumenta.GivenBack)
	p.check(0, 1) // what came from the old plan's month has expired
	if _, err := b.SetPlan(t.Context(), p.account, elumenta.PlanChange{Plan: "pro"}); err != nil {
		t.Fatal(err)
	}
	p.settle(open, elumenta.Charged)
	p.check(700, 0)
}

func testPlanExpires(t *testing.T, b *bench) {
	p := b.payer("basic")
	if _, err := b.SetPlan(t.Context(), p.account, elumenta.PlanChange{Plan: "pro", Expires: b.clock.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	r := p.reservation(1)
	b.clock.Set(b.clock.Now().Add(time.Hour))
	_, err := b.Reserve(t.Context(), r)
	if stale, ok := errors.AsType[*elumenta.StaleError](err); !ok || *stale != (elumenta.StaleError{Account: true}) {
		t.Fatalf("got %v, want a stale account", err)
	}
	p.reserve(1)
	p.check(49, 1)
}

func testStale(t *testing.T, b *bench) {
	tests := []struct {
		name   string
		change func(t *testing.T, p *payer, a *elumenta.Assistant) error
		want   elumenta.StaleError
	}{
		{"nothing", func(*testing.T, *payer, *elumenta.Assistant) error { return nil }, elumenta.StaleError{}},
		{"key revoked", func(t *testing.T, p *payer, _ *elumenta.Assistant) error {
			return b.RevokeKey(t.Context(), p.account, p.key.ID)
		}, elumenta.StaleError{Key: true}},
		{"assistant edited", func(t *testing.T, p *payer, a *elumenta.Assistant) error {
			_, err := b.UpdateAssistant(t.Context(), p.account, a.ID, 0, &elumenta.Patch{Name: elumenta.Some("B")})
			return err
		}, elumenta.StaleError{Assistant: true}},
		{"assistant deleted", func(t *testing.T, p *payer, a *elumenta.Assistant) error {
			return b.DeleteAssistant(t.Context(), p.account, a.ID, 0)
		}, elumenta.StaleError{Assistant: true}},
		{"plan changed", func(t *testing.T, p *payer, _ *elumenta.Assistant) error {
			_, err := b.SetPlan(t.Context(), p.account, elumenta.PlanChange{Plan: "pro"})
			return err
		}, elumenta.StaleError{Account: true}},
		{"suspended", func(t *testing.T, p *payer, _ *elumenta.Assistant) error {
			_, err := b.SetSuspended(t.Context(), p.account, true, "")
			return err
		}, elumenta.StaleError{Account: true, Assistant: true}},
		{"topped up", func(t *testing.T, p *payer, _ *elumenta.Assistant) error {
			_, _, err := b.Topup(t.Context(), p.account, elumenta.Topup{Tokens: 5})
			return err
		}, elumenta.StaleError{}},
		{"several", func(t *testing.T, p *payer, a *elumenta.Assistant) error {
			return errors.Join(b.RevokeKey(t.Context(), p.account, p.key.ID), b.DeleteAssistant(t.Context(), p.account, a.ID, 0))
		}, elumenta.StaleError{Key: true, Assistant: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := b.payer("basic")
			a, _, err := b.CreateAssistant(t.Context(), p.account, elumenta.Fields{Name: "A", Model: "m", Instructions: "i"}, elumenta.Private, nil)
			if err != nil {
				t.Fatal(err)
			}
			r := p.reservation(1)
			r.Assistant, r.AssistantRevision, r.Version, r.Author = a.ID, a.Revision, a.Version, p.account
			if err := tt.change(t, p, a); err != nil {
				t.Fatal(err)
			}
			_, err = b.Reserve(t.Context(), r)
			stale, _ := errors.AsType[*elumenta.StaleError](err)
			if tt.want == (elumenta.StaleError{}) {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if stale == nil || *stale != tt.want {
				t.Fatalf("got %v, want %v", err, &tt.want)
			}
		})
	}
}
