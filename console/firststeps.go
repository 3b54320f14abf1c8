package console

import "time"

// newAccount is how long an account is led through its first steps, unless the person has seen enough of them.
const newAccount = 14 * 24 * time.Hour

// firstSteps lead a new account to an assistant, to a talk with it, and to the call for a program.
type firstSteps struct {
	Newest   *Assistant // nil until one is made
	Tried    bool       // an assistant or a model has answered
	Starters []Listing  // to make one from, where there is none
}

// firstSteps finds what a new account has done; nil if it needs no guide any more. own is the newest of its assistants.
func (p *page) firstSteps(own []Assistant) (*firstSteps, error) {
	steps := &firstSteps{}
	if len(own) == 0 {
		steps.Starters = p.suggested()
	} else {
		steps.Newest = &own[0]
		if cookie, err := p.r.Cookie(stepsCookie); err == nil && cookie.Value == "off" {
			return nil, nil //nolint:nilnil // no steps
		}
		var user User
		if err := p.get("/user/me", &user); err != nil {
			return nil, err
		}
		if time.Since(user.CreatedAt) > newAccount {
			return nil, nil //nolint:nilnil // no steps
		}
	}
	var usage struct{ Total UsageSum }
	if err := p.get("/usage?group_by=model", &usage); err != nil {
		return nil, err
	}
	steps.Tried = usage.Total.Requests > usage.Total.Failures
	return steps, nil
}

// suggested are the starters to begin with that this server has.
func (p *page) suggested() (listings []Listing) {
	if p.c.Suggested == nil {
		return nil
	}
	for _, id := range p.c.Suggested() {
		var l Listing
		if err := p.get(assistantPath(string(id)), &l); err == nil { // it may be taken down, or never have been published
			listings = append(listings, l)
		}
	}
	return listings
}

// hideSteps is for whoever has seen enough of the first steps.
func (p *page) hideSteps() error {
	p.setCookie(stepsCookie, "off", preferenceAge)
	return p.redirect(Base+"assistants", "")
}

// done reports for each of the three steps whether it is behind.
func (s *firstSteps) done() [3]bool { return [3]bool{s.Newest != nil, s.Tried, false} }

// address is where a step is done, empty if it cannot be yet.
func (s *firstSteps) address(step string) string {
	switch {
	case step == "make" && s.Newest == nil:
		return Base + "assistants/new"
	case step == "try" && s.Newest != nil:
		return Base + "playground?assistant=" + s.Newest.ID
	case step == "call" && s.Newest != nil:
		return Base + "assistants/" + s.Newest.ID + "#call"
	}
	return ""
}
