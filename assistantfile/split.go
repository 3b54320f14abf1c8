package assistantfile

import (
	"bytes"
	"unicode/utf8"
)

const fence = "---"

// split finds the settings and the instructions. The line breaks of Windows are taken in the settings and left in the
// instructions.
func (d *decoder) split(b []byte) (settings string, instructions []byte, ok bool) {
	if len(b) > MaxFile {
		d.problems.add(d.file, 0, 0, "has more than %d bytes: an assistant fits into %d characters of instructions and its settings", MaxFile, 256_000)
		return "", nil, false
	}
	if !d.problems.checkEncoding(d.file, b) {
		return "", nil, false
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	if !isFence(first) {
		d.problems.add(d.file, 1, 1, "must begin with a line of ---, settings in YAML and a second line of ---; the instructions stand below it")
		return "", nil, false
	}
	line := 1
	for at := rest; ; {
		line++
		text, after, more := bytes.Cut(at, []byte("\n"))
		if isFence(text) {
			settings := rest[:len(rest)-len(at)]
			if len(settings) > MaxSettings {
				d.problems.add(d.file, 0, 0, "has settings of more than %d bytes", MaxSettings)
				return "", nil, false
			}
			d.at["instructions"] = place{line + 1, 1}
			return string(bytes.ReplaceAll(settings, []byte("\r\n"), []byte("\n"))), after, true
		}
		if !more {
			d.problems.add(d.file, 1, 1, "has no second line of --- that would end the settings: put one above the instructions")
			return "", nil, false
		}
		at = after
	}
}

func isFence(line []byte) bool { return string(bytes.TrimRight(line, " \t\r")) == fence }

// checkEncoding adds where a file is not text in UTF-8.
func (p *Problems) checkEncoding(file string, b []byte) bool {
	if bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) {
		p.add(file, 1, 1, "is in UTF-16: save it as UTF-8")
		return false
	}
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			line, column := position(b, i)
			p.add(file, line, column, "has the byte 0x%02X, which is not UTF-8: is the file in Latin-1 or another encoding? Save it as UTF-8", b[i])
			return false
		case r == 0:
			line, column := position(b, i)
			p.add(file, line, column, "has the character U+0000: remove it")
			return false
		}
		i += size
	}
	return true
}

// position is the line and column of a byte.
func position(b []byte, i int) (line, column int) {
	start := bytes.LastIndexByte(b[:i], '\n') + 1
	return bytes.Count(b[:i], []byte("\n")) + 1, utf8.RuneCount(b[start:i]) + 1
}
