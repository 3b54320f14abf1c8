package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
)

func TestOperators(t *testing.T) {
	s := newServer(t)
	key, account := s.account("Grace", "free")
	grace, operator := s.signedIn(key), s.signedIn(s.admin)
	for _, path := range []string{"admin", "admin/accounts/" + string(account), "admin/reports", "admin/audit", "admin/providers"} {
		grace.get(path).is(http.StatusNotFound)
	}
	grace.post("admin/accounts/"+string(account)+"/topup", url.Values{"tokens": {"5"}}).is(http.StatusNotFound)

	once := onceField.FindStringSubmatch(operator.get("admin").ok("Grace", "Ada").body)[1]
	operator.get("admin?q=grac").ok("Grace").without("<bdi>Ada</bdi></a> <span")
	operator.post("admin/accounts", url.Values{"display_name": {"Alan"}, "plan": {"none"}, "once": {once}}).is(http.StatusUnprocessableEntity, "plan")
	made := operator.post("admin/accounts", url.Values{"display_name": {"Alan"}, "plan": {"pro"}, "once": {once + "1"}})
	operator.get(strings.TrimPrefix(made.header.Get("Location"), console.Base)).ok("Alan", "700 tokens")

	at := "admin/accounts/" + string(account)
	once = onceField.FindStringSubmatch(operator.get(at).ok("Grace", "50 tokens").body)[1]
	topup := url.Values{"tokens": {"25"}, "reason": {"a gift"}, "once": {once}}
	operator.post(at+"/topup", topup).to(console.Base + at)
	operator.post(at+"/topup", topup).to(console.Base + at) // a double click
	operator.get(at).ok("75 tokens", "a gift")
	operator.post(at+"/topup", url.Values{"tokens": {"many"}, "once": {once + "1"}}).is(http.StatusUnprocessableEntity, "must be a number")
	operator.post(at+"/plan", url.Values{"plan": {"nothing"}, "until": {"2099-02-03"}, "reason": {"bought"}}).is(http.StatusUnprocessableEntity,
		`value="nothing"`, `value="2099-02-03"`, `value="bought"`)
	operator.post(at+"/topup", url.Values{"tokens": {"5"}, "reason": {strings.Repeat("y", 201)}, "once": {once + "2"}}).is(http.StatusUnprocessableEntity,
		`id="topup-reason-error"`, `id="topup-reason" aria-invalid="true"`, strings.Repeat("y", 201)).without(`id="plan-reason-error"`, `id="plan-reason" aria-invalid`)
	operator.post(at+"/plan", url.Values{"plan": {"basic"}, "until": {"2099-01-01"}}).to(console.Base + at)
	operator.get(at).ok("basic", "through 1 January 2099 (UTC)", `value="2099-01-01"`)
	grace.get("account").ok("through 1 January 2099 (UTC)")
	noon := time.Date(2099, 6, 1, 12, 0, 0, 0, time.UTC)
	if _, err := s.store.SetPlan(t.Context(), account, elumenta.PlanChange{Plan: "basic", Expires: noon}); err != nil {
		t.Fatal(err)
	}
	operator.post(at+"/plan", url.Values{"plan": {"basic"}, "until": {"2099-06-01"}}).to(console.Base + at) // what was not touched stays as exact
	operator.get(at).ok("until 1 June 2099, 12:00 UTC")
	operator.post(at+"/plan", url.Values{"plan": {"basic"}, "until": {"someday"}}).is(http.StatusUnprocessableEntity, "until-error")
	operator.post(at+"/plan", url.Values{"plan": {"basic"}}).to(console.Base + at)
	operator.get(at).ok("basic").without("2099")
	operator.get(at).without(`action="/console/` + at + `/suspend"`)
	operator.get(at+"/suspend").ok("Grace", "Its 1 key stops", "Nothing is deleted", `action="/console/`+at+`/suspend"`, `href="/console/`+at+`"`)
	operator.post(at+"/suspend", url.Values{"reason": {strings.Repeat("x", 201)}}).is(http.StatusUnprocessableEntity, "Suspend this account?", "reason-error", "xxx")
	grace.get("account").ok("Grace")
	operator.post(at+"/suspend", url.Values{"reason": {"spam"}}).to(console.Base + at)
	grace.get("account").is(http.StatusUnauthorized, "An operator suspended this account")
	operator.post(at+"/resume", nil).to(console.Base + at)
	grace = s.signedIn(key)
	grace.get("account").ok("Grace")
	revoke := regexp.MustCompile(`href="/console/(` + at + `/keys/key_[^/]+/revoke)"`).FindStringSubmatch(operator.get(at).body)[1]
	operator.get(revoke).ok("Revoke this key?", "It is a key of Grace", `action="/console/`+revoke+`"`)
	grace.get(revoke).is(http.StatusNotFound)
	grace.post(revoke, nil).is(http.StatusNotFound)
	operator.post(revoke, nil).to(console.Base + at)
	operator.get(revoke).is(http.StatusNotFound)
	grace.get("account").is(http.StatusUnauthorized, "Your session has ended")
	operator.get("admin/audit").ok("Tokens added</td>", "Account suspended</td>", "Key revoked</td>", "Signed in to the console</td>")
	operator.get("admin/audit?action=account.suspended&account=" + string(account)).ok("Reason: <bdi>spam</bdi>").without("Tokens added</td>")
	operator.get("admin/audit").ok("Tokens: <bdi>25</bdi>", "From: <bdi>free</bdi>", "To: <bdi>basic</bdi>", "Ends: <bdi>through 1 January 2099 (UTC)</bdi>").without("{&#34;")

	operator.get("admin/audit?action=key.revoked&account=%20grace%20").is(http.StatusUnprocessableEntity, `id="account" aria-invalid="true"`, `value="grace"`,
		`id="account-error"`, "acct_ and 26 characters", `value="key.revoked" selected`)
	operator.get("admin/audit?action=nonsense").is(http.StatusUnprocessableEntity, `id="action" aria-invalid="true"`, `id="action-error"`)
	operator.get("admin/audit?cursor=x").is(http.StatusBadRequest)
	operator.post("admin/accounts/"+s.adminAccount()+"/suspend", url.Values{"reason": {"x"}}).is(http.StatusUnprocessableEntity, "Suspend this account?", "last")
	own := regexp.MustCompile(`href="/console/(admin/accounts/[^"]+/revoke)"`).FindStringSubmatch(operator.get("admin/accounts/" + s.adminAccount()).body)[1]
	operator.get(own).ok("You are signed in with this key")
	operator.post(own, nil).to(console.Base + "sign-in")
}

// Operators who do not want the starters suspend the built-in author, which can be nothing else than suspended.
func TestStarterAuthorSuspended(t *testing.T) {
	s := newServer(t)
	set := elumenta.StarterSet{Digest: "1", Load: func(map[elumenta.AssistantID]string) ([]elumenta.Starter, error) {
		return []elumenta.Starter{{ID: elumenta.NewAssistantID(), Fields: elumenta.Fields{
			Name: "First", Model: "sandbox", Instructions: "Help.", Description: "Helps.", Category: "general"}}}, nil
	}}
	if err := s.store.PublishStarters(t.Context(), set, elumenta.StarterOptions{}); err != nil {
		t.Fatal(err)
	}
	operator, at := s.signedIn(s.admin), "admin/accounts/"+string(elumenta.StarterAuthor)
	operator.get("marketplace").ok("First")
	operator.get(at).ok(`href="/console/` + at + `/suspend"`).without(at + "/promote")
	operator.get(at+"/suspend").ok("Suspend this account?", "Its assistants leave the marketplace")
	operator.post(at+"/suspend", url.Values{"reason": {"we have our own"}}).to(console.Base + at)
	operator.get("marketplace").ok().without("First")
	operator.post(at+"/resume", nil).to(console.Base + at)
	operator.get("marketplace").ok("First")
}

// Starters that are allowed again are published at once, since nobody acts for their author.
func TestStarterTakenDown(t *testing.T) {
	s := newServer(t)
	id := elumenta.NewAssistantID()
	set := elumenta.StarterSet{Digest: "1", Load: func(map[elumenta.AssistantID]string) ([]elumenta.Starter, error) {
		return []elumenta.Starter{{ID: id, Fields: elumenta.Fields{Name: "First", Model: "sandbox", Instructions: "Help.", Description: "Helps.", Category: "general"}}}, nil
	}}
	if err := s.store.PublishStarters(t.Context(), set, elumenta.StarterOptions{}); err != nil {
		t.Fatal(err)
	}
	operator, at := s.signedIn(s.admin), "admin/reports/"+string(id)
	down := regexp.MustCompile(`href="/console/(` + at + `/takedown[^"]*)"`).FindStringSubmatch(operator.get(at).ok("First").body)[1]
	const starter, others = "published again at once", "until its author publishes it"
	operator.get(down).ok("Take this assistant down?", starter, `action="/console/`+down+`"`).without(others, "Its author keeps it", "which the author reads")
	operator.post(down, nil).is(http.StatusUnprocessableEntity, "reason-error", starter, `action="/console/`+down+`"`).without(others)
	operator.Language = "ru"
	operator.get(down).ok("сразу будет опубликован")
	operator.Language = "en"
	operator.post(down, url.Values{"reason": {"we have our own"}}).to(console.Base + at)
	operator.get("marketplace").ok().without("First")
	operator.post(at+"/allow", nil).to(console.Base + at)
	operator.get("marketplace").ok("First")
}

func TestLeakedKeys(t *testing.T) {
	s := newServer(t)
	key, account := s.account("Grace", "free")
	grace, operator := s.signedIn(key), s.signedIn(s.admin)
	grace.get("admin/keys").is(http.StatusNotFound)
	operator.get("admin").ok("/console/admin/keys")
	operator.get("admin/keys").ok("first 8 characters")
	prefix := key.Reveal()[:8]
	operator.get("admin/keys?prefix=" + key.Reveal()).to(console.Base + "admin/keys?prefix=" + prefix)
	found := operator.get("admin/keys?prefix="+prefix).ok(string(account), "/revoke").without(key.Reveal())
	operator.get("admin/keys?prefix=nb_").is(http.StatusUnprocessableEntity, "prefix-error")
	revoke := regexp.MustCompile(`href="/console/(admin/accounts/[^"]+/revoke)"`).FindStringSubmatch(found.body)[1]
	operator.post(revoke, nil).to(console.Base + "admin/accounts/" + string(account))
	operator.get("admin/keys?prefix=" + prefix).ok("No key begins like this")
}

func TestRoles(t *testing.T) {
	s := newServer(t)
	key, account := s.account("Grace", "free")
	grace, operator := s.signedIn(key), s.signedIn(s.admin)
	own, hers := "admin/accounts/"+s.adminAccount(), "admin/accounts/"+string(account)
	operator.get(own+"/demote").ok("This is your own account", `action="/console/`+own+`/demote"`)
	operator.post(own+"/demote", nil).is(http.StatusUnprocessableEntity, "ordinary account?", "last")
	grace.post(hers+"/promote", nil).is(http.StatusNotFound)
	operator.get(hers).ok(hers + "/promote").without(hers + "/demote")
	operator.get(hers+"/promote").ok("Make this account an operator?", "Grace").without("your own")
	operator.post(hers+"/promote", nil).to(console.Base + hers)
	operator.get(hers).ok(hers+"/demote", `<span class="badge accent">operator</span>`)
	grace.get("admin").ok("Ada")
	operator.post(own+"/demote", nil).to(console.Base + "account")
	operator.get("admin").is(http.StatusNotFound)
}

// adminAccount is the id of the first account.
func (s *server) adminAccount() string {
	s.t.Helper()
	caller, err := s.store.Authenticate(s.t.Context(), s.admin.Hash())
	if err != nil {
		s.t.Fatal(err)
	}
	return string(caller.Account.ID)
}

func TestProviders(t *testing.T) {
	s := newServer(t)
	key, _ := s.account("Grace", "free")
	s.signedIn(key).get("admin/providers").is(http.StatusNotFound)
	operator := s.signedIn(s.admin)
	operator.get("admin/providers").ok("not called yet", "off", "set OPENAI_API_KEY", "No model uses it", "away", "not available").without("works", "failing")
	s.generate(key, `{"model": "sandbox", "prompt": "x"}`)
	operator.get("admin/providers").ok("works").without("failing")
	s.generate(key, `{"model": "sandbox", "prompt": "sandbox:error 429"}`)
	operator.get("admin/providers").ok("failing", "rate limit: 1").without("works")
	operator.get("admin/providers").without("asked to wait", "is refused")
	s.generate(key, `{"model": "paid", "prompt": "sandbox:error 429"}`)
	operator.get("admin/providers").ok("asked to wait", "until ")
	operator.Language = "ru"
	operator.get("admin/providers").ok("с ошибками", "задайте OPENAI_API_KEY", "просит подождать")
}

func TestReportQueue(t *testing.T) {
	s := newServer(t)
	key, _ := s.account("Grace", "free")
	grace, operator := s.signedIn(key), s.signedIn(s.admin)
	id := grace.make(t, form())
	grace.post("assistants/"+id+"/publish", url.Values{"version": {"1"}}).to(console.Base + "assistants/" + id)
	operator.get("admin/reports").ok("Nothing is reported")
	operator.post("marketplace/"+id+"/report", url.Values{"reason": {"spam"}, "comment": {"<i>Look</i>"}}).to(console.Base + "marketplace/" + id)
	operator.get("admin/reports").ok("Pirate", "1 report", "Spam or misleading (1)")
	at := "admin/reports/" + id
	long := strings.Repeat("x", 201)
	operator.post(at+"/dismiss", url.Values{"reason": {long}}).is(http.StatusUnprocessableEntity, `id="dismiss-reason" aria-invalid="true"`, `value="`+long+`"`, `id="dismiss-reason-error"`)
	operator.get(at).ok("You are a pirate.", "&lt;i&gt;Look")
	grace.get(at).is(http.StatusNotFound)
	operator.post(at+"/dismiss", nil).to(console.Base + at)
	operator.get("admin/reports?state=dismissed").ok("Pirate")
	operator.get(at).ok(`href="/console/` + at + `/takedown"`).without(`action="/console/` + at + `/takedown"`)
	read := strings.Count(operator.get("admin/audit?action=assistant.read").body, "<tr>")
	operator.get(at+"/takedown").ok("Take this assistant down?", "Pirate", "0 open reports", "reads your reason", "until its author publishes it")
	operator.post(at+"/takedown", url.Values{"reason": {""}}).is(http.StatusUnprocessableEntity, "Take this assistant down?", "reason-error")
	if n := strings.Count(operator.get("admin/audit?action=assistant.read").body, "<tr>"); n != read {
		t.Errorf("asking again read the instructions: %d entries, then %d", read, n)
	}
	grace.get(at + "/takedown").is(http.StatusNotFound)
	operator.post(at+"/takedown", url.Values{"reason": {"too salty"}}).to(console.Base + at)
	operator.get(at + "/takedown").ok(id)
	grace.get("assistants/"+id).ok("too salty", "Taken down")
	operator.post(at+"/allow", url.Values{"reason": {long}}).is(http.StatusUnprocessableEntity, `id="allow-reason" aria-invalid="true"`, `value="`+long+`"`, `id="allow-reason-error"`).
		without(`id="dismiss-reason" aria-invalid`, "dismiss-reason-error\" lang")
	operator.post(at+"/allow", nil).to(console.Base + at)
	shown := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(grace.get("assistants/" + id + "/publish").body)[1]
	grace.post("assistants/"+id+"/publish", url.Values{"version": {shown}}).to(console.Base + "assistants/" + id)
}
