package config

import (
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// decoder fills structs from a parsed file and gathers every mistake rather than stopping at the first. Fields are named
// by the tag key; pointer fields stay nil where the file says nothing.
type decoder struct {
	doc      *document
	problems Problems
}

func (d *decoder) add(path, format string, args ...any) {
	d.problems = append(d.problems, Problem{Source: d.doc.source, Line: d.doc.line(path), Key: path, Reason: fmt.Sprintf(format, args...)})
}

func (d *decoder) table(path string, table map[string]any, into reflect.Value) {
	known := map[string]int{}
	for i := range into.NumField() {
		if key := into.Type().Field(i).Tag.Get("key"); key != "" {
			known[key] = i
		}
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if i, ok := known[key]; ok {
			d.value(join(path, key), table[key], into.Field(i))
			continue
		}
		d.add(join(path, key), "is not a known setting%s", suggest(key, known))
	}
}

var unmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func (d *decoder) value(path string, v any, into reflect.Value) {
	if into.Kind() == reflect.Pointer {
		if v == nil {
			d.add(path, "has no value: give one or leave the setting out")
			return
		}
		fresh, before := reflect.New(into.Type().Elem()), len(d.problems)
		d.value(path, v, fresh.Elem())
		if len(d.problems) == before {
			into.Set(fresh)
		}
		return
	}
	if into.CanAddr() && into.Addr().Type().Implements(unmarshaler) {
		d.text(path, v, into)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		if table, ok := v.(map[string]any); ok {
			d.table(path, table, into)
		} else {
			d.add(path, "must be a table of settings, is %s", kindOf(v))
		}
	case reflect.Slice:
		d.list(path, v, into)
	default:
		d.scalar(path, v, into)
	}
}

func (d *decoder) text(path string, v any, into reflect.Value) {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case fmt.Stringer:
		s = v.String() // a date of TOML
	default:
		d.add(path, "must be a string, is %s", kindOf(v))
		return
	}
	target, ok := reflect.TypeAssert[encoding.TextUnmarshaler](into.Addr())
	if !ok {
		panic("config: not a field that reads text")
	}
	if err := target.UnmarshalText([]byte(s)); err != nil {
		d.add(path, "%s", err)
	}
}

func (d *decoder) list(path string, v any, into reflect.Value) {
	items, ok := v.([]any)
	if !ok {
		d.add(path, "must be a list, is %s", kindOf(v))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(fmt.Sprintf("%s[%d]", path, i), item, into.Index(i))
	}
}

func (d *decoder) scalar(path string, v any, into reflect.Value) {
	switch into.Kind() {
	case reflect.String:
		if s, ok := v.(string); ok {
			into.SetString(s)
			return
		}
		d.add(path, "must be a string, is %s", kindOf(v))
	case reflect.Bool:
		if b, ok := v.(bool); ok {
			into.SetBool(b)
			return
		}
		d.add(path, "must be true or false, is %s", kindOf(v))
	case reflect.Int, reflect.Int64:
		if n, ok := integer(v); ok {
			into.SetInt(n)
			return
		}
		d.add(path, "must be a whole number, is %s", kindOf(v))
	case reflect.Float64:
		if f, ok := number(v); ok {
			into.SetFloat(f)
			return
		}
		d.add(path, "must be a number, is %s", kindOf(v))
	default:
		panic("config: field of unknown kind " + into.Kind().String())
	}
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case uint64:
		return int64(n), n <= math.MaxInt64
	}
	return 0, false
}

func number(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	n, ok := integer(v)
	return float64(n), ok
}

// kindOf names a value's kind and never the value: it may be a credential in the wrong place.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "empty"
	case string:
		return "a string"
	case bool:
		return "true or false"
	case int64, uint64:
		return "a whole number"
	case float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	case time.Time:
		return "a time"
	}
	return "something else"
}

// suggest names the known key that a misspelt one comes nearest to.
func suggest(key string, known map[string]int) string {
	best, distance := "", 3
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if n := editDistance(strings.ToLower(key), k); n < distance {
			best, distance = k, n
		}
	}
	if best == "" {
		return ""
	}
	return ": did you mean " + best + "?"
}

// editDistance is Levenshtein's, by bytes. Long keys are far from everything.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
