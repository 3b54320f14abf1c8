package elumenta_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/elumenta/elumenta"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Élan": "elan", "STRASSE": "strasse", "Straße": "strasse", "ﬁ": "fi", "İ": "i", "ΣΊΣΥΦΟΣ": "σισυφοσ", "日本": "日本", "Ａ１": "a1",
		"ёлка": "елка", "Край": "край", "ガイド": "ガイド", "ｶﾞｲﾄﾞ": "ガイド", "한국어": "한국어", "การแปล": "การแปล", "हिन्दी": "हिन्दी",
		"co\u00adop": "coop", "\u202eabc": "abc", "שָׁלוֹם": "שלום", "☕\ufe0f": "☕", "a\xffb\u0301": "ab",
		"Łódź": "lodz", "Đà Nẵng": "da nang", "Smørrebrød": "smorrebrod", "Ǿ": "o", "Æsop": "aesop", "Ǽ": "ae", "Œuvre": "oeuvre", "ılık IĞDIR": "ilik igdir",
		"Þórður": "thordur", "ÞINGVELLIR": "thingvellir", "Ħal Qormi": "hal qormi", "Ŧ ŋ ĸ": "t n q", "Ɓarawo ɗaya ƙwai ƴa": "barawo daya kwai ya", "Bakı Əliyev": "baki eliyev",
		"STRAẞE": "strasse", "ĳs": "ijs", "đ\u0323": "d", "Ørsted ÐÐ": "orsted dd", "ſ": "s",
	} {
		if got := elumenta.Fold(in); got != want {
			t.Errorf("%q folds to %q, want %q", in, got, want)
		}
	}
}

// Case variants of a letter fold to the same, and what is folded stays as it is.
func TestFoldCase(t *testing.T) {
	const subscript = '\u0345'     // an accent where it is a mark, the letter iota where it is written in capitals
	for r := range rune(0x20000) { // no letter behind has case
		folded := elumenta.Fold(string(r))
		if again := elumenta.Fold(folded); again != folded {
			t.Errorf("%U folds to %U, and that to %U", r, []rune(folded), []rune(again))
		}
		if other := unicode.SimpleFold(r); other != r && other != subscript && r != subscript && elumenta.Fold(string(other)) != folded {
			t.Errorf("%U folds to %U, %U to %U", r, []rune(folded), other, []rune(elumenta.Fold(string(other))))
		}
	}
}

func TestSortName(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "  The  “Best”-Bot!  ": "the best bot", "GPT4": "gpt 4", "GPT-4": "gpt 4", "AI编程助手": "ai 编程助手", "编程 助手": "编程 助手",
		"C++": "c + +", "🚀Go": "🚀 go", "!?": "", "don't": "don t",
	} {
		if got := elumenta.SortName(in); got != want {
			t.Errorf("%q sorts as %q, want %q", in, got, want)
		}
	}
	for _, long := range []string{strings.Repeat("ﷺ", 100), strings.Repeat("😀", 100), strings.Repeat("é", 300)} {
		if got := elumenta.SortName(long); len(got) > 400 || !utf8.ValidString(got) {
			t.Errorf("%d bytes", len(got))
		}
	}
}

// TestSearchQuery finds documents in all kinds of scripts.
func TestSearchQuery(t *testing.T) {
	const none = elumenta.SearchTier(-1)
	for _, c := range []struct {
		name, description, query string
		want                     elumenta.SearchTier
	}{
		{"Code Reviewer", "Reviews pull requests", "code reviewer", elumenta.NameEquals},
		{"Code Reviewer", "Reviews pull requests", "  CODE—reviewer! ", elumenta.NameEquals},
		{"Code Reviewer", "Reviews pull requests", "code rev", elumenta.NameBegins},
		{"Code Reviewer", "Reviews pull requests", "c", elumenta.NameBegins},
		{"Code Reviewer", "Reviews pull requests", "rev", elumenta.NameContains},
		{"Code Reviewer", "Reviews pull requests", "reviewer code", elumenta.NameContains},
		{"Code Reviewer", "Reviews pull requests", "cod reviewer", none}, // only the last word may go on
		{"Code Reviewer", "Reviews pull requests", "code request", elumenta.Contains},
		{"Code Reviewer", "Reviews pull requests", "code golf", none},
		{"Code Reviewer", "Reviews pull requests", "eviewer", none},
		{"Assistant für Übersetzung", "Traduit en français", "UBERSETZ", elumenta.NameContains},
		{"Assistant für Übersetzung", "Traduit en français", "francais", elumenta.Contains},
		{"Assistant für Übersetzung", "Traduit en français", "Françaises", none},
		{"编程助手", "帮助你编写代码", "编程", elumenta.NameBegins},
		{"编程助手", "帮助你编写代码", "编程助手", elumenta.NameEquals},
		{"编程助手", "帮助你编写代码", "编", elumenta.NameBegins},
		{"编程助手", "帮助你编写代码", "助", elumenta.NameContains},
		{"编程助手", "帮助你编写代码", "代码", elumenta.Contains},
		{"编程助手", "帮助你编写代码", "码", elumenta.Contains},
		{"编程助手", "帮助你编写代码", "程编", none},
		{"AI编程助手", "", "ai 编程", elumenta.NameBegins},
		{"AI编程助手", "", "AI编程助手", elumenta.NameEquals},
		{"翻訳アシスタント", "日本語と英語の翻訳", "アシスタント", elumenta.NameContains},
		{"翻訳アシスタント", "日本語と英語の翻訳", "ｱｼｽﾀﾝﾄ", elumenta.NameContains},
		{"翻訳アシスタント", "日本語と英語の翻訳", "英語", elumenta.Contains},
		{"コーヒー", "", "ヒー", elumenta.NameContains},
		{"ผู้ช่วยแปลภาษา", "แปลไทยเป็นอังกฤษ", "แปลภาษา", elumenta.NameContains},
		{"ผู้ช่วยแปลภาษา", "แปลไทยเป็นอังกฤษ", "ไทย", elumenta.Contains},
		{"번역도우미", "한국어를 영어로", "도우미", elumenta.NameContains},
		{"번역도우미", "한국어를 영어로", "영어", elumenta.Contains},
		{"Przewodnik po Łodzi", "Smørrebrød i Đà Nẵng", "lodzi", elumenta.NameContains},
		{"Przewodnik po Łodzi", "Smørrebrød i Đà Nẵng", "ŁODZI", elumenta.NameContains},
		{"Przewodnik po Łodzi", "Smørrebrød i Đà Nẵng", "da nang smorre", elumenta.Contains},
		{"Aesop", "", "Æso", elumenta.NameBegins},
		{"Ægir", "", "ae", elumenta.NameBegins},
		{"Ægir", "", "a", elumenta.NameBegins},
		{"Þor", "", "thor", elumenta.NameEquals},
		{"Переводчик", "Переводит ёмкие тексты", "ПЕРЕВОД", elumenta.NameBegins},
		{"Переводчик", "Переводит ёмкие тексты", "емкие текст", elumenta.Contains},
		{"Переводчик", "Переводит ёмкие тексты", "водчик", none},
		{"C++ tutor", "", "c++", elumenta.NameBegins},
		{"C# tutor", "", "c++", none},
		{"C# tutor", "", "C#", elumenta.NameBegins},
		{"Rocket 🚀", "", "🚀", elumenta.NameContains},
		{"GPT-4 helper", "", "gpt4", elumenta.NameBegins},
		{"H", "", "h", elumenta.NameEquals},
		{"Anything", "at all", "!?", none},
		{"Anything", "at all", "", none},
		{strings.Repeat("x", 60), "", strings.Repeat("x", 50), elumenta.NameEquals}, // 40 characters of a word count
	} {
		q := elumenta.ParseSearchQuery(c.query)
		got, ok := q.Find(elumenta.SearchDocument{Category: "general", Text: elumenta.SearchText(c.name, c.description)})
		if !ok {
			got = none
		}
		if got != c.want {
			t.Errorf("%q in %q, %q: tier %d, want %d", c.query, c.name, c.description, got, c.want)
		}
	}
}

// FuzzSearch holds the terms of documents and queries to what they promise.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{"Code Reviewer", "编程助手", "AI编程", "ผู้ช่วย", "Ǆ ß İ ﷺ", "C++ 🚀#1", "don't re-fold", "한국어", "e\u0301\u200d\ufe0f", "Łódź æßþ Ǿ", "ŉ ʼn ȷ\u0306", "a\xff\x00b"} {
		f.Add(s, "a description", s)
		f.Add("name", s, s[:len(s)/2])
	}
	f.Fuzz(func(t *testing.T, name, description, query string) {
		if len(name)+len(description)+len(query) > 600 {
			t.Skip()
		}
		name = strings.NewReplacer("\n", " ", "\r", " ").Replace(name)
		d := elumenta.SearchDocument{Category: "data", Text: elumenta.SearchText(name, description)}
		terms := d.Terms()
		for _, term := range terms {
			if len(term) > 200 || !utf8.ValidString(term) || strings.IndexByte(term, 0) >= 0 {
				t.Fatalf("the term %q", term)
			}
		}
		q := elumenta.ParseSearchQuery(query)
		for _, s := range []string{name, description, query} {
			if folded := elumenta.Fold(s); elumenta.Fold(folded) != folded {
				t.Fatalf("%q folds to %q, and that to %q", s, folded, elumenta.Fold(folded))
			}
		}
		tier, found := q.Find(d)
		if found && q.Empty() {
			t.Fatal("an empty query finds something")
		}
		// The index has the same answer as the document itself.
		has := func(field elumenta.SearchField) bool {
			for _, r := range q.Terms(field) {
				if !slices.ContainsFunc(terms, func(term string) bool { return term == r.From || r.To != "" && term >= r.From && term < r.To }) {
					return false
				}
			}
			return !q.Empty()
		}
		sorted := elumenta.SortName(name)
		switch names := q.Names(); {
		case found != has(elumenta.SearchAnywhere):
			t.Fatalf("found %t", found)
		case found && tier <= elumenta.NameContains && !has(elumenta.SearchName):
			t.Fatalf("tier %d without the terms in the name", tier)
		case found && tier <= elumenta.NameBegins && (!has(elumenta.SearchBeginning) || sorted < names.From || sorted >= names.To):
			t.Fatalf("tier %d, and %q does not begin with %q", tier, sorted, q.Name())
		case q.Simple() && has(elumenta.SearchBeginning) && tier > elumenta.NameBegins:
			t.Fatalf("tier %d though %q has the terms at its beginning", tier, name)
		}
		// A name is found by itself, in the first tier.
		q = elumenta.ParseSearchQuery(name)
		if tier, found := q.Find(d); !q.Empty() && (!found || tier != elumenta.NameEquals) {
			t.Fatalf("%q is not found by itself: %t, %d", name, found, tier)
		}
	})
}
