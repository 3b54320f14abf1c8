package store

import "fmt"

// logSync makes what was written to SQLite's write-ahead log durable, between a commit and its acknowledgement, where that
// costs less than SQLite's own sync in the commit. The writer alone uses it.
type logSync interface {
	// sync returns once the log is on the disk.
	sync() error
	close() error
}

// durable returns once what was committed is on the disk. After an error nobody knows what is, and the kernel may not say it
// twice: nothing is acknowledged or written any more, until another process reads what is there.
func (e *sqliteEngine) durable() error {
	if e.sync == nil {
		return nil
	}
	err := e.sync.sync()
	if err == nil {
		return nil
	}
	e.failed = fmt.Errorf("the disk did not confirm what was written to %s-wal: %w", e.path, err)
	e.store.opts.Logger.Error("nothing is written any more until this server starts again", "error", e.failed)
	if f := e.store.opts.OnDiskFailed; f != nil {
		f()
	}
	return e.failed
}
