package store_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// multilingual is a small marketplace: names and descriptions.
var multilingual = [][2]string{
	{"Code Reviewer", "Reviews pull requests and explains what is wrong with them"},
	{"Code", "Everything about programming"},
	{"Coding Tutor", "Teaches Python, Go and C++ to beginners"},
	{"The Code Whisperer", "Finds out what old code does"},
	{"C# Assistant", "Writes C# and answers questions about .NET"},
	{"Résumé Builder", "Makes a résumé for a café or a bank"},
	{"编程助手", "帮助你编写和审查代码，支持多种语言"},
	{"翻译助手", "把中文翻译成英文、日文和俄文"},
	{"AI写作", "写文章、写故事、写诗歌"},
	{"翻訳アシスタント", "日本語と英語の翻訳を手伝います"},
	{"ｺｰﾄﾞﾚﾋﾞｭｰ", "コードのレビューをします"},
	{"ผู้ช่วยแปลภาษา", "แปลภาษาไทยเป็นภาษาอังกฤษ"},
	{"Переводчик", "Переводит тексты с английского на русский"},
	{"Помощник редактора", "Исправляет ошибки, ищет ёмкие слова и код"},
	{"번역도우미", "한국어를 영어로 번역합니다"},
	{"Übersetzer für Verträge", "Übersetzt Verträge, code und AGB"},
	{"מתרגם", "מתרגם מעברית לאנגלית"},
	{"مترجم", "يترجم من العربية إلى الإنجليزية"},
	{"अनुवादक", "हिन्दी से अंग्रेज़ी में अनुवाद"},
	{"Łódź Guide", "Where to eat smørrebrød, from Æsop's table to Đà Nẵng"},
	{"🚀 Launch Planner", "Plans product launches 🚀 step by step"},
}

var searches = []string{
	"code", "Code", "c", "co", "cod", "code r", "code review", "code reviewer", "coding tutor", "c++", "c#", "C", "resume", "CAFÉ", "编程", "编", "助手", "翻译", "翻译助手", "写",
	"翻訳", "アシ", "コード", "ｺｰﾄﾞ", "แปล", "ภาษาไทย", "перевод", "ПЕРЕВОДЧИК", "емкие", "код", "번역", "영어", "übersetz", "vertrage", "מתרגם", "مترجم", "अनुवाद", "🚀", "🚀 launch",
	"ai", "AI写", "what is", "lodz", "ŁÓDŹ", "smorrebrod", "Smørrebrød", "aesop", "da nang", "nothing of the kind", "!!", "…", "a b c d e f g h i j k l m n o p q r s t u v w x y z", "in", "p", "с",
}

// lobe are the names and descriptions of the fixtures, or none.
func lobe(t *testing.T) (items [][2]string) {
	dir := os.Getenv("ELUMENTA_FIXTURES")
	if dir == "" {
		dir = "../../shared/fixtures"
	}
	f, err := os.Open(filepath.Join(dir, "lobe-assistants.jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var a struct {
			Meta struct{ Title, Description string }
		}
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		cut := func(s string, n int) string { return string([]rune(s)[:min(n, len([]rune(s)))]) }
		if a.Meta.Title != "" && a.Meta.Description != "" {
			items = append(items, [2]string{cut(strings.Join(strings.Fields(a.Meta.Title), " "), elumenta.MaxName), cut(a.Meta.Description, elumenta.MaxDescription)})
		}
	}
	return items
}

// all lists every page of a query.
func all(t rapid.TB, s *store.Store, q elumenta.ListingQuery) (items []elumenta.Listing) {
	t.Helper()
	for {
		page, next, err := s.Listings(context.Background(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if len(page) > q.Limit || next != "" && len(page) < q.Limit {
			t.Fatalf("%+v: a page of %d, next %q", q, len(page), next)
		}
		items = append(items, page...)
		if next == "" {
			return items
		}
		q.After = next
	}
}

func names(items []elumenta.Listing) []string {
	names := make([]string, len(items))
	for i, l := range items {
		names[i] = l.Name
	}
	return names
}

// TestSearchEngines has the same answers on both engines, whether the index has everything or nothing yet.
func TestSearchEngines(t *testing.T) {
	answers := sameAnswers(t, multilingual)
	for q, want := range map[string][]string{
		"code":        {"Code", "Code Reviewer", "The Code Whisperer", "Übersetzer für Verträge"},
		"c++":         {"Coding Tutor"},
		"翻译":          {"翻译助手"},
		"コード":         {"ｺｰﾄﾞﾚﾋﾞｭｰ"},
		"แปล":         {"ผู้ช่วยแปลภาษา"},
		"CAFÉ":        {"Résumé Builder"},
		"емкие":       {"Помощник редактора"},
		"lodz":        {"Łódź Guide"},
		"smorrebrod":  {"Łódź Guide"},
		"aesop":       {"Łódź Guide"},
		"da nang":     {"Łódź Guide"},
		"!!":          {},
		"🚀 launch":    {"🚀 Launch Planner"},
		"code review": {"Code Reviewer"},
	} {
		if got := answers[": "+q]; !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", q, got, want)
		}
	}
}

// TestSearchFixtures does the same with 505 assistants that people have written.
func TestSearchFixtures(t *testing.T) {
	items := lobe(t)
	if len(items) == 0 {
		t.Skip("the fixtures are not there")
	}
	sameAnswers(t, items)
}

// sameAnswers publishes what is given on both engines, and asks all searches.
func sameAnswers(t *testing.T, corpus [][2]string) map[string][]string {
	t.Helper()
	answers := map[string]map[string][]string{}
	eachEngine(t, func(t *testing.T, url string) {
		s := storetest.OpenWith(t, store.Options{URL: url})
		author := storetest.Account(t, s, "pro")
		for i, item := range corpus {
			f := storetest.Fields(item[0])
			f.Description, f.Category = item[1], elumenta.CategorySlugs()[i%3]
			if _, _, err := s.CreateAssistant(t.Context(), author, f, elumenta.Marketplace, nil); err != nil {
				t.Fatal(err)
			}
		}
		answer := func() map[string][]string {
			all := map[string][]string{}
			for _, q := range searches {
				for _, category := range []string{"", "writing"} {
					items, _, err := s.Listings(t.Context(), elumenta.ListingQuery{Text: q, Category: category, Limit: 100})
					if err != nil {
						t.Fatalf("%q: %v", q, err)
					}
					all[category+": "+q] = names(items)
				}
			}
			for _, sort := range []elumenta.ListingSort{elumenta.SortPopular, elumenta.SortNew, elumenta.SortByName} {
				items, _, err := s.Listings(t.Context(), elumenta.ListingQuery{Sort: sort, Limit: 100})
				if err != nil {
					t.Fatal(err)
				}
				all["by "+string(sort)] = names(items)
			}
			return all
		}
		before := answer()
		if err := s.FollowListings(t.Context()); err != nil {
			t.Fatal(err)
		}
		checkIndex(t, s, url)
		after := answer()
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the index finds something else than the notes (-notes +index):\n%s", diff)
		}
		answers[map[bool]string{true: "Postgres", false: "SQLite"}[postgres(url)]] = after
	})
	if both := answers["Postgres"]; both != nil {
		if diff := cmp.Diff(answers["SQLite"], both); diff != "" {
			t.Errorf("Postgres finds something else than SQLite (-SQLite +Postgres):\n%s", diff)
		}
	}
	return answers["SQLite"]
}

// checkIndex compares the index with what the listed assistants are to be found by.
func checkIndex(t testing.TB, s *store.Store, url string) {
	t.Helper()
	db := storetest.Raw(t, url)
	want, got := map[string][]int64{}, map[string][]int64{}
	rows, err := db.QueryContext(t.Context(), `SELECT doc, category, search_text FROM assistants WHERE published = 1 AND owner_suspended = 0 ORDER BY doc`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	documents := 0
	for rows.Next() {
		var doc int64
		var d elumenta.SearchDocument
		if err := rows.Scan(&doc, &d.Category, &d.Text); err != nil {
			t.Fatal(err)
		}
		documents++
		for _, term := range d.Terms() {
			want[term] = append(want[term], doc)
		}
	}
	terms, err := db.QueryContext(t.Context(), `SELECT term, chunk, docs FROM search_terms ORDER BY term, chunk`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terms.Close() }()
	for terms.Next() {
		var term string
		var chunk int64
		var row []byte
		if err := terms.Scan(&term, &chunk, &row); err != nil {
			t.Fatal(err)
		}
		docs, err := store.DecodeChunk(chunk, row)
		if err != nil || len(docs) == 0 {
			t.Fatalf("%q, chunk %d: %d documents, %v", term, chunk, len(docs), err)
		}
		got[term] = append(got[term], docs...)
	}
	if err := errors.Join(rows.Err(), terms.Err()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the index (-want +got):\n%s", diff)
	}
	var kept int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM search_documents`).Scan(&kept); err != nil || kept != documents {
		t.Fatalf("the index keeps %d documents of %d, %v", kept, documents, err)
	}
}

// TestIndexedAtOnce lets two nodes write the index while authors publish, edit and delete.
func TestIndexedAtOnce(t *testing.T) {
	url := storetest.Postgres(t)
	nodes := []*store.Store{storetest.OpenWith(t, store.Options{URL: url, Serve: true}), storetest.OpenWith(t, store.Options{URL: url, Serve: true})}
	var group, followers sync.WaitGroup
	done := make(chan struct{})
	for _, node := range nodes {
		followers.Go(func() {
			for {
				if err := node.FollowListings(t.Context()); err != nil {
					t.Errorf("follow: %v", err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for n := range 4 {
		s := nodes[n%2]
		author := storetest.Account(t, s, "pro")
		group.Go(func() {
			for i := range 12 {
				f := storetest.Fields(fmt.Sprintf("Helper %d of %d, common words", i, n))
				a, _, err := s.CreateAssistant(t.Context(), author, f, elumenta.Marketplace, nil)
				if err == nil && i%2 == 0 {
					_, err = s.UpdateAssistant(t.Context(), author, a.ID, 0, &elumenta.Patch{Name: elumenta.Some(f.Name + " changed")})
				}
				if err == nil && i%3 == 0 {
					err = s.DeleteAssistant(t.Context(), author, a.ID, 0)
				}
				if err == nil && i%4 == 0 {
					_, err = s.SetSuspended(t.Context(), author, i%8 != 0, "")
				}
				if err != nil {
					t.Errorf("author: %v", err)
				}
			}
		})
	}
	group.Wait()
	close(done)
	followers.Wait()
	if err := nodes[0].FollowListings(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, storetest.Raw(t, url), 0, `SELECT count(*) FROM search_pending`)
	checkIndex(t, nodes[0], url)
	if items := all(t, nodes[1], elumenta.ListingQuery{Text: "helper common", Limit: 100}); len(items) != 4*8 {
		t.Errorf("%d are found, of %d", len(items), 4*8)
	}
}

// TestSearchBurst finds at once what has changed, and not any more what it was, though as many changes wait as an account can make in one.
func TestSearchBurst(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		t.Parallel()
		s := storetest.OpenWith(t, store.Options{URL: url})
		author := storetest.Account(t, s, "pro")
		old, _, err := s.CreateAssistant(t.Context(), author, storetest.Fields("Walrus"), elumenta.Marketplace, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.FollowListings(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UpdateAssistant(t.Context(), author, old.ID, 0, &elumenta.Patch{Name: elumenta.Some("Narwhal"), Description: elumenta.Some("About narwhals")}); err != nil {
			t.Fatal(err)
		}
		// Copies of the row stand for the account's other assistants, whose notes are newer.
		db := storetest.Raw(t, url)
		for _, statement := range []string{
			`INSERT INTO assistants (id, account_id, version, versions, published, owner_suspended, category, search_text, sort_name, doc, revision, created_at, updated_at)
				WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
				SELECT a.id || n.i, a.account_id, a.version, 1, 1, 0, a.category, 'quokka ' || n.i, 'quokka ' || n.i, a.doc + n.i, 1, a.created_at, a.updated_at
				FROM n CROSS JOIN assistants AS a`,
			`INSERT INTO search_pending (doc, changes, noted) SELECT doc, 1, (SELECT max(noted) FROM search_pending) + 1 FROM assistants
				WHERE sort_name LIKE 'quokka%' AND doc < (SELECT min(doc) FROM assistants) + $1`,
		} {
			if _, err := db.ExecContext(t.Context(), statement, elumenta.MaxAssistants); err != nil {
				t.Fatal(err)
			}
		}
		for q, want := range map[string][]string{"narwhal": {"Narwhal"}, "walrus": {}} {
			if got := names(all(t, s, elumenta.ListingQuery{Text: q, Limit: 10})); !slices.Equal(got, want) {
				t.Errorf("%q finds %q, want %q", q, got, want)
			}
		}
		if counts, err := s.CategoryCounts(t.Context()); err != nil || counts["general"] != elumenta.MaxAssistants {
			t.Errorf("counts %v, %v", counts, err)
		}
	})
}

// TestSearchBounded searches where more has changed than a search looks at: what the index does not have yet is found later, but what is
// gone is never shown, and pages are full.
func TestSearchBounded(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		t.Parallel()
		o := store.Options{URL: url}
		o.BoundSearch(2, 3)
		s := storetest.OpenWith(t, o)
		author, stays := storetest.Account(t, s, "pro"), storetest.Account(t, s, "pro")
		var gone []elumenta.AssistantID
		for i := range 12 {
			owner := author
			if i%3 == 0 {
				owner = stays
			}
			a, _, err := s.CreateAssistant(t.Context(), owner, storetest.Fields(fmt.Sprintf("Big helper %d", i)), elumenta.Marketplace, nil)
			if err != nil {
				t.Fatal(err)
			}
			if owner == author {
				gone = append(gone, a.ID)
			}
		}
		follow := func() {
			t.Helper()
			if err := s.FollowListings(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(q string, want ...string) {
			t.Helper()
			if got := names(all(t, s, elumenta.ListingQuery{Text: q, Limit: 2})); !slices.Equal(got, want) {
				t.Errorf("%q finds %q, want %q", q, got, want)
			}
		}
		expect("big helper", "Big helper 11", "Big helper 10")
		follow()
		// More names begin so than are looked at.
		if got := all(t, s, elumenta.ListingQuery{Text: "big helper", Limit: 5}); len(got) != 12 {
			t.Errorf("%d are found", len(got))
		}
		expect("big helper 1", "Big helper 1", "Big helper 11", "Big helper 10")
		// Of more changes than are looked at the last ones are, whichever documents they are of; and what is found has what is looked for.
		rename := func(from, to string) {
			t.Helper()
			for _, l := range all(t, s, elumenta.ListingQuery{Sort: elumenta.SortByName, Limit: 20}) {
				if l.Name != from {
					continue
				}
				if _, err := s.UpdateAssistant(t.Context(), l.Owner, l.ID, 0, &elumenta.Patch{Name: elumenta.Some(to), Description: elumenta.Some("About " + to)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, n := range []string{"11", "10", "1", "0"} {
			rename("Big helper "+n, "Small helper "+n)
		}
		expect("small", "Small helper 1", "Small helper 0")
		expect("big helper 1")
		for _, n := range []string{"11", "10", "1", "0"} {
			rename("Small helper "+n, "Big helper "+n)
		}
		follow()
		expect("big helper 1", "Big helper 1", "Big helper 11", "Big helper 10")
		if _, err := s.SetSuspended(t.Context(), author, true, ""); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			expect("big", "Big helper 9", "Big helper 6", "Big helper 3", "Big helper 0")
			expect("", "Big helper 9", "Big helper 6", "Big helper 3", "Big helper 0")
			if counts, err := s.CategoryCounts(t.Context()); err != nil || counts["general"] != 4 {
				t.Errorf("counts %v, %v", counts, err)
			}
			follow()
		}
		for _, id := range gone {
			if err := s.DeleteAssistant(t.Context(), author, id, 0); err != nil {
				t.Fatal(err)
			}
		}
		follow()
		checkIndex(t, s, url)
	})
}
