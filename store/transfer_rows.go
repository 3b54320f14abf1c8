package store

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// firstRows and mostRows bound a page's rows, and pageBytes is about how much it holds in between: a row may be a few
	// numbers or the longest instructions.
	firstRows = 100
	mostRows  = 20_000
	pageBytes = 8 << 20
	// pageTimeout bounds the reading and writing of one page, and every other statement of a transfer.
	pageTimeout = 10 * time.Minute
)

// rowPage walks through rows that are read from one database while they are written to the other or added up. It is a
// pgx.CopyFromSource.
type rowPage struct {
	source driver.Rows
	raw    []driver.Value
	values []any // the current row; after the last, that one
	rows   int
	bytes  int
	err    error
}

// Next reads a row.
func (p *rowPage) Next() bool {
	if p.err != nil {
		return false
	}
	if err := p.source.Next(p.raw); err != nil {
		if !errors.Is(err, io.EOF) {
			p.err = err
		}
		return false
	}
	p.rows++
	for i, value := range p.raw {
		size := 8
		switch v := value.(type) {
		case string:
			size = len(v)
		case []byte:
			size = len(v)
			if v == nil {
				value = []byte{} // SQLite's driver has an empty value so, which pgx takes for NULL
			}
		}
		p.values[i], p.bytes = value, p.bytes+size
	}
	return true
}

// Values are the current row's.
func (p *rowPage) Values() ([]any, error) { return p.values, nil }

// Err is what ended the reading early.
func (p *rowPage) Err() error { return p.err }

// key copies the current row's primary key.
func (p *rowPage) key(t *table) []driver.Value {
	key := make([]driver.Value, len(t.key))
	for i, column := range t.key {
		key[i] = p.values[column]
		if b, ok := key[i].([]byte); ok {
			key[i] = append([]byte{}, b...)
		}
	}
	return key
}

// next is how many rows the next page may have.
func (p *rowPage) next(limit int) int {
	fitting := limit * pageBytes / max(p.bytes, 1)
	return max(1, min(fitting, limit*4, mostRows))
}

// read gives f a page of the rows behind a key; nil is before the first. It holds rows.
func (s *side) read(ctx context.Context, t *table, after []driver.Value, limit int, f func(ctx context.Context, p *rowPage) error) (*rowPage, error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	p := &rowPage{raw: make([]driver.Value, len(t.columns)), values: make([]any, len(t.columns))}
	err := s.conn.Raw(func(dc any) error {
		rows, err := dc.(driver.QueryerContext).QueryContext(ctx, t.selectPage(after != nil)+strconv.Itoa(limit), named(after)) //nolint:forcetypeassert // both drivers'
		if err != nil {
			return err
		}
		p.source = rows
		err = errors.Join(f(ctx, p), p.err)
		return errors.Join(err, rows.Close())
	})
	if err != nil {
		return nil, s.failed("table "+t.name, err)
	}
	return p, nil
}

func named(values []driver.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, value := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	return args
}

// write adds a page's rows, all or none. It does not wait for the disk: what a crash takes away is moved again, and the end of
// the transfer is durable only after all that came before it.
func (s *side) write(ctx context.Context, t *table, p *rowPage) error {
	return s.conn.Raw(func(dc any) error {
		if pg, ok := dc.(*stdlib.Conn); ok {
			return copyAll(ctx, pg.Conn(), t, p)
		}
		return insertAll(ctx, dc.(sqliteConn), t, p) //nolint:forcetypeassert // the other driver's
	})
}

func copyAll(ctx context.Context, c *pgx.Conn, t *table, p *rowPage) error {
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, p)
		return err
	})
}

type sqliteConn interface {
	driver.ExecerContext
	driver.ConnPrepareContext
}

func insertAll(ctx context.Context, c sqliteConn, t *table, p *rowPage) (err error) {
	if _, err := c.ExecContext(ctx, `BEGIN IMMEDIATE`, nil); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = c.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`, nil) // SQLite may have done it already
		}
	}()
	st, err := c.PrepareContext(ctx, t.insert())
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	args := make([]driver.NamedValue, len(t.columns))
	for p.Next() {
		for i, value := range p.values {
			args[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
		}
		// A context that can end costs more than the row.
		if _, err := st.(driver.StmtExecContext).ExecContext(context.WithoutCancel(ctx), args); err != nil { //nolint:forcetypeassert // the driver's
			return err
		}
	}
	if p.err != nil {
		return p.err
	}
	_, err = c.ExecContext(ctx, `COMMIT`, nil)
	return err
}

// lastKey is the greatest primary key that a table has; nil if it has no row.
func (s *side) lastKey(ctx context.Context, t *table) ([]driver.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	key := make([]driver.Value, len(t.key))
	err := s.conn.Raw(func(dc any) error {
		rows, err := dc.(driver.QueryerContext).QueryContext(ctx, t.selectLastKey(), nil) //nolint:forcetypeassert // both drivers'
		if err != nil {
			return err
		}
		err = rows.Next(key)
		return errors.Join(err, rows.Close())
	})
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return key, s.failed("table "+t.name, err)
}

// digest hashes all rows of a table in the order of their keys, each value with its kind and length, so that two tables
// have the same digest if and only if they hold the same.
func (s *side) digest(ctx context.Context, t *table, progress func(rows int64)) (TransferredTable, error) {
	sum := TransferredTable{Name: t.name}
	hash := sha256.New()
	var encoded []byte
	var after []driver.Value
	for {
		limit := mostRows
		p, err := s.read(ctx, t, after, limit, func(_ context.Context, p *rowPage) error {
			for p.Next() {
				encoded = encoded[:0]
				for _, value := range p.values {
					var err error
					if encoded, err = appendValue(encoded, value); err != nil {
						return err
					}
				}
				_, _ = hash.Write(encoded) // never fails
			}
			return nil
		})
		if err != nil {
			return sum, err
		}
		sum.Rows += int64(p.rows)
		progress(sum.Rows)
		if p.rows < limit {
			hash.Sum(sum.SHA256[:0])
			return sum, nil
		}
		after = p.key(t)
	}
}

// appendValue encodes a value: a letter for its kind, then eight bytes of a number, or of a length and what is so long.
func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(b, 'n'), nil
	case int64:
		return binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v)), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(v)), nil
	case string:
		return append(binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v))), v...), nil
	case []byte:
		return append(binary.BigEndian.AppendUint64(append(b, 'b'), uint64(len(v))), v...), nil
	}
	return nil, fmt.Errorf("a value is read as %T", value)
}
