package store

import (
	"cmp"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// each calls f for every row and closes them.
func each(rows *sql.Rows, f func() error) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// optional makes no row at all not an error.
func optional(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// below is the exclusive upper end of a page: ids have no character that sorts after a tilde.
func below(before string) string {
	if before == "" {
		return "~"
	}
	return before
}

// page cuts what was read with a limit of one more than asked for.
func page[T any](items []T, limit int) ([]T, bool) {
	if len(items) > limit {
		return items[:limit], true
	}
	return items, false
}

// placeholders are n of them, from the number first on.
func placeholders(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "$" + strconv.Itoa(first+i)
	}
	return strings.Join(list, ", ")
}
