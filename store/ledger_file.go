package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// The file of the ledger's log is a header and two halves. A server appends to one half until the batches of the other are in the
// tables, durably, and then begins that one anew. A batch is a checksum (CRC-32C) of what follows, its length, its number and its
// bytes, with zeros after them up to the next block; numbers rise by one. All are little-endian.
const (
	logMagic       = "Elumenta ledger\x01" // the last byte is the format's version
	logAnnouncedAt = int64(len(logMagic) + len(databaseID{}))
	logHeader      = 4096
	logHalf        = 4 << 20
	logFrame       = 16
	logBlock       = 512 // a batch begins at a multiple of it
	logSize        = logHeader + 2*logHalf
	logMostAhead   = 1 << 32 // no number is so far above another one of the file
)

var (
	errLogFull  = errors.New("the ledger's log is full")
	errLogOther = errors.New("it has what was acknowledged for another database or for another state of this one, or it is damaged: put back the database that belongs to it, or put an empty file in its place to do without")
	errLogGone  = errors.New("it is missing, and has what was acknowledged last: put it back, or make an empty file of that name to do without")
	// errLogIncomplete says that something is missing of what was written.
	errLogIncomplete = errors.New("it is damaged, and has what was acknowledged last: put back a whole one, or put an empty file in its place to do without")
	// errLogUnsure says that a batch may be in the log, or not.
	errLogUnsure = errors.New("the ledger's log may have it, or not")
	crc32c       = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // a constant
)

// databaseID tells databases apart, so that none takes the log of another.
type databaseID [16]byte

// logFile is the file of the ledger's log. One goroutine uses it.
type logFile struct {
	path      string
	id        databaseID
	file      *os.File  // nil where there is none
	writer    logWriter // a server's; nil: the file is written and then synced
	announced uint64    // how often commands changed the database, when this process asked last
	half      int64     // which one the next batch goes to
	at        int64     // and where in it
	owed      int64     // number of the last batch of the other, which must be in the tables before that one is used
	frame     []byte
	scratch   [8]byte
	exclusive bool // nobody else uses the database
	emptied   bool // it had nothing, though it should: somebody does without what was acknowledged last
}

func logPath(database string) string { return database + "-ledger" }

// serve makes the file, or takes what an earlier server left, which must be there if logged. No other server has it.
func (f *logFile) serve(logged bool) (err error) {
	if err := f.find(logged); err != nil {
		return err
	}
	f.emptied = logged
	if f.file == nil {
		if f.file, err = os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return err
		}
		defer func() {
			if err != nil { // or it would fill a disk that has no room for it
				err = errors.Join(err, f.close(), os.Remove(f.path))
			}
		}()
		if err = giveOwner(filepath.Dir(f.path), f.path); err != nil { // as the database's
			return err
		}
	}
	return f.prepare()
}

// writeDirectly has batches written past the page cache from now on, where the system can do that. What is in the log is lost.
func (f *logFile) writeDirectly() error {
	f.writer = newLogWriter(f.path, logHeader)
	if f.writer == nil {
		return nil
	}
	return readSingly(f.file)
}

// header is how the file of this database begins.
func (f *logFile) header() []byte { return append([]byte(logMagic), f.id[:]...) }

// mine reports whether the file is this database's.
func (f *logFile) mine() (bool, error) {
	header := make([]byte, logAnnouncedAt)
	if _, err := f.file.ReadAt(header, 0); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return bytes.Equal(header, f.header()), nil
}

// prepare writes the header of a file that has none of this database's.
func (f *logFile) prepare() error {
	return f.locked(func() error {
		if mine, err := f.mine(); mine || err != nil {
			f.emptied = f.emptied && !mine
			return err
		}
		some := false
		if err := f.batches(func(logBatch) { some = true }); err != nil || some {
			return cmp.Or(err, fmt.Errorf("%s: %w", f.path, errLogOther))
		}
		// What has room on the disk already lacks none later, unless the file system writes elsewhere (btrfs, ZFS), and syncs sooner.
		zeros := make([]byte, logSize)
		if _, err := f.file.WriteAt(zeros, 0); err != nil {
			return err
		}
		if err := f.file.Sync(); err != nil {
			return err
		}
		if _, err := f.file.WriteAt(f.header(), 0); err != nil {
			return err
		}
		return errors.Join(f.file.Sync(), syncDirectory(filepath.Dir(f.path)))
	})
}

// find opens the file, if there is one by now. It fails with errLogGone if there is none and logged says that there must be, and with
// errLogIncomplete if its end is missing.
func (f *logFile) find(logged bool) error {
	if f.file != nil {
		return nil
	}
	file, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		if logged {
			return fmt.Errorf("%s: %w", f.path, errLogGone)
		}
		return nil
	}
	if err != nil {
		return err
	}
	magic := make([]byte, len(logMagic))
	n, err := file.ReadAt(magic, 0)
	size, statErr := file.Stat()
	switch {
	case err != nil && !errors.Is(err, io.EOF), statErr != nil:
		return errors.Join(err, statErr, file.Close())
	case string(magic[:n]) == logMagic && size.Size() < logSize: // the header is written last
		return errors.Join(fmt.Errorf("%s: %w", f.path, errLogIncomplete), file.Close())
	}
	f.file = file
	return nil
}

// locked runs what must not be done while another process does it.
func (f *logFile) locked(do func() error) error {
	if err := f.lock(lockWait); err != nil {
		return err
	}
	return errors.Join(do(), f.unlock())
}

func (f *logFile) lock(wait time.Duration) error {
	ok, err := tryLock(f.file)
	for deadline := time.Now().Add(wait); !ok && err == nil; ok, err = tryLock(f.file) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is locked by another process", f.path)
		}
		<-time.After(time.Millisecond)
	}
	return err
}

func (f *logFile) unlock() error { return unlock(f.file) }

// announce says that a command is about to change the database. The command has SQLite's lock, and no server logs anything
// from now on until it has had that lock.
func (f *logFile) announce() error {
	if f.file == nil || f.exclusive {
		return nil
	}
	return f.locked(func() error {
		n, err := f.readAnnounced()
		if err != nil {
			return err
		}
		_, err = f.file.WriteAt(binary.LittleEndian.AppendUint64(nil, n+1), logAnnouncedAt)
		return err
	})
}

func (f *logFile) readAnnounced() (uint64, error) {
	b := f.scratch[:]
	if _, err := f.file.ReadAt(b, logAnnouncedAt); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// newlyAnnounced reports whether a command has changed the database, or is about to, since this was asked last.
func (f *logFile) newlyAnnounced() (bool, error) {
	if f.file == nil {
		return false, nil
	}
	before := f.announced
	var err error
	f.announced, err = f.readAnnounced()
	return f.announced != before, err
}

func (f *logFile) buffer(n int) []byte {
	if f.writer != nil {
		return f.writer.buffer(n)
	}
	n = (n + logBlock - 1) / logBlock * logBlock
	f.frame = slices.Grow(f.frame[:0], n)[:n]
	clear(f.frame)
	return f.frame
}

// append writes a batch, which is durable once sync has returned. It fails with errLogFull where half or disk has no room. After any other
// error than errLogUnsure the batch is not in the log, if its number is used again or passed over.
func (f *logFile) append(seq int64, batch []byte) error {
	frame := f.buffer(logFrame + len(batch))
	if f.at+int64(len(frame)) > logHalf {
		return errLogFull
	}
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)-logFrame))
	binary.LittleEndian.PutUint64(frame[8:], uint64(seq))
	copy(frame[logFrame:], batch)
	binary.LittleEndian.PutUint32(frame, crc32.Checksum(frame[4:], crc32c))
	at := logHeader + f.half*logHalf + f.at
	if err := f.write(frame, at); errors.Is(err, errLogUnsure) && f.refused(err, seq, at) {
		return errLogFull
	} else if err != nil {
		return err
	}
	f.at += int64(len(frame))
	return nil
}

func (f *logFile) write(frame []byte, at int64) error {
	if f.writer != nil {
		return f.writer.write(frame, at)
	}
	_, err := f.file.WriteAt(frame, at)
	if err != nil {
		if _, scrubbed := f.file.WriteAt(make([]byte, logFrame), at); scrubbed != nil {
			return logUnsure(err, scrubbed)
		}
	}
	return err
}

// logUnsure is errLogUnsure after a write and zeros in its place have failed. It is a failure of the write's kind.
func logUnsure(err, scrubbed error) error {
	return fmt.Errorf("%w: %w, and zeros: %s", errLogUnsure, err, scrubbed.Error())
}

// refused reports whether a full disk, which had no room for zeros either, left what was there before.
func (f *logFile) refused(err error, seq, at int64) bool {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) || readDisk(f.file) != nil {
		return false
	}
	var head [logFrame]byte
	_, err = f.file.ReadAt(head[:], at)
	return err == nil && binary.LittleEndian.Uint64(head[8:]) != uint64(seq)
}

// room reports whether a batch of so many operations fits, if none is unusually long, and whether the other half is needed soon. It goes
// on there in time: durable is the number of the last batch that is in the tables durably, and last that of the last batch here.
func (f *logFile) room(ops int, durable, last int64) (fits, urgent bool) {
	free := f.owed <= durable
	if free && f.at > logHalf/4 {
		f.half, f.at, f.owed = 1-f.half, 0, last
	}
	return f.at+int64(ops)*512 < logHalf, !free && f.at > logHalf/4*3
}

func (f *logFile) sync() error {
	if f.writer != nil {
		return nil // it did
	}
	return f.file.Sync()
}

// restart begins anew where all batches are in the tables durably.
func (f *logFile) restart() { f.half, f.at, f.owed = 0, 0, 0 }

// empty takes the batches away, all of which are in the tables, so that another database may have the file.
func (f *logFile) empty() error {
	if f.file == nil {
		return nil
	}
	return f.locked(func() error {
		_, err := f.file.WriteAt(make([]byte, 2*logHalf), logHeader)
		return err
	})
}

func (f *logFile) close() error {
	var err error
	if f.writer != nil {
		err = f.writer.close()
	}
	if f.file != nil {
		err = errors.Join(err, f.file.Close())
		f.file = nil
	}
	return err
}
