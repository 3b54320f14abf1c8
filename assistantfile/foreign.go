package assistantfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// MaxForeign is the size of a file of another program's assistants, in bytes.
const MaxForeign = 64 << 20

// Foreign is an assistant of another program.
type Foreign struct {
	// Source says where it was found.
	Source string
	// IDKey names the pair of its metadata that holds its id there, by which it is found again.
	IDKey string
	*Assistant
	// Notes say what was cut, mapped or left out.
	Notes []string
	// Skip, if not empty, says why it cannot be an assistant here.
	Skip string
}

func (f *Foreign) note(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// Conversion says what an assistant of another program becomes.
type Conversion struct {
	// Model is the slug for those whose own model is not known here; "" refuses them.
	Model string
	// Known are the slugs of the catalog.
	Known func(slug string) bool
	// License is kept with those that name none.
	License string
	// Publish makes them public, where they have a description and a category.
	Publish bool
	// Warnings say, once something was read, what was missing of it as a whole.
	Warnings []string
}

// record is one JSON object of a file.
type record struct {
	file string
	line int
	raw  json.RawMessage
}

func (r record) String() string { return fmt.Sprintf("%s:%d", r.file, r.line) }

// records reads the JSON objects of a file, one behind the other, in an array or in OpenAI's list; or those of all .json
// files of a folder, and of its folder src if it has one.
func records(fsys fs.FS, name string) (found []record, problems Problems) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		problems.add(name, 0, 0, "cannot be read: %s", reason(err))
		return nil, problems
	}
	files := []string{name}
	if info.IsDir() {
		if files, err = jsonFiles(fsys, name); err != nil {
			problems.add(name, 0, 0, "cannot be read: %s", reason(err))
		} else if len(files) == 0 {
			problems.add(name, 0, 0, "has no .json files")
		}
	}
	for _, file := range files {
		b, ok := readLimited(fsys, file, MaxForeign, &problems)
		if ok && problems.checkEncoding(file, b) {
			found = append(found, splitJSON(file, bytes.TrimPrefix(b, []byte("\ufeff")), &problems)...)
		}
	}
	return found, problems
}

func jsonFiles(fsys fs.FS, dir string) (files []string, err error) {
	if info, err := fs.Stat(fsys, path.Join(dir, "src")); err == nil && info.IsDir() {
		dir = path.Join(dir, "src")
	}
	items, err := fs.ReadDir(fsys, dir)
	for _, e := range items {
		if ext := path.Ext(e.Name()); e.Type().IsRegular() && (ext == ".json" || ext == ".jsonl") && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, path.Join(dir, e.Name()))
		}
	}
	return files, err
}

// readLimited reads a regular file of at most so many bytes.
func readLimited(fsys fs.FS, file string, most int64, problems *Problems) ([]byte, bool) {
	info, err := fs.Stat(fsys, file) // before it is opened: a named pipe would wait for somebody who writes
	if err == nil && !info.Mode().IsRegular() {
		problems.add(file, 0, 0, "is not a regular file")
		return nil, false
	}
	var f fs.File
	if err == nil {
		f, err = fsys.Open(file)
	}
	if err != nil {
		problems.add(file, 0, 0, "cannot be read: %s", reason(err))
		return nil, false
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		problems.add(file, 0, 0, "cannot be read: %s", reason(err))
	case int64(len(b)) > most:
		problems.add(file, 0, 0, "has more than %d bytes", most)
	}
	return b, err == nil && int64(len(b)) <= most
}

// splitJSON finds the objects of a file.
func splitJSON(file string, b []byte, problems *Problems) (found []record) {
	dec := jsontext.NewDecoder(bytes.NewReader(b), jsontext.AllowDuplicateNames(true))
	wrong := func(err error) {
		offset := dec.InputOffset()
		if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
			offset, err = max(offset, s.ByteOffset), s.Err
		}
		line, column := position(b, int(min(offset, int64(len(b)))))
		problems.add(file, line, column, "is not JSON: %s", err)
	}
	take := func() bool {
		raw, err := dec.ReadValue()
		if err != nil {
			wrong(err)
			return false
		}
		line, column := position(b, int(dec.InputOffset())-len(raw))
		if raw.Kind() != '{' {
			problems.add(file, line, column, "must be an object")
			return true
		}
		found = append(found, record{file, line, json.RawMessage(bytes.Clone(raw))})
		return true
	}
	for {
		switch dec.PeekKind() {
		case '[':
			if _, err := dec.ReadToken(); err != nil {
				wrong(err)
				return found
			}
			for dec.PeekKind() != ']' {
				if !take() {
					return found
				}
			}
			_, _ = dec.ReadToken() // it was looked at
		case 0:
			if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
				wrong(err)
			}
			return found
		default:
			if !take() {
				return found
			}
		}
	}
}

// decode reads a record into a struct.
func (r record) decode(into any, problems *Problems) bool {
	err := json.Unmarshal(r.raw, into)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		problems.add(r.file, r.line, 0, "%s must not be a %s", camel(e.Field), e.Value)
	} else if err != nil {
		problems.add(r.file, r.line, 0, "is not understood: %s", err)
	}
	return err == nil
}

// camel is the path of a Go field as JSON has it.
func camel(path string) string {
	names := strings.Split(path, ".")
	for i, name := range names {
		first, size := utf8.DecodeRuneInString(name)
		names[i] = string(unicode.ToLower(first)) + name[size:]
	}
	return strings.Join(names, ".")
}

// oneLine puts blanks between lines, and where control characters were.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }), " "))
}

// begin makes the assistant of a record. Texts that are too long are cut, except instructions.
func (c *Conversion) begin(r record, idKey, id, name, description string, instructions elumenta.Text) Foreign {
	f := Foreign{Source: r.String(), IDKey: idKey, Assistant: &Assistant{Visibility: elumenta.Private}}
	f.Name = f.cut("name", oneLine(name), elumenta.MaxName)
	if f.Name == "" {
		f.Name = f.cut("name", oneLine(id), elumenta.MaxName)
		f.note("has no name: %s is its name now", id)
	}
	f.Description = f.cut("description", description, elumenta.MaxDescription)
	f.Instructions = instructions
	f.Metadata = map[string]string{idKey: f.cut(idKey, id, elumenta.MaxMetadataValue)}
	switch n := utf8.RuneCountInString(string(instructions)); {
	case n == 0:
		f.Skip = "it has no instructions"
	case n > elumenta.MaxInstructions:
		f.Skip = fmt.Sprintf("its instructions have %d characters, and %d is the limit", n, elumenta.MaxInstructions)
	case strings.ContainsRune(string(instructions), 0):
		f.Skip = "its instructions contain the character U+0000"
	}
	return f
}

// cut shortens a text that is too long, and says so.
func (f *Foreign) cut(what, s string, most int) string {
	s = strings.ReplaceAll(s, "\x00", "")
	n := utf8.RuneCountInString(s)
	if n <= most {
		return s
	}
	f.note("%s cut from %d to %d characters", what, n, most)
	return strings.TrimSpace(string([]rune(s)[:most-1])) + "…"
}

// keep adds a pair to the metadata.
func (f *Foreign) keep(key, value string) {
	if value = strings.TrimSpace(value); value == "" {
		return
	}
	if len(f.Metadata) == elumenta.MaxMetadata {
		f.note("metadata %s left out: there is room for %d pairs", key, elumenta.MaxMetadata)
		return
	}
	f.Metadata[key] = f.cut("metadata "+key, value, elumenta.MaxMetadataValue)
}

// settings takes the temperature and the largest answer, where they can be.
func (f *Foreign) settings(temperature *float64, maxTokens *int) {
	switch {
	case temperature == nil:
	case *temperature < 0 || *temperature > elumenta.MaxTemperature:
		f.note("temperature %v left out: it must be between 0 and %d", *temperature, elumenta.MaxTemperature)
	default:
		f.Temperature = temperature
	}
	switch {
	case maxTokens == nil || *maxTokens == 0:
	case *maxTokens < 0:
		f.note("max_tokens %d left out: it must be at least 1", *maxTokens)
	default:
		f.MaxTokens = maxTokens
	}
}

// unplaced names the settings of a record that hold something and have no place here. placed are the paths of the others;
// what stands before their dots is looked into.
func (r record) unplaced(placed []string) (names []string) {
	var top map[string]any
	_ = json.Unmarshal(r.raw, &top) // it was read as an object before
	var walk func(path string, m map[string]any)
	walk = func(path string, m map[string]any) {
		for key, value := range m {
			at := path + key
			inside, isMap := value.(map[string]any)
			switch {
			case slices.ContainsFunc(placed, func(p string) bool { return strings.EqualFold(p, at) }):
			case isMap && slices.ContainsFunc(placed, func(p string) bool { return strings.HasPrefix(strings.ToLower(p), strings.ToLower(at)+".") }):
				walk(at+".", inside)
			case holds(at, value):
				names = append(names, at)
			}
		}
	}
	walk("", top)
	slices.Sort(names)
	return names
}

// holds reports whether a setting says more than its absence would.
func holds(path string, value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != "" && (path != "tool_choice" || v != "auto")
	case float64:
		return v != 0 && (v != 1 || !strings.HasSuffix(path, "top_p"))
	case []any:
		return len(v) > 0
	case map[string]any:
		for key, inside := range v {
			if holds(path+"."+key, inside) {
				return true
			}
		}
	}
	return false
}

// dropped names what an assistant has no place for.
func (f *Foreign) dropped(names []string) {
	if len(names) > 0 {
		f.note("left out: %s", strings.Join(names, ", "))
	}
}

// publish makes an assistant public that can be.
func (c *Conversion) publish(f *Foreign) {
	switch {
	case !c.Publish:
	case f.Category == "" || strings.TrimSpace(f.Description) == "":
		f.note("stays private: publishing needs a category and a description")
	default:
		f.Visibility = elumenta.Marketplace
	}
}

// finish checks what came of the records.
func finish(found []Foreign, problems Problems) ([]Foreign, error) {
	first := map[string]string{}
	for i := range found {
		f := &found[i]
		id := f.Metadata[f.IDKey]
		if source, twice := first[id]; twice && f.Skip == "" {
			f.Skip = "it has the same id as " + source
		} else if !twice {
			first[id] = f.Source
		}
		if f.Skip != "" {
			continue
		}
		for _, e := range f.Check(f.Visibility) {
			problems = append(problems, Problem{File: f.Source, Message: e.Field + " " + e.Reason})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return found, nil
}
