package elumenta

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// plainLetters writes the Latin letters that Unicode does not decompose as those do who have no key for them.
var plainLetters = strings.NewReplacer( //nolint:gochecknoglobals // a constant
	"ⱥ", "a", "æ", "ae", "ƀ", "b", "ɓ", "b", "ȼ", "c", "đ", "d", "ɖ", "d", "ɗ", "d", "ð", "d", "ɇ", "e", "ə", "e", "ǝ", "e", "ɛ", "e",
	"ƒ", "f", "ǥ", "g", "ɠ", "g", "ħ", "h", "ı", "i", "ɨ", "i", "ɩ", "i", "ȷ", "j", "ɉ", "j", "ƙ", "k", "ł", "l", "ƚ", "l", "ɫ", "l", "ⱡ", "l",
	"ŋ", "n", "ɲ", "n", "ƞ", "n", "ø", "o", "ɔ", "o", "ɵ", "o", "œ", "oe", "ƥ", "p", "ᵽ", "p", "ĸ", "q", "ɍ", "r", "ɽ", "r",
	"ŧ", "t", "ƭ", "t", "ⱦ", "t", "þ", "th", "ʉ", "u", "ʊ", "u", "ʋ", "v", "ƴ", "y", "ɏ", "y", "ƶ", "z",
)

// Fold makes texts comparable without regard to case, accents, strokes, ligatures, width and compatibility forms. Marks that make
// another letter stay: those of kana, of й and ў, and the vowels of the scripts of India and South-East Asia.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	var letter rune
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, "")) {
		if ignored(r, letter) {
			continue
		}
		if !unicode.Is(unicode.M, r) {
			letter = r
		}
		if unicode.Is(unicode.Cherokee, r) {
			r = unicode.ToUpper(r) // cases.Fold exchanges the small letters and the capitals of this script
		}
		b.WriteRune(r)
	}
	return norm.NFKC.String(plainLetters.Replace(cases.Fold().String(b.String())))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// ignored reports whether a character that follows a letter is an accent, or shows nothing, as joiners do.
func ignored(r, letter rune) bool {
	const breve, voiced, semiVoiced, khitanFiller = '\u0306', '\u3099', '\u309A', '\U00016FE4'
	switch {
	case r < utf8.RuneSelf:
		return false
	case unicode.In(r, unicode.Cf, unicode.Variation_Selector) || r == khitanFiller:
		return true
	case !unicode.In(r, unicode.Mn, unicode.Me) || r == voiced || r == semiVoiced:
		return false
	case r == breve:
		return !unicode.Is(unicode.Cyrillic, letter)
	}
	return unicode.In(r, unicode.Inherited, unicode.Hebrew, unicode.Arabic, unicode.Cyrillic)
}
