package elumenta

import "time"

// PlanGone is the answer to a request of an account whose plan the configuration does not have any more.
func PlanGone(plan string) *Error {
	return Errorf(CodeInsufficientPlan, "the plan %s of this account is not offered any more: its tokens are kept; ask the operator for another plan", plan)
}

// PeriodEnd returns the first end after now of the months that begin at start: the same day of each month at the same
// time, UTC, or the month's last day where there is none.
func PeriodEnd(start, now time.Time) time.Time {
	_, ends := month(start, now)
	return ends
}

// month is the one of the months that begin at start that now belongs to; the first one if now is before start.
func month(start, now time.Time) (begins, ends time.Time) {
	start, now = start.UTC(), now.UTC()
	n := max(1, (now.Year()-start.Year())*12+int(now.Month())-int(start.Month()))
	for !addMonths(start, n).After(now) {
		n++
	}
	return addMonths(start, n-1), addMonths(start, n)
}

func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// StartPlan puts the account on a plan at a moment: what was left of the old plan's tokens expires, the new plan's are
// granted, its months begin, top-ups stay. It raises the revision and returns the entries to append.
func (a *Account) StartPlan(plan Plan, at, expires time.Time) []Entry {
	entries := a.expireMonthly(at)
	a.Plan, a.PlanStarted, a.PlanExpires = plan.Name, at, expires
	grant := plan.MonthlyTokens
	if plan.OnceTokens > 0 && !a.OnceGranted {
		grant += plan.OnceTokens
		a.OnceGranted = true
	}
	a.Balance.begin(grant)
	if plan.MonthlyTokens > 0 {
		a.Balance.PeriodEnds = PeriodEnd(at, at)
	}
	if grant > 0 {
		entries = append(entries, Entry{Kind: EntryGrant, Monthly: grant, Reason: plan.Name, At: at})
	}
	a.Revision++
	return entries
}

// Advance brings an account to a moment: a plan that has ended falls back to the least one, and a month that has ended takes
// its remaining tokens with it. Entries are dated when they were due. Months that began and ended since the account was last
// brought forward leave no entries, so that there are few, however long that is ago: what was left expires with its own
// month, and the month that now runs is granted. It returns the entries to append, and whether the account changed.
//
// Nothing is granted twice: a moment that lies before an earlier one changes nothing. On a plan that plans does not have,
// nothing is granted and nothing expires, until it is there again or the account is put on another.
func (a *Account) Advance(plans Plans, now time.Time) (entries []Entry, changed bool) {
	plan, known := plans.Get(a.Plan)
	if !a.PlanExpires.IsZero() && !now.Before(a.PlanExpires) && len(plans) > 0 {
		entries = a.endPlan(plans[0], known)
		plan, known, changed = plans[0], true, true
	}
	switch ends := a.Balance.PeriodEnds; {
	case !known:
	case ends.IsZero() && plan.MonthlyTokens > 0:
		// The plan has months since the account is on it: they count from the next one.
		a.Balance.PeriodEnds, changed = PeriodEnd(a.PlanStarted, now), true
	case !ends.IsZero() && !now.Before(ends):
		entries = append(entries, a.nextMonth(plan, now)...)
		changed = true
	}
	return entries, changed
}

// endPlan puts the account on the least plan when its own has ended. The least plan itself goes on.
func (a *Account) endPlan(least Plan, known bool) (entries []Entry) {
	if a.Plan == least.Name {
		a.PlanExpires = time.Time{}
		a.Revision++
		return nil
	}
	if ends := a.Balance.PeriodEnds; known && !ends.IsZero() && ends.Before(a.PlanExpires) {
		entries = a.expireMonthly(ends)
	}
	return append(entries, a.StartPlan(least, a.PlanExpires, time.Time{})...)
}

// nextMonth begins the month that now belongs to, with what the plan gives by now.
func (a *Account) nextMonth(plan Plan, now time.Time) []Entry {
	entries := a.expireMonthly(a.Balance.PeriodEnds)
	begins, ends := month(a.PlanStarted, now)
	a.Balance.begin(plan.MonthlyTokens)
	if plan.MonthlyTokens > 0 {
		a.Balance.PeriodEnds = ends
		entries = append(entries, Entry{Kind: EntryGrant, Monthly: plan.MonthlyTokens, Reason: plan.Name, At: begins})
	}
	return entries
}

// expireMonthly ends what is left of the plan's tokens.
func (a *Account) expireMonthly(at time.Time) []Entry {
	left := a.Balance.Monthly
	if left == 0 {
		return nil
	}
	a.Balance.Monthly = 0
	return []Entry{{Kind: EntryExpire, Monthly: left, Reason: a.Plan, At: at}}
}
