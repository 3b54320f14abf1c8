package store

import (
	"fmt"
	"strings"

	"github.com/elumenta/elumenta"
)

func entryName(seq int64) string { return fmt.Sprintf("entry %d", seq) }

func tokensText(t elumenta.Tokens) string {
	return fmt.Sprintf("%d of the plan and %d topped up", t.Monthly, t.Topup)
}

func addTokens(to *elumenta.Tokens, t elumenta.Tokens) {
	to.Monthly += t.Monthly
	to.Topup += t.Topup
}

func stateText(g *verifiedGeneration) string {
	switch {
	case g.state == stateOpen:
		return "open"
	case g.state == elumenta.Charged:
		return "charged"
	case g.corrected:
		return "corrected"
	}
	return "given back"
}

func kindsText(kinds map[elumenta.EntryKind]int) string {
	var texts []string
	for _, kind := range elumenta.EntryKinds() {
		if n := kinds[kind]; n > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	if len(texts) == 0 {
		return "none"
	}
	return strings.Join(texts, ", ")
}
