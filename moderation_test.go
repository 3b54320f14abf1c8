package elumenta_test

import (
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"pgregory.net/rapid"
)

func denied(t testing.TB, entries ...string) func(name string) bool {
	t.Helper()
	d, bad := elumenta.NewDeniedNames(entries)
	if len(bad) > 0 {
		t.Fatalf("bad entries %d", bad)
	}
	return func(name string) bool {
		var errs elumenta.FieldErrors
		d.Check(&errs, "name", name)
		return len(errs) > 0
	}
}

func TestDeniedNames(t *testing.T) {
	for _, c := range []struct {
		entry  string
		denied []string
		free   []string
	}{
		{"acme",
			[]string{"acme", "ACME", "Acme Helper", "the-acme-bot", "(acme)", "acme_bot", "acme2", "Ácmé", "ＡＣＭＥ", "ac\u200bme", "ac\u00adme", "ac\u3164me", "ac\u180bme", "Acmɇ", "ac\u180fme", "a\ufe0fcme", "ac\U00016fe4me", "ac\U000e0101me", "a\u0301cme", "4cm3", "@CME", "for acme's", "垃圾acme垃圾"},
			[]string{"", "acmeist", "macme", "a c m e", "acm e", "ac-me", "4cm3ist"}},
		{"Official Bot", []string{"official bot", "The 0ff1c1al   B0T", "official\u00a0bot!"}, []string{"official", "officialbot", "official robot"}},
		{"官方", []string{"官方", "我的官方助手"}, []string{"官", "方官"}},
		{"สปสช", []string{"ผู้ช่วยสปสชไทย"}, []string{"สปส"}},
		{"груша", []string{"ГРУША", "моя груша"}, []string{"грушка"}},
		{"c++", []string{"C++ helper", "c++17"}, []string{"c", "abc++"}},
		{"l33t", []string{"leet", "I33t", "l3e7"}, []string{"let"}},
	} {
		is := denied(t, c.entry)
		for _, name := range c.denied {
			if !is(name) {
				t.Errorf("%q does not deny %q", c.entry, name)
			}
		}
		for _, name := range c.free {
			if is(name) {
				t.Errorf("%q denies %q", c.entry, name)
			}
		}
	}
	if denied(t)("anything") {
		t.Error("an empty list denies")
	}
	if _, bad := elumenta.NewDeniedNames([]string{"good", "", " \u200b", "…", strings.Repeat("x", elumenta.MaxName+1)}); len(bad) != 4 || bad[0] != 1 || bad[3] != 4 {
		t.Errorf("bad entries %d", bad)
	}
	var errs elumenta.FieldErrors
	d, _ := elumenta.NewDeniedNames([]string{"secretword"})
	if d.Check(&errs, "name", "the secretword"); len(errs) != 1 || strings.Contains(errs.Err().Error(), "secretword") {
		t.Errorf("what is refused reads %v", errs)
	}
}

// Whatever an entry is, a name that has it between blanks is denied.
func TestDeniedNamesFindEveryEntry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entry := rapid.StringN(1, 12, -1).Draw(t, "entry")
		d, bad := elumenta.NewDeniedNames([]string{entry})
		if len(bad) > 0 {
			t.Skip("no entry")
		}
		name := rapid.StringN(0, 8, -1).Draw(t, "before") + " " + entry + " " + rapid.StringN(0, 8, -1).Draw(t, "after")
		var errs elumenta.FieldErrors
		if d.Check(&errs, "name", name); len(errs) == 0 {
			t.Fatalf("%q does not deny %q", entry, name)
		}
	})
}

func TestNewReport(t *testing.T) {
	for _, reason := range elumenta.ReportReasons() {
		n := elumenta.NewReport{Reason: reason, Comment: elumenta.Text(strings.Repeat("界", elumenta.MaxReportComment))}
		if err := n.Check().Err(); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
	n := elumenta.NewReport{Reason: "boring", Comment: elumenta.Text(strings.Repeat("x", elumenta.MaxReportComment) + "\x00")}
	if errs := n.Check(); len(errs) != 2 || strings.Contains(errs.Err().Error(), "boring") {
		t.Errorf("%v", errs)
	}
}
