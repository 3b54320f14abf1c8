package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
)

// versions saves an assistant with each of texts as its instructions, one version after the other.
func (s *server) versions(texts ...string) (path string) {
	s.t.Helper()
	caller, err := s.store.Authenticate(s.t.Context(), s.admin.Hash())
	if err != nil {
		s.t.Fatal(err)
	}
	f := elumenta.Fields{Name: "Pirate", Model: "sandbox", Instructions: elumenta.Text(texts[0])}
	a, _, err := s.store.CreateAssistant(s.t.Context(), caller.Account.ID, f, elumenta.Private, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	path = "assistants/" + string(a.ID)
	b := s.signedIn(s.admin)
	for i, text := range texts[1:] {
		b.post(path, url.Values{"version": {fmt.Sprint(i + 1)}, "name": {"Pirate"}, "model": {"sandbox"}, "instructions": {text}}).to(console.Base + path)
	}
	return path
}

// TestLongDifferences: a page shows so much of what differs between two texts, and says that there is more.
func TestLongDifferences(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	const cut, most = "only the beginning of what differs is shown", 2 << 20
	half := elumenta.MaxInstructions / 2
	path := s.versions(strings.Repeat("a\n", half), strings.Repeat("b\n", half))
	page := b.get(path+"/versions/1").ok(cut, "<del")
	if n := strings.Count(page.body, "<del"); len(page.body) > most || n != 2000 {
		t.Errorf("the page has %d bytes, with %d lines", len(page.body), n)
	}
	page = b.post(path, url.Values{"version": {"1"}, "name": {"Pirate"}, "model": {"sandbox"}, "instructions": {strings.Repeat("c\n", half)}}).
		is(http.StatusPreconditionFailed, cut, "Version 2 was saved")
	if n := strings.Count(page.body, "<del"); len(page.body) > most || n != 2000 {
		t.Errorf("the editor has %d bytes, with %d lines", len(page.body), n)
	}

	long := strings.Repeat("🦜", elumenta.MaxInstructions)
	path = s.versions(long, long[4:]+"!")
	page = b.get(path+"/versions/1").ok(cut, "<del").without("<ins")
	if len(page.body) > most {
		t.Errorf("the page of long lines has %d bytes", len(page.body))
	}
	b.Language = "ru"
	b.get(path + "/versions/1").ok("показано только начало")
}

var (
	diffRow = regexp.MustCompile(`(?s)<tr(?: class="(\w+)")?>(<td.*?)</tr>`)
	anyTag  = regexp.MustCompile(`<span class="visually-hidden">[^<]*</span>|<[^>]*>`)
)

// TestDifferences: lines stand under the numbers that they have in either version, with three around what differs.
func TestDifferences(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	lines := make([]string, 30)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %d", i+1)
	}
	was := strings.Join(lines, "\n")
	lines[9] = "changed"
	lines = slices.Insert(lines, 16, "<b>new</b>", "")
	lines = slices.Delete(lines, 30, 32)
	path := s.versions(was, strings.Join(lines, "\n"))
	var got []string
	for _, row := range diffRow.FindAllStringSubmatch(b.get(path+"/versions/1").ok().without("only the beginning").body, -1) {
		cells := strings.Split(strings.TrimSuffix(row[2], "</td>"), "</td>")
		for i := range cells {
			cells[i] = anyTag.ReplaceAllString(cells[i], "")
		}
		got = append(got, strings.TrimSpace(row[1]+" "+strings.Join(cells, "|")))
	}
	want := []string{
		"7|7|line 7", "8|8|line 8", "9|9|line 9", "removed 10||line 10", "added |10|changed", "11|11|line 11", "12|12|line 12", "13|13|line 13",
		"14|14|line 14", "15|15|line 15", "16|16|line 16", "added |17|&lt;b&gt;new&lt;/b&gt;", "added |18|", "17|19|line 17", "18|20|line 18", "19|21|line 19",
		"gap ⋯", "25|27|line 25", "26|28|line 26", "27|29|line 27", "removed 28||line 28", "removed 29||line 29", "removed 30||line 30", "added |30|line 28",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the page has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
