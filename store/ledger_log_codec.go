package store

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/elumenta/elumenta"
)

// A batch of the ledger's log is a byte with the format's version, then rows and a byte that ends them, which version 1 had not; anything
// may follow. A row is a byte with the kind, then a value for each of its columns. A value is a tag and what it says; a text that the
// batch has already is only named by its place among the texts.
const (
	logVersion byte = 2
	logEnd     byte = 255

	logNull   byte = 0
	logNumber byte = 1 // a signed varint
	logText   byte = 2 // its length as a varint, and its bytes
	logAgain  byte = 3 // a text's place, as a varint
	logBytes  byte = 4 // as logText
)

var errLogDamaged = errors.New("the ledger's log is damaged")

// logEncoder writes the rows of a batch.
type logEncoder struct {
	batch  []byte
	places map[string]uint64
}

func (e *logEncoder) reset() {
	e.batch = append(e.batch[:0], logVersion)
	clear(e.places)
}

func (e *logEncoder) end() { e.batch = append(e.batch, logEnd) }

func (e *logEncoder) row(kind byte, row arguments) {
	e.batch = append(e.batch, kind)
	for i := range row {
		e.value(row[i].Value)
	}
}

func (e *logEncoder) value(v driver.Value) {
	switch v := v.(type) {
	case nil:
		e.batch = append(e.batch, logNull)
	case int64:
		e.batch = binary.AppendVarint(append(e.batch, logNumber), v)
	case []byte:
		e.batch = binary.AppendUvarint(append(e.batch, logBytes), uint64(len(v)))
		e.batch = append(e.batch, v...)
	case string:
		if place, ok := e.places[v]; ok {
			e.batch = binary.AppendUvarint(append(e.batch, logAgain), place)
			return
		}
		e.places[v] = uint64(len(e.places))
		e.batch = binary.AppendUvarint(append(e.batch, logText), uint64(len(v)))
		e.batch = append(e.batch, v...)
	default:
		panic(fmt.Sprintf("a %T in a row of the ledger", v)) // statements have no such values
	}
}

// decodeLog passes each row of a batch to add, which may keep it. Its errors are errLogDamaged.
func decodeLog(batch []byte, add func(kind byte, row arguments)) error {
	if len(batch) == 0 || batch[0] == 0 || batch[0] > logVersion {
		return fmt.Errorf("%w: a format that this version does not know", errLogDamaged)
	}
	d := logDecoder{rest: batch[1:]}
	for len(d.rest) > 0 {
		kind := d.byte()
		if kind == logEnd {
			return nil
		}
		if int(kind) >= len(logColumns) {
			return fmt.Errorf("%w: a row of kind %d", errLogDamaged, kind)
		}
		row := make(arguments, logColumns[kind])
		for i := range row {
			row[i].Value = d.value()
		}
		if d.damaged {
			return errLogDamaged
		}
		if kind == logEntry && !slices.Contains(elumenta.EntryKinds(), elumenta.EntryKind(row.text(0))) {
			return fmt.Errorf("%w: an entry of kind %q, which this version does not know", errLogDamaged, row.text(0))
		}
		add(kind, row)
	}
	if batch[0] > 1 {
		return errLogDamaged
	}
	return nil
}

type logDecoder struct {
	rest    []byte
	texts   []string
	damaged bool
}

func (d *logDecoder) byte() byte {
	if len(d.rest) == 0 {
		d.damaged = true
		return logNull
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *logDecoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.rest)
	d.skip(size)
	return n
}

// skip leaves what a varint took, which is nothing where there is none.
func (d *logDecoder) skip(size int) {
	if size <= 0 {
		d.damaged = true
		return
	}
	d.rest = d.rest[size:]
}

func (d *logDecoder) bytes() []byte {
	n := d.uvarint()
	if d.damaged || n > uint64(len(d.rest)) {
		d.damaged = true
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *logDecoder) value() driver.Value {
	switch d.byte() {
	case logNull:
		return nil
	case logNumber:
		n, size := binary.Varint(d.rest)
		d.skip(size)
		return n
	case logText:
		text := string(d.bytes())
		d.texts = append(d.texts, text)
		return text
	case logAgain:
		if place := d.uvarint(); !d.damaged && place < uint64(len(d.texts)) {
			return d.texts[place]
		}
	case logBytes:
		return d.bytes()
	}
	d.damaged = true
	return nil
}
