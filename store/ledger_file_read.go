package store

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// logBatch is a batch of the log.
type logBatch struct {
	seq   int64
	bytes []byte
}

// after returns the batches after a number, in their order. It fails with errLogOther if one before them is missing, and with
// errLogIncomplete if one stands behind what cannot be read: a batch is written once the one before it is on the disk.
func (f *logFile) after(seq int64) ([]logBatch, error) {
	if f.file == nil {
		return nil, nil
	}
	if err := readDisk(f.file); err != nil {
		return nil, err
	}
	highest, err := f.above(seq) // before the others: a server may go on meanwhile
	if err != nil {
		return nil, err
	}
	var batches []logBatch
	if err := f.batches(func(b logBatch) {
		if b.seq > seq {
			batches = append(batches, logBatch{b.seq, slices.Clone(b.bytes)})
		}
	}); err != nil {
		return nil, err
	}
	slices.SortFunc(batches, func(a, b logBatch) int { return cmp.Compare(a.seq, b.seq) })
	for i := range batches {
		if batches[i].seq != seq+1+int64(i) {
			return nil, fmt.Errorf("%s: %w", f.path, errLogOther)
		}
	}
	if highest > seq+int64(len(batches)) {
		return nil, fmt.Errorf("%s: %w", f.path, errLogIncomplete)
	}
	if len(batches) > 0 {
		mine, err := f.mine()
		if err != nil {
			return nil, err
		}
		if !mine {
			return nil, fmt.Errorf("%s: %w", f.path, errLogOther)
		}
	}
	return batches, nil
}

// last is the number of the last batch that is there, also behind what cannot be read; zero if there is none.
func (f *logFile) last() (seq int64, err error) {
	if f.file == nil {
		return 0, nil
	}
	err = f.locked(func() error { // and not while a server writes
		err := f.batches(func(b logBatch) { seq = max(seq, b.seq) })
		if err != nil {
			return err
		}
		behind, err := f.above(seq)
		seq = max(seq, behind)
		return err
	})
	return seq, err
}

// above returns the highest number above seq that a batch has, wherever it stands; zero if there is none.
func (f *logFile) above(seq int64) (highest int64, err error) {
	chunk := make([]byte, 64<<10)
	for at := int64(logHeader); at < logSize; at += int64(len(chunk)) {
		n, err := f.file.ReadAt(chunk, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i := 0; i+logFrame <= n; i += logBlock {
			if number := int64(binary.LittleEndian.Uint64(chunk[i+8:])); number <= max(seq, highest) || number > seq+logMostAhead {
				continue
			}
			b, err := f.readBatch(io.NewSectionReader(f.file, at+int64(i), logHalf-(at+int64(i)-logHeader)%logHalf))
			if err != nil {
				return 0, err
			}
			highest = max(highest, b.seq)
		}
	}
	return highest, nil
}

// batches reads both halves, each up to what is none of its batches: those that were there before have lower numbers. do keeps no bytes.
func (f *logFile) batches(do func(logBatch)) error {
	if err := readDisk(f.file); err != nil {
		return err
	}
	r := bufio.NewReaderSize(nil, 64<<10)
	for half := range int64(2) {
		r.Reset(io.NewSectionReader(f.file, logHeader+half*logHalf, logHalf))
		for last := int64(0); ; {
			b, err := f.readBatch(r)
			if err != nil {
				return err
			}
			if b.seq == 0 || last > 0 && b.seq != last+1 {
				break
			}
			last = b.seq
			do(b)
		}
	}
	return nil
}

// readBatch returns a number of zero where there is no whole batch, and otherwise bytes that the next call overwrites.
func (f *logFile) readBatch(r io.Reader) (b logBatch, err error) {
	f.frame = slices.Grow(f.frame[:0], logFrame)[:logFrame]
	if _, err := io.ReadFull(r, f.frame); err != nil {
		return b, atEnd(err)
	}
	n := binary.LittleEndian.Uint32(f.frame[4:])
	if n == 0 || n > logHalf-logFrame {
		return b, nil
	}
	f.frame = slices.Grow(f.frame, int(n))[:logFrame+n]
	if _, err := io.ReadFull(r, f.frame[logFrame:]); err != nil {
		return b, atEnd(err)
	}
	if crc32.Checksum(f.frame[4:], crc32c) != binary.LittleEndian.Uint32(f.frame) {
		return b, nil
	}
	return logBatch{int64(binary.LittleEndian.Uint64(f.frame[8:])), f.frame[logFrame:]}, nil
}

func atEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
