package main

import "time"

// The checks, as the report and the table of mutants name them.
const (
	checkBalance     = "balances"
	checkPairs       = "reservations"
	checkOpen        = "open"
	checkAnswered    = "answers"
	checkTwice       = "twice"
	checkCause       = "charges"
	checkLost        = "lost"
	checkLeft        = "left"
	checkTold        = "told"
	checkIdempotency = "idempotency"
	checkRates       = "limits"
	checkMonths      = "months"
	checkTopups      = "top-ups"
	checkUses        = "uses"
	checkChanges     = "changes"
	checkProgram     = "program"
	checkVerify      = "verify"
)

// checks explains them, in the order of the report.
var checks = []struct{ name, means string }{ //nolint:gochecknoglobals // never changed
	{checkBalance, "journals: no place below zero at any entry, no gap, sums as the account has them"},
	{checkPairs, "generations: reserved once, then settled or given back once, for the price"},
	{checkOpen, "accounts: nothing reserved that is neither settled nor given back"},
	{checkAnswered, "answers seen to their end: charged once, at the price"},
	{checkTwice, "calls of the provider: charged at most once"},
	{checkCause, "charges: the provider finished, or the client left after the first piece"},
	{checkLost, "calls that the provider finished: charged, but for those listed above"},
	{checkLeft, "streams left after the first piece: charged"},
	{checkTold, "errors: what the client was told is what it paid"},
	{checkIdempotency, "Idempotency-Keys: one charge, and a repetition is told which"},
	{checkRates, "accounts: limits of hour, day and open generations kept"},
	{checkMonths, "grants: one a month, by the clock that counts"},
	{checkTopups, "accounts topped up: each acknowledged one once"},
	{checkUses, "assistants: uses are the charged generations of others"},
	{checkChanges, "revoked keys refused and edits seen by the next request"},
	{checkProgram, "nodes: never ended by themselves, stopped well, no internal error"},
	{checkVerify, "elumenta ledger verify"},
}

// places are where an account's tokens are, as its journal has them.
type places map[string]*[2]int64

func (p places) add(place string, monthly, topup int64) *[2]int64 {
	if p[place] == nil {
		p[place] = &[2]int64{}
	}
	p[place][0] += monthly
	p[place][1] += topup
	return p[place]
}

// journals walks through every account's entries in their order.
func (c *checker) journals() {
	for id, h := range c.books.accounts {
		c.count(checkBalance, 1)
		c.count(checkOpen, 1)
		c.journal(h, c.books.entries[id])
	}
	for id := range c.books.entries {
		if c.books.accounts[id] == nil {
			c.violate(checkBalance, "%s has a journal and no row", id)
		}
	}
}

func (c *checker) journal(h *holder, entries []entry) {
	at := places{}
	for i := range entries {
		e := &entries[i]
		if e.seq != int64(i+1) {
			c.violate(checkBalance, "%s: entry %d has the number %d", h.id, i+1, e.seq)
		}
		if e.monthly < 0 || e.topup < 0 {
			c.violate(checkBalance, "%s: entry %d moves less than nothing: %+v", h.id, e.seq, *e)
		}
		source := at.add(e.source, -e.monthly, -e.topup)
		at.add(e.destination, e.monthly, e.topup)
		if outside := e.source == "granted" || e.source == "topped_up"; !outside && (source[0] < 0 || source[1] < 0) {
			c.violate(checkBalance, "%s: after entry %d (%s, %s) %s is %d of the month and %d of top-ups", h.id, e.seq, e.kind, orNone(e.generation), e.source, source[0], source[1])
		}
		c.move(h, e)
	}
	if left := at.add("available", 0, 0); left[0] != h.monthly || left[1] != h.topup {
		c.violate(checkBalance, "%s: the balance is %d and %d, its journal makes %d and %d", h.id, h.monthly, h.topup, left[0], left[1])
	}
	if int64(len(entries)) != h.entries {
		c.violate(checkBalance, "%s: %d entries, its row says %d", h.id, len(entries), h.entries)
	}
	if reserved := at.add("reserved", 0, 0); *reserved != [2]int64{} || h.open != 0 {
		c.violate(checkOpen, "%s: %d of the month and %d of top-ups reserved, %d generations open, after %s", h.id, reserved[0], reserved[1], h.open, c.run.rested.Round(time.Second))
	}
}

// move adds an entry to its generation.
func (c *checker) move(h *holder, e *entry) {
	switch e.kind {
	case "grant":
		h.granted++
	case "topup":
		h.toppedUp += e.topup
	}
	if e.generation == "" {
		return
	}
	g := c.books.generations[e.generation]
	if g == nil || g.account != h.id {
		c.violate(checkPairs, "%s: entry %d is of %s, which is none of its generations", h.id, e.seq, e.generation)
		return
	}
	switch tokens := e.monthly + e.topup; e.kind {
	case "reserve":
		g.reserved++
		h.reservations = append(h.reservations, g)
		c.amount(g, e, tokens)
	case "settle":
		g.settled++
		g.net += tokens
		c.amount(g, e, tokens)
	case "give_back":
		g.given++
		c.amount(g, e, tokens)
	case "correction":
		g.corrected++
		g.net -= tokens
		c.amount(g, e, tokens)
	}
}

func (c *checker) amount(g *generation, e *entry, tokens int64) {
	if tokens != g.price {
		c.violate(checkPairs, "%s: its %s moves %d, the price is %d", g.id, e.kind, tokens, g.price)
	}
}

// pairs checks every generation's entries.
func (c *checker) pairs() {
	for _, g := range c.books.generations {
		c.count(checkPairs, 1)
		if g.state == stateOpen {
			c.violate(checkOpen, "%s of %s, reserved %s, is open", g.id, g.account, g.created.Format(time.TimeOnly))
			continue
		}
		paid := g.net == g.price && g.state == stateCharged
		free := g.net == 0 && g.state != stateCharged
		if g.reserved != 1 || g.settled+g.given != 1 || g.corrected > g.settled || !paid && !free {
			c.violate(checkPairs, "%s of %s: reserved %d times, settled %d, given back %d, corrected %d; state %d, charged %d of %d",
				g.id, g.account, g.reserved, g.settled, g.given, g.corrected, g.state, g.net, g.price)
		}
	}
}

// rates checks the limits of the plans: by the clock hours and days that an account's reservations went through, one after
// the other, and by how many were open at each entry.
func (c *checker) rates() {
	for id, h := range c.books.accounts {
		c.count(checkRates, 1)
		switch h.plan {
		case planPaced:
			hour := c.window(h, time.Hour, pacedHour)
			day := c.window(h, 24*time.Hour, pacedDay)
			if len(h.reservations) > 0 && (hour != h.hourCount || day != h.dayCount) {
				c.violate(checkRates, "%s: %d in its last hour and %d in its last day, its row says %d and %d", id, hour, day, h.hourCount, h.dayCount)
			}
		case planNarrow:
			c.narrow(h)
		}
	}
}

// window returns how many reservations are in the last window. A clock that was set back into the window before opens no
// second one: what was counted still counts (see elumenta.RateCount).
func (c *checker) window(h *holder, length time.Duration, limit int64) (count int64) {
	var current time.Time
	for _, g := range h.reservations {
		at := g.created.Truncate(length)
		if back := current.Sub(at); back == 0 || back == length {
			count++
		} else {
			current, count = at, 1
		}
		if count > limit {
			c.violate(checkRates, "%s: %s is number %d of %s + %s, where %d are allowed", h.id, g.id, count, current.Format(time.DateTime), length, limit)
		}
	}
	return count
}

func (c *checker) narrow(h *holder) {
	open := 0
	for _, e := range c.books.entries[h.id] {
		switch e.kind {
		case "reserve":
			open++
		case "settle", "give_back":
			open--
		}
		if open > narrowOpen {
			c.violate(checkRates, "%s: entry %d of %s opens generation %d at once, where %d are allowed", h.id, e.seq, e.generation, open, narrowOpen)
		}
	}
}

// months checks that no month is granted twice, and that the database's clock dates the entries where nodes share one.
func (c *checker) months() {
	earliest, latest := c.run.world.began.Add(-time.Minute), time.Now().Add(time.Minute)
	for id, entries := range c.books.entries {
		if c.books.accounts[id] == nil {
			continue
		}
		var grants []time.Time
		for i := range entries {
			if e := &entries[i]; e.kind == "grant" {
				grants = append(grants, e.at)
			}
			if at := entries[i].at; c.run.plan.engine == enginePostgres && (at.Before(earliest) || at.After(latest)) {
				c.violate(checkMonths, "%s: entry %d, a %s, is dated %s, by another clock than the database's", id, entries[i].seq, entries[i].kind, at.Format(time.DateTime))
			}
		}
		c.count(checkMonths, int64(len(grants)))
		for i, end := range c.ends(id, grants) {
			if grants[i+1].Before(end) {
				c.violate(checkMonths, "%s: granted %s and again %s, before its month ended %s", id, grants[i].Format(time.DateTime), grants[i+1].Format(time.DateTime), end.Format(time.DateTime))
			}
		}
	}
}

// topups checks that what an operator was told to have given is there, once, and nothing that was not asked for.
func (c *checker) topups() {
	least, most := map[int]int64{}, map[int]int64{}
	for _, g := range c.run.record.topups {
		most[g.account] += g.tokens
		if g.acknowledged {
			least[g.account] += g.tokens
		}
	}
	for i := range most {
		c.count(checkTopups, 1)
		id := string(c.run.world.accounts[i].id)
		base := int64(0)
		if i%3 == 0 {
			base = firstTopup
		}
		if got := c.books.accounts[id].toppedUp - base; got < least[i] || got > most[i] {
			c.violate(checkTopups, "%s: %d tokens in its journal, %d were acknowledged, %d asked for", id, got, least[i], most[i])
		}
	}
}
