package console_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

// publish makes a published assistant.
func (s *server) publish(owner elumenta.AccountID, change func(*elumenta.Fields)) elumenta.AssistantID {
	s.t.Helper()
	f := elumenta.Fields{Name: "Pirate", Model: "sandbox", Instructions: "SECRET-INSTRUCTIONS", Description: "Talks like one.", Category: "entertainment"}
	if change != nil {
		change(&f)
	}
	a, _, err := s.store.CreateAssistant(s.t.Context(), owner, f, elumenta.Marketplace, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return a.ID
}

func TestMarketplace(t *testing.T) {
	s := newServer(t)
	_, author := s.account("Anne <Bonny>", "free")
	pirate := s.publish(author, nil)
	s.publish(author, func(f *elumenta.Fields) {
		f.Name, f.Description, f.Category = "Переводчик", "Переводит <i>тексты</i>.", "translation"
	})
	b := s.signedIn(s.admin)
	b.get("marketplace").ok("Pirate", "Переводчик", "Anne &lt;Bonny&gt;", "&lt;i&gt;тексты").without("SECRET-INSTRUCTIONS", "<i>тексты")
	b.get("marketplace?q=pir").ok("Pirate", `value="pir"`).without("Переводчик")
	b.get("marketplace?category=translation").ok("Переводчик", `aria-current="true"`).without("Pirate")
	b.get("marketplace?q=nothing").ok("No assistant was found")
	b.get("marketplace?sort=sideways").is(http.StatusUnprocessableEntity)
	b.get("marketplace?category=sideways").is(http.StatusUnprocessableEntity)
	b.get("marketplace?cursor=old&q=pir").to("/console/marketplace?q=pir")
	b.get("marketplace/"+string(pirate)).ok("Talks like one.", "Anne &lt;Bonny&gt;", string(pirate)+"@1").without("SECRET-INSTRUCTIONS", "/copy\"")
	b.get("marketplace/" + string(elumenta.NewAssistantID())).is(http.StatusNotFound)
	b.get("marketplace/nonsense").is(http.StatusNotFound)
}

// Following the next page shows each assistant once.
func TestMarketplacePages(t *testing.T) {
	s := newServer(t)
	_, author := s.account("Anne", "free")
	for range 30 {
		s.publish(author, nil)
	}
	b := s.signedIn(s.admin)
	card := regexp.MustCompile(`href="/console/marketplace/(asst_[a-z0-9]{26})"`)
	next := regexp.MustCompile(`rel="next" href="/console/([^"]+)"`)
	seen := map[string]bool{}
	for path := "marketplace?sort=new"; path != ""; {
		page := b.get(path).ok()
		for _, m := range card.FindAllStringSubmatch(page.body, -1) {
			if seen[m[1]] {
				t.Errorf("%s is shown twice", m[1])
			}
			seen[m[1]] = true
		}
		m := next.FindStringSubmatch(page.body)
		if path = ""; m != nil {
			path = html.UnescapeString(m[1])
		}
	}
	if len(seen) != 30 {
		t.Errorf("%d assistants were shown, of 30", len(seen))
	}
}

func TestCopyAndReport(t *testing.T) {
	s := newServer(t)
	key, author := s.account("Anne", "free")
	id := string(s.publish(author, func(f *elumenta.Fields) { f.Copyable = true }))
	b := s.signedIn(s.admin)
	b.get("marketplace/" + id).ok("Use as a starting point")
	copied := b.post("marketplace/"+id+"/copy", nil)
	if to := copied.header.Get("Location"); copied.status != http.StatusSeeOther || !strings.HasPrefix(to, "/console/assistants/asst_") || strings.Contains(to, id) {
		t.Errorf("copying answers %d to %q", copied.status, to)
	}
	b.post("marketplace/"+id+"/report", url.Values{"comment": {"why <not>"}}).is(http.StatusUnprocessableEntity, "must be one of", "why &lt;not&gt;")
	b.post("marketplace/"+id+"/report", url.Values{"reason": {"spam"}, "comment": {"It sells."}}).to("/console/marketplace/" + id)
	b.get("marketplace/" + id).ok("Thank you.")
	reports, _, err := s.store.Reports(t.Context(), elumenta.AssistantID(id), elumenta.ReportPosition{}, 10)
	if err != nil || len(reports) != 1 || reports[0].Reason != "spam" {
		t.Errorf("reports %v, %v", reports, err)
	}
	long := strings.Repeat("x", 499) + "\r\n" + strings.Repeat("y", 500) // 1,000 characters, as the page counts them
	b.post("marketplace/"+id+"/report", url.Values{"reason": {"harmful"}, "comment": {"\r\n" + long}}).is(http.StatusUnprocessableEntity,
		`<option value="harmful" selected>`, ">\n\nxxx", `id="comment-error"`).without(`value="spam" selected`)
	b.post("marketplace/"+id+"/report", url.Values{"reason": {"harmful"}, "comment": {long}}).to("/console/marketplace/" + id)
	reports, _, err = s.store.Reports(t.Context(), elumenta.AssistantID(id), elumenta.ReportPosition{}, 10)
	if err != nil || len(reports) != 1 || string(reports[0].Comment) != strings.ReplaceAll(long, "\r", "") {
		t.Errorf("reports %v, %v", reports, err)
	}
	own := s.signedIn(key)
	own.get("marketplace/"+id).ok("Edit", "Anne").without("SECRET-INSTRUCTIONS", "/report\"", "/copy\"")
	own.post("assistants/"+id+"/unpublish", nil).to("/console/assistants/" + id)
	own.get("marketplace/" + id).to("/console/assistants/" + id) // nobody else sees it
	b.get("marketplace/" + id).is(http.StatusNotFound)
}
