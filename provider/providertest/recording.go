package providertest

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Exchange is one recorded request and its response, as they went over the wire.
type Exchange struct {
	Name            string            `json:"-"`
	URL             string            `json:"url"`
	RequestBody     string            `json:"request_body"`
	Status          int               `json:"status"`
	ResponseHeaders map[string]string `json:"response_headers"`
	ResponseBody    string            `json:"response_body"`
}

// Stream reports whether the response is an event stream.
func (e Exchange) Stream() bool {
	for name, value := range e.ResponseHeaders {
		if strings.EqualFold(name, "Content-Type") {
			return strings.HasPrefix(value, "text/event-stream")
		}
	}
	return false
}

// Recordings reads all exchanges whose URL's path serves accepts. They lie in the folder that ELUMENTA_FIXTURES names,
// or beside the module; without them the test is skipped.
func Recordings(tb testing.TB, serves func(path string) bool) []Exchange {
	tb.Helper()
	dir := fixtures(tb)
	if dir == "" {
		tb.Skip("no recordings here: set ELUMENTA_FIXTURES to the folder that has them")
	}
	return readAll(tb, dir, serves)
}

func readAll(tb testing.TB, dir string, serves func(path string) bool) []Exchange {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "providers", "*", "*.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var found []Exchange
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var recording struct{ Exchanges []Exchange }
		if err := json.Unmarshal(text, &recording); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		for i, e := range recording.Exchanges {
			u, err := url.Parse(e.URL)
			if err != nil {
				tb.Fatalf("%s: %v", file, err)
			}
			if serves(u.Path) {
				e.Name = filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), ".json") + strings.Repeat("+", i)
				found = append(found, e)
			}
		}
	}
	return found
}

// fixtures finds the folder of the recordings, or returns an empty string.
func fixtures(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("ELUMENTA_FIXTURES"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	dir = filepath.Join(dir, "..", "shared", "fixtures")
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// Data takes a stream apart, simply: the data of each event that ends in a blank line, and of what is left if that is
// JSON or [DONE].
func Data(body []byte) []string {
	text := strings.ReplaceAll(strings.ReplaceAll(string(body), "\r\n", "\n"), "\r", "\n")
	blocks := strings.Split(text, "\n\n")
	var all []string
	for i, block := range blocks {
		var lines []string
		for line := range strings.SplitSeq(block, "\n") {
			if value, ok := strings.CutPrefix(line, "data:"); ok {
				lines = append(lines, strings.TrimPrefix(value, " "))
			}
		}
		data := strings.Join(lines, "\n")
		if data == "" || i == len(blocks)-1 && data != "[DONE]" && !json.Valid([]byte(data)) {
			continue
		}
		all = append(all, data)
	}
	return all
}
