package console

import (
	"embed"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed locales/*.toml
var locales embed.FS

// languages are those of the console, the first for whoever asks for none of them.
var languages = []language.Tag{language.English, language.Russian} //nolint:gochecknoglobals // a constant

func loadMessages() (*i18n.Bundle, error) {
	bundle := i18n.NewBundle(languages[0])
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	files, err := locales.ReadDir("locales")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if _, err := bundle.LoadMessageFileFS(locales, path.Join("locales", f.Name())); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return bundle, nil
}

// language is what a page is written in.
type pageLanguage struct {
	tag       language.Tag
	localizer *i18n.Localizer
	numbers   *message.Printer
}

// chooseLanguage takes the browser's choice that a cookie keeps, or else what it prefers.
func (c *Console) chooseLanguage(r *http.Request) pageLanguage {
	prefer := []string{r.Header.Get("Accept-Language")}
	if cookie, err := r.Cookie(languageCookie); err == nil {
		prefer = append([]string{cookie.Value}, prefer...)
	}
	_, i := language.MatchStrings(language.NewMatcher(languages), prefer...)
	tag := languages[i]
	return pageLanguage{tag: tag, localizer: i18n.NewLocalizer(c.messages, tag.String()), numbers: message.NewPrinter(tag)}
}

// T is the text of a key in the page's language. args are names and values of what stands in it as {{.name}}.
func (l pageLanguage) T(key string, args ...any) string {
	return l.localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data(args)})
}

// Raw is the text of a key with its {{.name}} left as they are, for a script to fill.
func (l pageLanguage) Raw(key string) string {
	return l.localize(&i18n.LocalizeConfig{MessageID: key, TemplateParser: template.IdentityParser{}})
}

// N is the text of a key for a number, in its plural form; the number itself stands in it as {{.Count}}.
func (l pageLanguage) N(key string, n int64, args ...any) string {
	values := data(args)
	values["Count"] = l.Number(n)
	return l.localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: values, PluralCount: int(n)})
}

func data(args []any) map[string]any {
	values := make(map[string]any, len(args)/2+1)
	for i := 0; i+1 < len(args); i += 2 {
		values[fmt.Sprint(args[i])] = args[i+1]
	}
	return values
}

func (l pageLanguage) localize(config *i18n.LocalizeConfig) string {
	text, err := l.localizer.Localize(config)
	if text == "" && err != nil {
		return config.MessageID // a test sees to it that there are all
	}
	return text
}

// known reports whether there is a text of a key.
func (l pageLanguage) known(key string) bool {
	_, err := l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key})
	return err == nil
}

// Lang is the language for the lang attribute.
func (l pageLanguage) Lang() string { return l.tag.String() }

// Number writes a whole number as the language does.
func (l pageLanguage) Number(n int64) string { return l.numbers.Sprintf("%d", n) }

// Size writes a number of bytes in the largest unit that it has one of.
func (l pageLanguage) Size(n int64) string {
	units := strings.Fields(l.T("size.units"))
	if n < 1024 {
		return l.Number(n) + "\u00a0" + units[0]
	}
	size, unit := float64(n)/1024, 1
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	return l.numbers.Sprintf("%.1f", size) + "\u00a0" + units[unit]
}

// Date writes a day, Time a moment, both in UTC.
func (l pageLanguage) Date(t time.Time) string { return l.format(t, "date.day") }

// Time writes a moment in UTC.
func (l pageLanguage) Time(t time.Time) string { return l.format(t, "date.moment") }

// format fills Go's layout of a key; months are written by their key.
func (l pageLanguage) format(t time.Time, layout string) string {
	if t.IsZero() {
		return "—"
	}
	t = t.UTC()
	return strings.ReplaceAll(t.Format(l.T(layout)), "MONTH", l.T(fmt.Sprintf("date.month%d", t.Month())))
}

func (c *Console) preferenceRoutes() {
	c.mux.HandleFunc("POST "+Base+"preferences", c.handle(withForm(maxSignInForm, func(p *page) error {
		if chosen := p.r.PostForm.Get("language"); chosen == "en" || chosen == "ru" {
			p.setCookie(languageCookie, chosen, preferenceAge)
		}
		switch chosen := p.r.PostForm.Get("theme"); chosen {
		case "light", "dark":
			p.setCookie(themeCookie, chosen, preferenceAge)
		case "system":
			p.setCookie(themeCookie, "", -1)
		}
		return p.redirect(local(p.r.PostForm.Get("back")), "")
	})))
}
