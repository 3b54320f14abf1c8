package store

import (
	"context"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/elumenta/elumenta"
)

// fingerprint sums the hashes of an account's entries, by their generation, less those that its generations should have:
// all is zero if they are the same, in whatever order they come, which needs no memory of either.
type fingerprint [4096]uint64

// bucket is where a generation's entries are summed.
func (v *verifier) bucket(generation string) (at int, hash uint64) {
	hash = maphash.String(v.seed, generation)
	return int(hash % uint64(len(v.buckets))), hash
}

// hashEntry spreads an entry's kind and tokens over 64 bits (the finalizer of SplitMix64, thrice).
func hashEntry(generation uint64, kind elumenta.EntryKind, t elumenta.Tokens) uint64 {
	h := generation + uint64(kind[0])<<8 + uint64(kind[1])
	for _, part := range [...]uint64{0, uint64(t.Monthly), uint64(t.Topup)} {
		h += part + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// expected are the kinds of the entries of a generation that took something.
func (g *verifiedGeneration) expected() []elumenta.EntryKind {
	switch {
	case g.taken.Total() == 0:
		return nil
	case g.state == stateOpen:
		return []elumenta.EntryKind{elumenta.EntryReserve}
	case g.state == elumenta.Charged:
		return []elumenta.EntryKind{elumenta.EntryReserve, elumenta.EntrySettle}
	case g.corrected:
		return []elumenta.EntryKind{elumenta.EntryReserve, elumenta.EntrySettle, elumenta.EntryCorrection}
	}
	return []elumenta.EntryKind{elumenta.EntryReserve, elumenta.EntryGiveBack}
}

// accountCheck recomputes one account.
type accountCheck struct {
	*verifier
	account *verifiedAccount
	side    *accountSide

	next                       int64 // number of the next entry
	available, reserved, spent elumenta.Tokens
	spentBefore                elumenta.Tokens // of spent, by generations whose records are not kept
	below                      bool            // a balance below zero was reported
	// open are the reservations that stand at this entry, and returned is what the entry before this one returned.
	open       map[string]elumenta.Tokens
	returned   int64
	returnedBy string
	named      map[string]bool // generations with a difference

	records struct {
		open            int64
		reserved, spent elumenta.Tokens
		usage           usageTotals
	}
}

// verifyAccount reads an account's entries, then its generations, and compares.
func (v *verifier) verifyAccount(ctx context.Context, a *verifiedAccount, sides accountSides) error {
	c := &accountCheck{verifier: v, account: a, side: sides.of(a.id), next: 1, open: map[string]elumenta.Tokens{}, named: map[string]bool{}}
	for {
		e, err := v.entries.peek(ctx)
		if err != nil {
			return err
		}
		if e == nil || e.account != a.id {
			break
		}
		c.entry(e)
		v.entries.skip()
	}
	for {
		g, err := v.generations.peek(ctx)
		if err != nil {
			return err
		}
		if g == nil || g.account != a.id {
			break
		}
		c.generation(g)
		v.generations.skip()
	}
	c.compare()
	if *v.buckets == (fingerprint{}) {
		return nil
	}
	err := c.nameGenerations(ctx)
	*v.buckets = fingerprint{}
	return err
}

func (c *accountCheck) differ(about, format string, args ...any) {
	c.verifier.differ(c.account.id, about, format, args...)
}

// differGeneration reports a generation once.
func (c *accountCheck) differGeneration(id, format string, args ...any) {
	if !c.named[id] {
		c.named[id] = true
		c.differ(id, format, args...)
	}
}

// kept reports whether the record of a generation must be there.
func (v *verifier) kept(generation string) bool { return generation >= v.oldest }

func (c *accountCheck) entry(e *verifiedEntry) {
	c.found.Entries++
	switch e.seq {
	case c.next:
	case c.next + 1:
		c.differ(entryName(c.next), "it is missing")
	default:
		c.differ(entryName(c.next), "it and those up to %d are missing", e.seq-1)
	}
	c.next = e.seq + 1
	source, destination := e.kind.Route()
	if e.source != "" {
		if source == "" {
			c.differ(entryName(e.seq), "there is no kind %q of an entry", e.kind)
		} else {
			c.differ(entryName(e.seq), "a %s moves tokens from %s to %s, not from %s to %s", e.kind, source, destination, e.source, e.destination)
		}
		source, destination = e.source, e.destination
	}
	if e.tokens.Monthly < 0 || e.tokens.Topup < 0 {
		c.differ(entryName(e.seq), "it moves a number of tokens below zero")
	}
	c.move(source, e, -1)
	c.move(destination, e, 1)
	if !c.below && (c.available.Monthly < 0 || c.available.Topup < 0) {
		c.below = true
		c.differ(entryName(e.seq), "it leaves the balance at %s", tokensText(c.available))
	}
	c.ofGeneration(e)
	c.returned, c.returnedBy = 0, ""
	if e.kind == elumenta.EntryGiveBack || e.kind == elumenta.EntryCorrection {
		c.returned, c.returnedBy = e.tokens.Monthly, e.generation
	}
}

// move adds an entry's tokens to one of the places that this account's sums are kept of.
func (c *accountCheck) move(place elumenta.Place, e *verifiedEntry, sign int64) {
	add := func(t *elumenta.Tokens) {
		t.Monthly += sign * e.tokens.Monthly
		t.Topup += sign * e.tokens.Topup
	}
	switch place {
	case elumenta.PlaceAvailable:
		add(&c.available)
	case elumenta.PlaceReserved:
		add(&c.reserved)
	case elumenta.PlaceSpent:
		add(&c.spent)
		if !c.kept(e.generation) {
			add(&c.spentBefore)
		}
	}
}

// ofGeneration follows a generation's entries: one reserve, then one settle or give back of the same tokens.
func (c *accountCheck) ofGeneration(e *verifiedEntry) {
	switch e.kind {
	case elumenta.EntryReserve, elumenta.EntrySettle, elumenta.EntryGiveBack, elumenta.EntryCorrection:
		if e.generation == "" {
			c.differ(entryName(e.seq), "a %s must name its generation", e.kind)
			return
		}
	case elumenta.EntryExpire:
		if e.generation != "" && (e.generation != c.returnedBy || e.tokens != (elumenta.Tokens{Monthly: c.returned})) {
			c.differ(entryName(e.seq), "it expires what its generation did not return just before")
		}
		return
	default:
		if e.generation != "" {
			c.differ(entryName(e.seq), "a %s is of no generation", e.kind)
		}
		return
	}
	reserved, open := c.open[e.generation]
	switch {
	case e.kind == elumenta.EntryReserve && open:
		c.differGeneration(e.generation, "%s reserves for it once more", entryName(e.seq))
	case e.kind == elumenta.EntryReserve:
		c.open[e.generation] = e.tokens
	case e.kind == elumenta.EntryCorrection && open:
		c.differGeneration(e.generation, "%s corrects it before it was settled", entryName(e.seq))
	case e.kind == elumenta.EntryCorrection:
	case !open:
		c.differGeneration(e.generation, "%s is a %s, and no reserve stands that it could end", entryName(e.seq), e.kind)
	default:
		if reserved != e.tokens {
			c.differGeneration(e.generation, "%s is a %s of %s, and %s are reserved", entryName(e.seq), e.kind, tokensText(e.tokens), tokensText(reserved))
		}
		delete(c.open, e.generation)
	}
	if c.kept(e.generation) {
		at, hash := c.bucket(e.generation)
		c.buckets[at] += hashEntry(hash, e.kind, e.tokens)
	}
}

func (c *accountCheck) generation(g *verifiedGeneration) {
	c.found.Generations++
	if g.taken.Total() != 0 && g.taken.Total() != g.price {
		c.differGeneration(g.id, "it took %s for a price of %d", tokensText(g.taken), g.price)
	}
	if g.corrected && g.state != elumenta.GivenBack {
		c.differGeneration(g.id, "it is corrected, and not given back")
	}
	if g.state == stateOpen {
		c.records.open++
		addTokens(&c.records.reserved, g.taken)
	}
	c.side.count(g)
	if !c.kept(g.id) {
		return
	}
	at, hash := c.bucket(g.id)
	for _, kind := range g.expected() {
		c.buckets[at] -= hashEntry(hash, kind, g.taken)
	}
	c.records.usage.add(g)
	if g.state == elumenta.Charged {
		addTokens(&c.records.spent, g.taken)
	}
}

// compare looks at the sums.
func (c *accountCheck) compare() {
	if c.next-1 != c.account.entries {
		c.differ("entries", "the newest is number %d, and the account says that it is %d", c.next-1, c.account.entries)
	}
	if c.available != c.account.balance {
		c.differ("balance", "the journal says %s, the account %s", tokensText(c.available), tokensText(c.account.balance))
	}
	if c.reserved != c.records.reserved {
		c.differ("reserved", "the journal says %s, the open generations %s", tokensText(c.reserved), tokensText(c.records.reserved))
	}
	if c.records.open != c.account.open {
		c.differ("open generations", "there are %d, and the account counts %d", c.records.open, c.account.open)
	}
	kept := elumenta.Tokens{Monthly: c.spent.Monthly - c.spentBefore.Monthly, Topup: c.spent.Topup - c.spentBefore.Topup}
	if kept != c.records.spent {
		c.differ("spent", "the journal says %s, the charged generations %s", tokensText(kept), tokensText(c.records.spent))
	}
	c.compareSide()
}

// maxTallied bounds the generations that nameGenerations looks at, at once and in all.
const maxTallied = 50_000

// tallied are the entries that a generation has.
type tallied struct {
	record *verifiedGeneration // nil if there is none
	kinds  map[elumenta.EntryKind]int
	other  bool // an entry has other tokens than were taken
}

// nameGenerations finds the generations whose entries are not what they should be: it reads the account once more, and
// looks at what falls into the buckets that are not zero.
func (c *accountCheck) nameGenerations(ctx context.Context) error {
	before := len(c.named)
	tallies, limit, err := c.tallyRecords(ctx)
	if err != nil {
		return err
	}
	if err := c.tallyEntries(ctx, tallies, limit); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(tallies)) {
		c.judge(id, tallies[id])
	}
	if len(c.named) == before && before == 0 {
		c.differ("generations", "they and the journal's entries do not agree")
	}
	return nil
}

// suspect reports whether a generation's entries may be wrong.
func (c *accountCheck) suspect(id string) bool {
	at, _ := c.bucket(id)
	return c.buckets[at] != 0 && c.kept(id)
}

// tallyRecords takes the suspected generations; those above limit were too many, if it is not empty.
func (c *accountCheck) tallyRecords(ctx context.Context) (tallies map[string]*tallied, limit string, err error) {
	tallies = map[string]*tallied{}
	generations := c.generationsAfter(c.account.id, c.oldest)
	for {
		g, err := generations.peek(ctx)
		if err != nil || g == nil || g.account != c.account.id {
			return tallies, "", err
		}
		if c.suspect(g.id) {
			if len(tallies) == maxTallied {
				return tallies, limit, nil
			}
			record := *g
			limit = g.id
			tallies[g.id] = &tallied{record: &record, kinds: map[elumenta.EntryKind]int{}}
		}
		generations.skip()
	}
}

func (c *accountCheck) tallyEntries(ctx context.Context, tallies map[string]*tallied, limit string) error {
	entries := c.entriesAfter(c.account.id, firstEntry)
	for {
		e, err := entries.peek(ctx)
		if err != nil || e == nil || e.account != c.account.id {
			return err
		}
		entries.skip()
		if e.generation == "" || e.kind == elumenta.EntryExpire || limit != "" && e.generation > limit || !c.suspect(e.generation) {
			continue
		}
		t := tallies[e.generation]
		if t == nil {
			if len(tallies) >= 2*maxTallied {
				continue
			}
			t = &tallied{kinds: map[elumenta.EntryKind]int{}}
			tallies[e.generation] = t
		}
		t.kinds[e.kind]++
		t.other = t.other || t.record != nil && t.record.taken != e.tokens
	}
}

// judge reports a generation whose entries are not what they should be.
func (c *accountCheck) judge(id string, t *tallied) {
	if t.record == nil {
		c.differGeneration(id, "it has entries, and there is no such generation")
		return
	}
	want := map[elumenta.EntryKind]int{}
	for _, kind := range t.record.expected() {
		want[kind]++
	}
	switch {
	case !maps.Equal(want, t.kinds):
		c.differGeneration(id, "it is %s and took %s: its entries must be %s, and are %s",
			stateText(t.record), tokensText(t.record.taken), kindsText(want), kindsText(t.kinds))
	case t.other:
		c.differGeneration(id, "it took %s, and its entries say otherwise", tokensText(t.record.taken))
	}
}
