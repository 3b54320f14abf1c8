package console_test

import (
	"testing"

	"github.com/elumenta/elumenta"
)

// What is found as one types is said in a place that stays, for screen readers; what leads on from it leads to the same search; and a
// network that is gone for a while takes nothing away.
func TestLiveSearch(t *testing.T) {
	s := newServer(t)
	_, author := s.account("Anne", "free")
	s.publish(author, func(f *elumenta.Fields) { f.Name, f.Category = "Lighthouse keeper", "support" })
	s.publish(author, func(f *elumenta.Fields) { f.Name, f.Category = "Lighthouse painter", "design" })
	s.publish(author, func(f *elumenta.Fields) { f.Name, f.Category = "Baker", "life" })
	s.parrot(s.admin)
	f := s.front()
	b := f.s.tab(desktop())
	b.signIn(s.admin)
	const said = `document.querySelector("[data-live] + [role=status]")`
	for _, page := range [][3]string{{"marketplace", "lighth", "2 assistants shown"}, {"assistants", "parr", "Search your assistants: 1"}, {"admin", "ann", "Search accounts by name or id: 1"}} {
		b.show(page[0])
		eval[any](b, said+`.dataset.stays = ""; 0`)
		b.enter("#q", page[1])
		b.until(said + `.textContent === "` + page[2] + `"`)
		b.enter("#q", "zzz")
		b.until(said + `.dataset.stays === "" && ` + said + `.textContent === document.querySelector(".empty")?.textContent`)
	}

	b.show("marketplace?sort=new")
	b.enter("#q", "ligh")
	b.until(`location.search.includes("q=ligh")`)
	f.close()
	b.enter("#q", "t")
	b.until(`!` + said + `.classList.contains("visually-hidden") && ` + said + `.textContent.includes("cannot be reached") && document.querySelector("#results").textContent.includes("painter")`)
	f.open()
	b.enter("#q", "house k")
	b.until(said + `.textContent === "1 assistant shown" && !document.querySelector("#results").textContent.includes("painter")`)

	if back := eval[string](b, `document.querySelector(".preferences [name=back]").value`); back != "/console/marketplace?q=lighthouse+k&sort=new" {
		t.Errorf("the preferences lead back to %s", back)
	}
	b.click(".shelves a[href*=design]")
	b.until(`new URLSearchParams(location.search).get("q") === "lighthouse k" && location.search.includes("category=design") && location.search.includes("sort=new") && document.readyState === "complete"`)
	eval[any](b, `{ const q = document.querySelector("#q"); q.value = ""; q.dispatchEvent(new Event("input", { bubbles: true })); } 0`)
	b.until(`document.querySelector("#results").textContent.includes("painter")`)
	b.click(".shelves a[href*=support]")
	b.until(`location.search === "?category=support&sort=new" && document.querySelector("#results").textContent.includes("keeper")`)
}

// TestLiveSearchTypedEarly: what was typed before the page's script had arrived is searched for once it has.
func TestLiveSearchTypedEarly(t *testing.T) {
	s := newServer(t)
	_, author := s.account("Anne", "free")
	s.publish(author, func(f *elumenta.Fields) { f.Name = "Lighthouse keeper" })
	s.publish(author, func(f *elumenta.Fields) { f.Name = "Baker" })
	b := s.front().s.tab(desktop())
	b.signIn(s.admin)
	b.show("marketplace")
	eval[any](b, `document.querySelector("#q").value = "baker"; import(document.querySelector("script[src*=live]").src + "?later").then(() => 0)`)
	b.until(`!document.querySelector("#results").textContent.includes("keeper") && location.search === "?q=baker"`)
}
