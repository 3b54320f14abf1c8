package storetest

import (
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

// testBadNeighbour: an operation that no database can carry out fails alone.
func testBadNeighbour(t *testing.T, b *bench) {
	p := b.payer("basic")
	good := p.reservation(1)
	taken := p.reserve(1)
	errs := together(60, func(i int) error {
		mine := good
		mine.Generation = elumenta.NewGenerationID()
		switch i {
		case 20:
			mine.Generation = taken // again, though nothing was lost
		case 40:
			mine.Model = strings.Repeat("\x00\xff", 3)
		}
		_, err := b.Reserve(t.Context(), mine)
		return err
	})
	refused := int64(0)
	for i, err := range errs {
		if err != nil && i != 20 && i != 40 {
			t.Fatal(err)
		}
		if err != nil {
			refused++
		}
	}
	if errs[20] == nil {
		t.Error("a generation was reserved twice")
	}
	p.check(300-61+refused, 61-refused)
}

// testManyAccounts: accounts do not disturb each other, whichever batches their operations share.
func testManyAccounts(t *testing.T, b *bench) {
	payers := make([]*payer, 20)
	reservations := make([]elumenta.Reservation, len(payers))
	for i := range payers {
		payers[i] = b.payer("basic")
		reservations[i] = payers[i].reservation(2)
	}
	for _, err := range together(200, func(i int) error {
		r := reservations[i%len(payers)]
		r.Generation = elumenta.NewGenerationID()
		if _, err := b.Reserve(t.Context(), r); err != nil {
			return err
		}
		state := elumenta.Charged
		if i < 100 {
			state = elumenta.GivenBack
		}
		_, err := b.Settle(t.Context(), r.Account, r.Generation, elumenta.Outcome{State: state})
		return err
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range payers {
		p.check(300-5*2, 0)
	}
}

// testContexts: a caller that has left reserves nothing.
func testContexts(t *testing.T, b *bench) {
	p := b.payer("basic")
	r := p.reservation(1)
	_, err := b.Reserve(ended(t.Context()), r)
	wantError(t, err, elumenta.CodeUnavailable)
	p.check(300, 0)
	if _, err := b.Reserve(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	_, err = b.Settle(ended(t.Context()), p.account, r.Generation, elumenta.Outcome{State: elumenta.Charged})
	wantError(t, err, elumenta.CodeUnavailable)
	p.settle(r.Generation, elumenta.GivenBack)
	p.check(300, 0)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = b.Reserve(t.Context(), r)
	wantError(t, err, elumenta.CodeUnavailable)
}
