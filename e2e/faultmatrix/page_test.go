package faultmatrix

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

var update = flag.Bool("update", false, "write docs/faults.md")

const intro = `# What a provider's faults come to

What clients get, and what is charged, when a provider fails: each wire format (Anthropic, OpenAI Responses, Chat Completions, Gemini), whole and streamed, through each API. A test plays all of it, with one route and with a second one, and makes this page
(` + "`go test ./e2e/faultmatrix -update`" + `). In every case the stream ends as its API has it, the provider's own text reaches nobody, exactly what was answered to its end is charged, no reservation is left, and a route is called once at the most.

"event" is the error event of a stream that had begun. ↻ is ` + "`Retry-After`" + ` in seconds, ✕ ` + "`X-Should-Retry: false`" + `. The last column says what happens, through every API, where the model has a second route that is well: the request moves on to it, and the client sees nothing but the answer; or it is not asked, since no
route would mend the request, or since the client has text of the first.
`

// page writes the table, or compares it with the one in the documentation.
func (m *matrix) page() {
	var b strings.Builder
	b.WriteString(intro)
	begin := 0
	for _, part := range m.parts {
		fmt.Fprintf(&b, "\n## %s\n\n| fault | of |", part.title)
		for i := range m.surfaces {
			fmt.Fprintf(&b, " `%s` |", m.surfaces[i].path)
		}
		b.WriteString(" charged | second route |\n| --- | --- |" + strings.Repeat(" --- |", len(m.surfaces)+2) + "\n")
		for f := begin; f < part.end; f++ {
			m.rows(&b, f)
		}
		begin = part.end
	}
	const path = "../../docs/faults.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			m.t.Error(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil || string(have) != b.String() {
		m.t.Errorf("docs/faults.md is not what happens (%v): look at what changed, then go test ./e2e/faultmatrix -update\n%s", err, b.String())
	}
}

// rows writes a fault's rows: one, where all formats and ways of answering come to the same.
func (m *matrix) rows(b *strings.Builder, f int) {
	var order []string
	by := map[string][]string{}
	names := map[bool][]string{} // all that there are, by stream
	for i := range m.up.formats {
		for _, stream := range []bool{false, true} {
			if _, ok := m.cells[place{f, i, 0, stream, false}]; !ok {
				continue
			}
			row := m.row(f, i, stream)
			if by[row] == nil {
				order = append(order, row)
			}
			name := m.up.formats[i].name
			if !m.up.faults[f].stream {
				name += map[bool]string{true: " streamed", false: " whole"}[stream]
			}
			names[stream] = append(names[stream], name)
			by[row] = append(by[row], name)
		}
	}
	for _, row := range order {
		of := by[row]
		for label, names := range map[string][]string{"whole": names[false], "streamed": names[true], "all": slices.Concat(names[false], names[true])} {
			if slices.Equal(slices.Sorted(slices.Values(by[row])), slices.Sorted(slices.Values(names))) {
				of = []string{label}
				if len(order) == 1 {
					of = []string{"all"}
				}
			}
		}
		fmt.Fprintf(b, "| %s | %s |%s\n", m.up.faults[f].name, strings.Join(of, ", "), row)
	}
}

func (m *matrix) row(f, format int, stream bool) string {
	row := ""
	for s := range m.surfaces {
		row += " " + m.cells[place{f, format, s, stream, false}].outcome + " |"
	}
	first := m.cells[place{f, format, 0, stream, false}]
	next := "not asked"
	switch {
	case first.outcome == answer:
		next = "—"
	case m.cells[place{f, format, 0, stream, true}].outcome == answer:
		next = "answers"
	}
	return row + map[bool]string{true: " yes", false: " no"}[first.charged] + " | " + next + " |"
}
