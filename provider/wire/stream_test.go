package wire_test

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/elumenta/elumenta/provider/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// event is what a test compares.
type event struct{ Name, Data string }

// all reads a stream to its end.
func all(r io.Reader, limit int) (got []event, err error) {
	s := wire.NewStream(r, limit, nil)
	defer s.Close()
	for {
		name, data, err := s.Next()
		if err != nil {
			return got, err
		}
		got = append(got, event{string(name), string(data)})
	}
}

func TestStream(t *testing.T) {
	tests := []struct {
		name, text string
		want       []event
	}{
		{"LF", "data: a\n\ndata: b\n\n", []event{{"", "a"}, {"", "b"}}},
		{"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", []event{{"", "a"}, {"", "b"}}},
		{"CR", "data: a\r\rdata: b\r\r", []event{{"", "a"}, {"", "b"}}},
		{"mixed", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", []event{{"", "a"}, {"", "b"}, {"", "c"}}},
		{"no blank behind the colon", "data:a\n\n", []event{{"", "a"}}},
		{"one blank is taken away", "data:  a \n\n", []event{{"", " a "}}},
		{"lines", "data: a\ndata\ndata: b\n\n", []event{{"", "a\n\nb"}}},
		{"comments", ": x\n\n:\ndata: a\n: y\ndata: b\n\n", []event{{"", "a\nb"}}},
		{"names", "event: e\ndata: a\n\ndata: b\n\nevent: x\n\ndata: c\n\n", []event{{"e", "a"}, {"", "b"}, {"", "c"}}},
		{"name behind the data", "data: a\nevent: e\n\n", []event{{"e", "a"}}},
		{"other fields", "id: 1\nretry: 5\nfoo\ndata: a\ndatax: b\n\n", []event{{"", "a"}}},
		{"byte order mark", "\xef\xbb\xbfdata: a\n\n", []event{{"", "a"}}},
		{"half a mark", "\xef\xbbdata: a\n\ndata: b\n\n", []event{{"", "b"}}},
		{"mark only", "\xef\xbb\xbf", nil},
		{"empty data", "data\n\nid: 1\ndata: \n\nid: 2\ndata:\n\nid: 3\ndata: a\n\n", []event{{"", "a"}}},
		{"cut before the blank line", "data: a\n\ndata: b\n", []event{{"", "a"}, {"", "b"}}},
		{"cut before the line end", "data: a\n\nevent: e\ndata: b", []event{{"", "a"}, {"e", "b"}}},
		{"cut in a field's name", "data: a\n\ndat", []event{{"", "a"}}},
		{"nothing", "", nil},
		{"long", "data: " + strings.Repeat("x", 100_000) + "\n\ndata: b\n\n", []event{{"", strings.Repeat("x", 100_000)}, {"", "b"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			readers := map[string]func() io.Reader{
				"whole":        func() io.Reader { return strings.NewReader(tt.text) },
				"bytes":        func() io.Reader { return iotest.OneByteReader(strings.NewReader(tt.text)) },
				"halves":       func() io.Reader { return iotest.HalfReader(strings.NewReader(tt.text)) },
				"data and EOF": func() io.Reader { return iotest.DataErrReader(strings.NewReader(tt.text)) },
			}
			for at := range min(len(tt.text), 100) {
				readers["split at "+strconv.Itoa(at)] = func() io.Reader {
					return io.MultiReader(strings.NewReader(tt.text[:at]), strings.NewReader(tt.text[at:]))
				}
			}
			for name, r := range readers {
				got, err := all(r(), 0)
				if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, io.EOF) {
					t.Errorf("%s: error %v, events (-want +got):\n%s", name, err, diff)
				}
			}
		})
	}
}

func TestStreamLimits(t *testing.T) {
	big := strings.Repeat("x", 10_000)
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"under", "data: " + big[:4000] + "\n\n", true},
		{"line", "data: " + big + "\n\n", false},
		{"line without an end", "data: " + big, false},
		{"many lines", strings.Repeat("data: abc\n", 5_000), false},
		{"comment", ": " + big, false},
		{"comments within an event", "data: a\n" + strings.Repeat(": ping\n", 5_000), false},
		{"comments between events", strings.Repeat(": ping\n", 5_000) + "data: a\n\n", true},
		{"many events", strings.Repeat("data: abc\n\n", 5_000), true},
		{"lines of CR", strings.Repeat("data: abc\r\r", 5_000), true},
	}
	for _, tt := range tests {
		_, err := all(iotest.HalfReader(strings.NewReader(tt.text)), 5_000)
		if want := map[bool]error{true: io.EOF, false: wire.ErrEventTooLarge}[tt.ok]; !errors.Is(err, want) {
			t.Errorf("%s: error = %v, want %v", tt.name, err, want)
		}
	}
}

func TestStreamReaderFails(t *testing.T) {
	broken := errors.New("broken")
	got, err := all(io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(broken)), 0)
	if diff := cmp.Diff([]event{{"", "a"}}, got); diff != "" || !errors.Is(err, broken) {
		t.Errorf("error %v, events (-want +got):\n%s", err, diff)
	}
	if _, err := all(silent{}, 0); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: error = %v", err)
	}
	s := wire.NewStream(strings.NewReader("data: a\n\n"), 0, func() error { return broken })
	if _, _, err := s.Next(); !errors.Is(err, broken) {
		t.Errorf("error of beforeRead = %v", err)
	}
	s.Close()
	s.Close()
	if _, _, err := s.Next(); err == nil {
		t.Error("no error behind Close")
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

// TestStreamReadsOnlyWhenItMust counts reads against whole events.
func TestStreamReadsOnlyWhenItMust(t *testing.T) {
	pieces := []string{"data: a\n\ndata: b\n\ndata:", " c\n\n", "data: d\n\n"}
	var log []string
	readers := make([]io.Reader, len(pieces))
	for i, p := range pieces {
		readers[i] = strings.NewReader(p)
	}
	s := wire.NewStream(io.MultiReader(readers...), 0, func() error {
		log = append(log, "read")
		return nil
	})
	defer s.Close()
	for {
		_, data, err := s.Next()
		if err != nil {
			break
		}
		log = append(log, string(data))
	}
	if diff := cmp.Diff([]string{"read", "a", "b", "read", "c", "read", "d", "read"}, log); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// known is a body that knows when it waits: where a piece is empty.
type known struct {
	pieces []string
	before func() error
}

func (k *known) BeforeWait(f func() error) bool {
	k.before = f
	return true
}

func (k *known) Wait() {
	for len(k.pieces) > 0 && k.pieces[0] == "" {
		k.pieces = k.pieces[1:]
		_ = k.before()
	}
}

func (k *known) Read(p []byte) (int, error) {
	k.Wait()
	if len(k.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, k.pieces[0])
	k.pieces = k.pieces[1:]
	return n, nil
}

// TestStreamGoesOnWhereNothingWaits: a body that knows when it waits is read on without a call before.
func TestStreamGoesOnWhereNothingWaits(t *testing.T) {
	k := &known{pieces: []string{"", "data: a\n\nda", "ta: b\n\n", "data: c\n\n", "", "data:", "", " d\n\n", "data: e\n\n"}}
	var log strings.Builder
	s := wire.NewStream(k, 0, func() error {
		log.WriteByte('|')
		return nil
	})
	for {
		_, data, err := s.Next()
		if err != nil {
			break
		}
		log.Write(data)
	}
	if log.String() != "|abc||de" {
		t.Errorf("order: %s", log.String())
	}
	if s.Close(); k.before != nil {
		t.Error("a closed stream is still told")
	}
}

// simple is the same reader, written to be obvious.
func simple(text string) (events []event) {
	text = strings.TrimPrefix(text, "\xef\xbb\xbf")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	var name string
	var data []string
	flush := func() {
		if joined := strings.Join(data, "\n"); joined != "" {
			events = append(events, event{name, joined})
		}
		name, data = "", nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			flush()
		case field == "event":
			name = value
		case field == "data":
			data = append(data, value)
		}
	}
	flush()
	return events
}

func FuzzStream(f *testing.F) {
	for _, seed := range []string{"data: a\n\n", "event: x\r\ndata: a\r\ndata: b\r\n\r\n", "\xef\xbb\xbfdata:a\r\rdata", ": c\n\ndata: a\n\r\n"} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		want := simple(string(text))
		split := chunks{text: text, size: int(size) + 1}
		for _, r := range []io.Reader{bytes.NewReader(text), &split, &patient{chunks{text: text, size: int(size) + 1}}} {
			got, err := all(r, 0)
			if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, io.EOF) {
				t.Errorf("error %v, events (-want +got):\n%s", err, diff)
			}
		}
	})
}

// chunks gives out size bytes a read.
type chunks struct {
	text []byte
	size int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.text[:min(c.size, len(c.text))])
	c.text = c.text[n:]
	return n, nil
}

// patient is waited for, and meanwhile another stream has the buffer.
type patient struct{ chunks }

func (p *patient) Wait() {
	_, _ = all(strings.NewReader("event: other\ndata: "+strings.Repeat("#", 4000)+"\n\n"), 0)
}

func BenchmarkStream(b *testing.B) {
	text := []byte(strings.Repeat("data: {\"id\":\"chatcmpl\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Ol\"}}]}\n\n", 200))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s := wire.NewStream(bytes.NewReader(text), 0, nil)
		n := 0
		for {
			if _, _, err := s.Next(); err != nil {
				break
			}
			n++
		}
		s.Close()
		if n != 200 {
			b.Fatal(n)
		}
	}
}
