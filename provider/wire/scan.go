package wire

// These pass over JSON (RFC 8259): each begins at a place in a text and returns where what it is for ends, and whether it is
// well-formed. Strings may hold invalid UTF-8 and halves of surrogate pairs.

func blanks(text []byte, at int) int {
	for at < len(text) && text[at] <= ' ' && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t') {
		at++
	}
	return at
}

// value passes over a value that nests up to a depth.
func value(text []byte, at, depth int) (end int, ok bool) {
	if at >= len(text) {
		return at, false
	}
	switch text[at] {
	case '"':
		return str(text, at)
	case '{':
		return list(text, at, depth, '}')
	case '[':
		return list(text, at, depth, ']')
	case 'n':
		return literal(text, at, "null")
	case 't':
		return literal(text, at, "true")
	case 'f':
		return literal(text, at, "false")
	}
	return number(text, at)
}

// list passes over an object or an array.
func list(text []byte, at, depth int, last byte) (end int, ok bool) {
	if depth <= 0 {
		return at, false
	}
	if at = blanks(text, at+1); at < len(text) && text[at] == last {
		return at + 1, true
	}
	for {
		if last == '}' {
			if at, ok = str(text, at); !ok {
				return at, false
			}
			if at = blanks(text, at); at >= len(text) || text[at] != ':' {
				return at, false
			}
			at = blanks(text, at+1)
		}
		if at, ok = value(text, at, depth-1); !ok {
			return at, false
		}
		at = blanks(text, at)
		switch {
		case at >= len(text):
			return at, false
		case text[at] == last:
			return at + 1, true
		case text[at] != ',':
			return at, false
		}
		at = blanks(text, at+1)
	}
}

func str(text []byte, at int) (end int, ok bool) {
	if at >= len(text) || text[at] != '"' {
		return at, false
	}
	at++
	for {
		for len(text)-at >= 8 && plain(word(text[at:])) {
			at += 8
		}
		for at < len(text) && text[at] >= ' ' && text[at] != '"' && text[at] != '\\' {
			at++
		}
		switch {
		case at == len(text) || text[at] < ' ':
			return at, false
		case text[at] == '"':
			return at + 1, true
		}
		if at, ok = escape(text, at+1); !ok {
			return at, false
		}
	}
}

// escape passes over what follows a backslash.
func escape(text []byte, at int) (end int, ok bool) {
	if at >= len(text) {
		return at, false
	}
	switch text[at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 1, true
	case 'u':
	default:
		return at, false
	}
	if len(text)-at < 5 {
		return at, false
	}
	for _, c := range text[at+1 : at+5] {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return at, false
		}
	}
	return at + 5, true
}

func literal(text []byte, at int, word string) (end int, ok bool) {
	end = at + len(word)
	return end, end <= len(text) && string(text[at:end]) == word
}

func number(text []byte, at int) (end int, ok bool) {
	if at < len(text) && text[at] == '-' {
		at++
	}
	if at < len(text) && text[at] == '0' {
		at++
	} else if at, ok = digits(text, at); !ok {
		return at, false
	}
	if at < len(text) && text[at] == '.' {
		if at, ok = digits(text, at+1); !ok {
			return at, false
		}
	}
	if at < len(text) && text[at]|0x20 == 'e' {
		if at++; at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		return digits(text, at)
	}
	return at, true
}

// digits passes over at least one.
func digits(text []byte, at int) (end int, ok bool) {
	from := at
	for at < len(text) && text[at] >= '0' && text[at] <= '9' {
		at++
	}
	return at, at > from
}
