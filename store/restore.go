package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Restored says what Restore did.
type Restored struct {
	*Contents
	// Path is the database's file, and Kept the one that has what was there before; Kept is empty if there was nothing.
	Path, Kept string
}

// Restore makes a copy of a backup the SQLite database that url names, once it is sure that file is whole and that this
// binary may use it. No server may use the database meanwhile. What is there already is replaced only if force is set, and
// kept beside it. progress, if not nil, is told how many bytes are copied of how many. With an error nothing was changed.
func Restore(ctx context.Context, file, url string, force bool, progress func(done, all int64)) (_ *Restored, err error) {
	rest, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return nil, errors.New("a backup is restored to sqlite:PATH")
	}
	path, err := sqlitePath(rest)
	if err != nil {
		return nil, err
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, fmt.Errorf("backup file: %w", err)
	}
	if err := glance(ctx, file, path); err != nil {
		return nil, fmt.Errorf("the backup %s cannot be restored: %w", file, err)
	}
	if err := mayReplace(path, force); err != nil {
		return nil, err
	}
	lock := newLock(path)
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := takeLock(ctx, lock, path); err != nil {
		return nil, err
	}
	if err := mayReplace(path, force); err != nil { // a server may have made it before it ended
		return nil, err
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved // its log stands beside the file itself
	}
	temp, err := newTemp(path)
	if err != nil {
		return nil, sqliteError("restore "+path, err)
	}
	defer removeTemp(temp)
	if err := copyFile(ctx, file, temp, progress); err != nil {
		return nil, sqliteError("restore "+path, err)
	}
	if err := giveOwner(path, temp, lock.Path()); err != nil {
		return nil, sqliteError("restore "+path, err)
	}
	contents, err := inspect(ctx, temp)
	if err != nil {
		return nil, fmt.Errorf("the backup %s cannot be restored: %w", file, err)
	}
	// What was copied without Backup may need the original's log.
	if err := detachLog(ctx, temp, false); err != nil {
		return nil, sqliteError("restore "+path, err)
	}
	kept, err := putInPlace(temp, path)
	if err != nil {
		return nil, sqliteError("restore "+path, err)
	}
	return &Restored{Contents: contents, Path: path, Kept: kept}, nil
}

// glance finds what is wrong with a backup as far as a few reads show, before anything is locked or copied.
func glance(ctx context.Context, file, path string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is not an ordinary file")
	}
	if old, err := os.Stat(path); err == nil && os.SameFile(info, old) {
		return errors.New("it is the database itself")
	}
	if log, err := os.Stat(file + "-wal"); err == nil && log.Size() > 0 {
		return errors.New("a write-ahead log stands beside it, so that it is a database in use: make a backup of it with elumenta backup")
	}
	if err := whole(file, info.Size()); err != nil {
		return err
	}
	log := &logFile{path: logPath(file)}
	if err := log.find(false); err != nil {
		return err
	}
	last, err := log.last()
	if err := errors.Join(err, log.close()); err != nil {
		return err
	}
	if last > 0 {
		return errors.New("a ledger's log stands beside it, so that it is a database in use: make a backup of it with elumenta backup")
	}
	db, err := openResting(file)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return checkUsable(ctx, db)
}

// whole compares a file's size with what its header says (https://www.sqlite.org/fileformat.html#the_database_header).
func whole(file string, size int64) error {
	f, err := os.Open(file) //nolint:gosec // the operator names the path
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	header := make([]byte, 100)
	if _, err := io.ReadFull(f, header); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if string(header[:16]) != "SQLite format 3\x00" {
		return errors.New("it is not a SQLite database")
	}
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 65536
	}
	if should := page * int64(binary.BigEndian.Uint32(header[28:])); size < should {
		return fmt.Errorf("it is truncated: it has %d bytes of %d", size, should)
	}
	return nil
}

// mayReplace refuses to replace a database, or the log of one, without force.
func mayReplace(path string, force bool) error {
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return sqliteOpenError(path, err)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is not an ordinary file: name another", name)
		case info.Size() > 0 && !force:
			return fmt.Errorf("%s exists: name another file, or give --force to replace it and keep it under another name", name)
		}
	}
	return nil
}

func copyFile(ctx context.Context, from, to string, progress func(done, all int64)) error {
	in, err := os.Open(from) //nolint:gosec // the operator names the path
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY, 0) //nolint:gosec // a file that we made
	if err != nil {
		return err
	}
	err = copyBlocks(ctx, out, in, info.Size(), progress)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

func copyBlocks(ctx context.Context, out io.Writer, in io.Reader, all int64, progress func(done, all int64)) error {
	const block = 8 << 20
	for done := int64(0); ; {
		n, err := io.CopyN(out, in, block)
		done += n
		if progress != nil {
			progress(done, all)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// putInPlace renames temp to path. What was there goes to another name first, with its logs: those that stay behind
// would be taken for the new file's.
func putInPlace(temp, path string) (kept string, err error) {
	name := path + ".before-restore-" + time.Now().UTC().Format("20060102T150405.000Z")
	var moved []string
	defer func() {
		if err != nil {
			for _, end := range moved {
				err = errors.Join(err, os.Rename(name+end, path+end))
			}
		}
	}()
	for _, end := range []string{"", "-wal", "-ledger"} {
		switch err := os.Rename(path+end, name+end); {
		case err == nil:
			moved, kept = append(moved, end), name
		case !errors.Is(err, os.ErrNotExist):
			return "", err
		}
	}
	// The log's index has nothing of its own.
	if err := os.Remove(path + "-shm"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if err := os.Rename(temp, path); err != nil {
		return "", err
	}
	return kept, syncDirectory(filepath.Dir(path))
}
