package main

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The same seed repeats faults, kills and calls; another one does not.
func TestSeed(t *testing.T) {
	digest := func(seed uint64, engine string) string {
		return (&plan{seed: seed, engine: engine, accounts: 100, nodes: 3, duration: time.Minute}).digest(3)
	}
	one := digest(1, enginePostgres)
	if again := digest(1, enginePostgres); again != one {
		t.Errorf("seed 1 draws %s and %s", one, again)
	}
	if digest(2, enginePostgres) == one || digest(1, engineSQLite) == one {
		t.Error("another seed or engine draws the same plan")
	}
}

// However the clock is set, to and fro over the beginnings of hours and days too, the windows that the check draws are those
// that the accounts count in.
func TestWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now, rate, h := time.Date(2026, 1, 31, 23, 50, 0, 0, time.UTC), elumenta.RateCount{}, &holder{}
		for _, minutes := range rapid.SliceOfN(rapid.IntRange(-26*60, 26*60), 1, 30).Draw(t, "jumps") {
			now = now.Add(time.Duration(minutes) * time.Minute)
			rate = rate.At(now)
			rate.HourCount++
			rate.DayCount++
			h.reservations = append(h.reservations, &generation{created: now})
		}
		c := &checker{report: &report{}}
		if hour, day := c.window(h, time.Hour, 30), c.window(h, 24*time.Hour, 30); hour != rate.HourCount || day != rate.DayCount {
			t.Errorf("the check counts %d and %d, the account %d and %d", hour, day, rate.HourCount, rate.DayCount)
		}
	})
}

// A refactoring that moves what a mutant breaks must move the mutant too.
func TestMutantsFitTheCode(t *testing.T) {
	t.Chdir("../..")
	for i := range mutants {
		if _, err := mutants[i].apply(); err != nil {
			t.Error(err)
		}
	}
}

// What the provider notes of a call is what it did.
func TestProvider(t *testing.T) {
	p, err := startProvider(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	client := newClient()
	defer client.CloseIdleConnections()
	for _, does := range []behaviour{answers, unmarked, limits, fails, resets, breaks, cuts, reports, stalls, neverEnds} {
		for _, stream := range []bool{false, true} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if does == stalls || does == neverEnds {
				ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
			}
			body := `{"stream":` + map[bool]string{true: "true", false: "false"}[stream] + `,"messages":[{"role":"system","content":"edit 7"},
				{"role":"user","content":"` + wish{42, does, 3, 0}.String() + `"}]}`
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url(2)+"/chat/completions", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			var text []byte
			if resp, err := client.Do(req); err == nil {
				text, _ = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			cancel()
			calls := p.all()
			c := calls[len(calls)-1]
			<-c.over
			finishes := does == answers || does == unmarked
			if c.finished.Load() != finishes || c.finishing.Load() != finishes {
				t.Errorf("%s, stream %t: finished %t", does, stream, c.finished.Load())
			}
			if c.marker != 42 || c.node != 2 || c.edit != 7 || c.stream != stream || c.does != does {
				t.Errorf("noted as %d, node %d, edit %d, stream %t, %s", c.marker, c.node, c.edit, c.stream, c.does)
			}
			if begun := stream && !slices.Contains([]behaviour{limits, fails, resets}, does); begun != (c.sent.Load() > 0) {
				t.Errorf("%s, stream %t: %d pieces", does, stream, c.sent.Load())
			}
			if finishes && !strings.Contains(string(text), `"prompt_tokens":`) {
				t.Errorf("%s, stream %t: %s", does, stream, text)
			}
		}
	}
}

// scene is a run as it might have been: one account of 20 tokens, one call, answered by the provider's call 1 and charged 3.
type scene struct {
	*checker
	holder  *holder
	gen     *generation
	call    *provided
	attempt *attempt
}

const (
	sceneAccount    = "acct_1"
	sceneGeneration = "gen_1"
)

func newScene() *scene {
	began := time.Now().Add(-time.Minute)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	end := at(3)
	s := &scene{
		holder: &holder{id: sceneAccount, plan: planFew, monthly: 17, entries: 3},
		gen:    &generation{account: sceneAccount, id: sceneGeneration, price: 3, taken: 3, state: stateCharged, call: 1, created: at(1)},
		call:   &provided{number: 1, marker: 16, stream: true, does: answers, start: at(1)},
		attempt: &attempt{
			marker: 16, call: 1, keyed: true, stream: true, price: 3, start: at(0), end: at(4), outcome: complete, status: 200,
			generation: sceneGeneration, spent: 3, pieces: 1,
		},
	}
	s.call.end.Store(&end)
	s.call.sent.Store(1)
	s.call.finishing.Store(true)
	s.call.finished.Store(true)
	r := &run{
		plan: &plan{engine: enginePostgres, nodes: 1}, provider: &provider{calls: []*provided{s.call}}, start: began,
		world: &world{began: began, accounts: []account{{id: sceneAccount, plan: planFew}}}, nodes: []*node{{}},
	}
	r.record.attempts = []*attempt{s.attempt}
	s.checker = newChecker(r, &books{
		accounts: map[string]*holder{sceneAccount: s.holder}, generations: map[string]*generation{sceneGeneration: s.gen},
		byCall: map[int64][]*generation{1: {s.gen}}, uses: map[string]int64{},
		entries: map[string][]entry{sceneAccount: {
			{seq: 1, kind: "grant", source: "granted", destination: "available", monthly: 20, at: at(0)},
			{seq: 2, kind: "reserve", source: "available", destination: "reserved", monthly: 3, generation: sceneGeneration, at: at(1)},
			{seq: 3, kind: "settle", source: "reserved", destination: "spent", monthly: 3, generation: sceneGeneration, at: at(4)},
		}},
	})
	return s
}

// entries returns the account's journal, to be changed.
func (s *scene) entries() []entry { return s.books.entries[sceneAccount] }

// giveBack makes the generation one that was given back.
func (s *scene) giveBack() {
	s.entries()[2].kind, s.entries()[2].destination = "give_back", "available"
	s.gen.state, s.holder.monthly = 2, 20
}

// another adds a charged generation for a call of the provider.
func (s *scene) another(call *provided) *generation {
	g := *s.gen
	g.id, g.call = "gen_2", call.number
	s.books.generations[g.id] = &g
	s.books.byCall[g.call] = append(s.books.byCall[g.call], &g)
	for _, e := range s.entries()[1:3] {
		e.seq += 2
		e.generation = g.id
		s.books.entries[sceneAccount] = append(s.entries(), e)
	}
	s.holder.monthly, s.holder.entries = 14, 5
	return &g
}

// Each thing that may be wrong is found, by the check that is meant to find it, and nothing is found where nothing is wrong.
func TestChecks(t *testing.T) {
	for name, c := range map[string]struct {
		wrong func(s *scene)
		check string // "" if it is all right
	}{
		"nothing": {func(*scene) {}, ""},
		"below zero": {func(s *scene) {
			s.entries()[0].monthly, s.holder.monthly = 2, -1
		}, checkBalance},
		"a gap":             {func(s *scene) { s.entries()[2].seq = 4 }, checkBalance},
		"an entry too many": {func(s *scene) { s.holder.entries = 2 }, checkBalance},
		"another balance":   {func(s *scene) { s.holder.topup = 1 }, checkBalance},
		"reserved for ever": {func(s *scene) {
			s.books.entries[sceneAccount] = s.entries()[:2]
			s.holder.entries, s.holder.open, s.gen.state = 2, 1, stateOpen
			s.attempt.outcome = broken
			s.call.finished.Store(false)
		}, checkOpen},
		"charged twice": {func(s *scene) {
			e := s.entries()[2]
			e.seq = 4
			s.books.entries[sceneAccount] = append(s.entries(), e)
		}, checkPairs},
		"charged another price": {func(s *scene) {
			s.entries()[2].monthly = 2
			s.entries()[2].topup = 0
		}, checkPairs},
		"charged by its row alone": {func(s *scene) { s.giveBack(); s.gen.state = stateCharged }, checkPairs},
		"answered and free":        {func(s *scene) { s.giveBack() }, checkAnswered},
		"answered and forgotten":   {func(s *scene) { s.attempt.generation = "gen_0" }, checkAnswered},
		"told another price":       {func(s *scene) { s.attempt.spent = 1 }, checkAnswered},
		"one call, two charges":    {func(s *scene) { s.another(s.call) }, checkTwice},
		"no call at all":           {func(s *scene) { s.gen.call = 0 }, checkCause},
		"never finished": {func(s *scene) {
			s.call.finishing.Store(false)
			s.call.finished.Store(false)
		}, checkCause},
		"left after the first piece, and charged": {func(s *scene) {
			s.call.finishing.Store(false)
			s.call.finished.Store(false)
			s.attempt.outcome = left
		}, ""},
		"left after the first piece, and free": {func(s *scene) {
			s.giveBack()
			s.attempt.outcome = left
		}, checkLeft},
		"broken off, finished and free": {func(s *scene) {
			s.giveBack()
			s.attempt.outcome = broken
		}, checkLost},
		"the same at a kill": {func(s *scene) {
			s.giveBack()
			s.attempt.outcome = broken
			s.run.record.incidents = []incident{{killNow, 0, s.call.start, s.call.start}}
		}, ""},
		"the same at another node's kill": {func(s *scene) {
			s.giveBack()
			s.attempt.outcome = broken
			s.run.record.incidents = []incident{{killNow, 1, s.call.start, s.call.start}}
		}, checkLost},
		"the same at a kill after the answer": {func(s *scene) {
			s.giveBack()
			s.attempt.outcome = broken
			after := s.attempt.end.Add(time.Second)
			s.run.record.incidents = []incident{{killNow, 0, after, after}}
		}, checkLost},
		"the same when a connection was cut": {func(s *scene) {
			s.giveBack()
			s.attempt.outcome = broken
			s.run.record.incidents = []incident{{loseAnswers, 0, s.call.start, s.call.start}}
		}, checkLost},
		"the same when a clock was set": {func(s *scene) {
			s.giveBack()
			s.attempt.outcome = broken
			s.run.record.incidents = []incident{{jumpMonth, 0, s.call.start, s.call.start}}
		}, checkLost},
		"told of an error, and charged": {func(s *scene) {
			s.attempt.outcome, s.attempt.status, s.attempt.code, s.attempt.spent = told, 503, "service_unavailable", 0
			s.attempt.generation = ""
		}, checkTold},
		"told of an error in the stream, and charged": {func(s *scene) {
			s.attempt.outcome, s.attempt.code, s.attempt.spent = told, "provider_error", 0
		}, checkTold},
		"an internal error": {func(s *scene) {
			s.giveBack()
			s.call.finished.Store(false)
			s.attempt.outcome, s.attempt.status, s.attempt.code, s.attempt.spent = told, 500, "internal_error", 0
		}, checkProgram},
		"one key, two charges": {func(s *scene) {
			again := &provided{number: 2, marker: 16, start: s.call.start}
			again.end.Store(&again.start)
			again.finishing.Store(true)
			again.finished.Store(true)
			s.calls, s.markers[16] = append(s.calls, again), append(s.markers[16], again)
			s.another(again)
		}, checkIdempotency},
		"a repetition is answered anew": {func(s *scene) {
			a := *s.attempt
			a.start, a.outcome, a.status, a.code, a.generation = a.end, told, 402, "insufficient_tokens", ""
			s.run.record.attempts = append(s.run.record.attempts, &a)
			s.attempts[16] = append(s.attempts[16], &a)
		}, checkIdempotency},
		"a repetition is told what was not charged": {func(s *scene) {
			a := *s.attempt
			a.marker, a.keyed, a.outcome, a.status, a.code, a.generation, a.first, a.spent = 17, false, told, 409, "conflict", "", "gen_0", 0
			s.run.record.attempts = append(s.run.record.attempts, &a)
		}, checkIdempotency},
		"one an hour too many": {func(s *scene) {
			s.holder.plan = planPaced
			for range pacedHour {
				s.holder.reservations = append(s.holder.reservations, s.gen)
			}
			s.holder.hourCount, s.holder.dayCount = pacedHour+1, pacedHour+1
		}, checkRates},
		"another count than the row's": {func(s *scene) { s.holder.plan = planPaced }, checkRates},
		"a month granted twice": {func(s *scene) {
			e := s.entries()[0]
			e.seq, e.monthly = 4, 1
			s.books.entries[sceneAccount] = append(s.entries(), e)
			s.holder.monthly, s.holder.entries = 18, 4
		}, checkMonths},
		"another clock": {func(s *scene) { s.entries()[0].at = s.entries()[0].at.AddDate(0, 1, 0) }, checkMonths},
		"a top-up that is lost": {func(s *scene) {
			s.run.world.accounts = []account{{}, {id: elumenta.AccountID(sceneAccount)}}
			s.run.record.topups = []granted{{1, 4, true}}
		}, checkTopups},
		"a top-up that failed": {func(s *scene) {
			s.run.world.accounts = []account{{}, {id: elumenta.AccountID(sceneAccount)}}
			s.run.record.topups = []granted{{1, 4, false}}
		}, ""},
		"a use that is not counted": {func(s *scene) {
			s.gen.assistant, s.gen.author = "asst_1", "acct_2"
			s.books.uses["asst_1"] = 0
		}, checkUses},
		"an edit that is not seen": {func(s *scene) {
			s.attempt.version = 2
			s.run.record.looks = []seen{{s.attempt, 0, 3}}
		}, checkChanges},
		"an edit that the provider does not see": {func(s *scene) {
			s.attempt.version, s.call.edit = 3, 2
			s.run.record.looks = []seen{{s.attempt, 3, 3}}
		}, checkChanges},
		"a revoked key that works": {func(s *scene) { s.run.record.fault(checkChanges, "it works") }, checkChanges},
		"a node that died":         {func(s *scene) { s.run.record.fault(checkProgram, "node 0 ended by itself") }, checkProgram},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			c.wrong(s)
			found := s.check()
			if c.check == "" && found.failed() || c.check != "" && len(found.violations[c.check]) == 0 {
				t.Errorf("found %v, want %q", found.violations, c.check)
			}
		})
	}
}
