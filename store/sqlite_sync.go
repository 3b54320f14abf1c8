package store

import "fmt"

// logSync makes what was written to SQLite's write-ahead log durable, between that and its acknowledgement, where it costs less than
// SQLite's own sync in a commit. One goroutine uses it at a time.
type logSync interface {
	// sync returns once the log is on the disk.
	sync() error
	// begin has the system write what a later sync would have to, and does not wait for it.
	begin()
	close() error
}

// logWriter writes to the file of the ledger's log, where that costs less than a write and a sync. One goroutine uses it at a time.
type logWriter interface {
	// buffer returns zeros: room for n bytes, and what is missing to a length that can be written.
	buffer(n int) []byte
	// write returns once what buffer returned is on the disk. After an error it is not there, unless that is errLogUnsure.
	write(frame []byte, at int64) error
	close() error
}

// durable returns once what was committed is on the disk.
func (e *sqliteEngine) durable() error {
	if e.sync == nil {
		return nil
	}
	if err := e.sync.sync(); err != nil {
		return e.diskFailed(e.path+"-wal", err)
	}
	return nil
}

// diskFailed follows a sync that failed. Nobody knows what is on the disk then, and the kernel may not say it twice: nothing is
// acknowledged or written any more, until another process reads what is there.
func (e *sqliteEngine) diskFailed(path string, err error) error {
	err = fmt.Errorf("the disk did not confirm what was written to %s: %w", path, err)
	if !e.failed.CompareAndSwap(nil, &err) {
		return *e.failed.Load()
	}
	e.store.opts.Logger.Error("nothing is written any more until this server starts again", "error", err)
	if f := e.store.opts.OnDiskFailed; f != nil {
		f()
	}
	return err
}
