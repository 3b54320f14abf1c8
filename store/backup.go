package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Contents say what a database file holds.
type Contents struct {
	Accounts, Assistants, Generations int64
	// NewestGeneration is when the newest generation began; zero if there is none.
	NewestGeneration time.Time
	// Bytes is the file's size.
	Bytes int64
}

// watchInterval is how often progress is told of work that SQLite does in one go.
const watchInterval = 200 * time.Millisecond

// Backup writes the SQLite database that url names, as it is at one moment, to a new file for its owner alone. Servers and commands may
// go on using the database; they wait at its beginning alone, as for a command that changes something. The file holds only what the
// database does, and nothing of what was deleted. An existing file is replaced if force is set. progress, if not nil, is told how many
// bytes are written of about how many. With an error there is no new file, and an old one is as it was.
func Backup(ctx context.Context, url, file string, force bool, progress func(done, all int64)) (*Contents, error) {
	path, err := databaseFile(url)
	if err != nil {
		return nil, err
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, fmt.Errorf("backup file: %w", err)
	}
	if err := mayWrite(file, path, force); err != nil {
		return nil, err
	}
	temp, err := newTemp(file)
	if err != nil {
		return nil, sqliteError("write the backup "+file, err)
	}
	defer removeTemp(temp)
	// Where the database cannot be written, the copy is given what it lacks.
	behind := bringUpFile(ctx, path, path)
	if errors.Is(behind, errLogOther) || errors.Is(behind, errLogGone) || errors.Is(behind, errLogIncomplete) {
		return nil, backupError(path, file, behind)
	}
	if err := vacuumInto(ctx, path, temp, progress); err != nil {
		return nil, backupError(path, file, err)
	}
	switch err := bringUpFile(ctx, temp, path); {
	case err == nil:
	case !errors.Is(err, errLogOther) && !errors.Is(err, errLogIncomplete):
		return nil, sqliteError("write the backup "+file, err)
	case behind != nil: // the database went on while it was copied, and the copy may lack what was there before
		return nil, backupError(path, file, behind)
	}
	if err := detachLog(ctx, temp, true); err != nil {
		return nil, sqliteError("write the backup "+file, err)
	}
	if err := syncFile(temp); err != nil {
		return nil, sqliteError("write the backup "+file, err)
	}
	contents, err := inspect(ctx, temp)
	if err != nil {
		return nil, fmt.Errorf("check the backup: %w", err)
	}
	if err := mayWrite(file, path, force); err != nil { // somebody may have made it meanwhile
		return nil, err
	}
	if err := os.Rename(temp, file); err != nil {
		return nil, sqliteError("write the backup "+file, err)
	}
	return contents, sqliteError("write the backup "+file, syncDirectory(filepath.Dir(file)))
}

// databaseFile is the existing file that url names, with symbolic links resolved: its log stands beside the file itself.
func databaseFile(url string) (string, error) {
	rest, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return "", errors.New("the database must be sqlite:PATH")
	}
	path, err := sqlitePath(rest)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no database %s", path)
	}
	return resolved, sqliteOpenError(path, err)
}

// mayWrite refuses to replace what must not be: the database itself, its companions, or anything without force.
func mayWrite(file, database string, force bool) error {
	old, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Lstat(file) // a link to nothing is something
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	if err != nil {
		return sqliteError("write "+file, err)
	}
	if old == nil || !old.Mode().IsRegular() {
		return fmt.Errorf("%s is not an ordinary file: name another", file)
	}
	for _, end := range []string{"", "-wal", "-shm", "-journal", "-ledger", ".lock"} {
		if own, err := os.Stat(database + end); err == nil && os.SameFile(own, old) {
			return fmt.Errorf("%s belongs to the database itself: name another file", file)
		}
	}
	if !force {
		return fmt.Errorf("%s exists: name another file, or give --force to replace it", file)
	}
	return nil
}

// newTemp makes an empty file beside another, for its owner alone.
func newTemp(file string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.tmp")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

func removeTemp(temp string) {
	_ = os.Remove(temp) // gone already where all went well
	_ = os.Remove(temp + "-journal")
}

// vacuumInto has SQLite write the rows anew, as of one snapshot. Copying pages would be a little quicker, but pages may
// hold remains of rows that were moved and then deleted, and the copy would be one with a write-ahead log.
func vacuumInto(ctx context.Context, path, temp string, progress func(done, all int64)) error {
	db, err := sql.Open("sqlite", readDSN(path))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if err := checkUsable(ctx, db); err != nil {
		return err
	}
	var bytes int64
	if err := db.QueryRowContext(ctx, `SELECT (p.page_count - f.freelist_count) * s.page_size
		FROM pragma_page_count AS p, pragma_freelist_count AS f, pragma_page_size AS s`).Scan(&bytes); err != nil {
		return err
	}
	defer watchSize(temp, bytes, progress)()
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, temp)
	return err
}

// bringUpFile writes what the ledger's log of a database has into the tables of that database, or of a copy that nobody else uses. In one
// of an earlier version it stays for the server that is started on it.
func bringUpFile(ctx context.Context, file, database string) (err error) {
	db, err := sql.Open("sqlite", readDSN(file))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	one, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	c := newConn(one)
	defer func() { err = errors.Join(err, c.close()) }()
	if err := checkUsable(ctx, c); err != nil {
		return err
	}
	if n, err := c.readInt(`SELECT count(*) FROM sqlite_schema WHERE name = 'ledger_applied'`); err != nil || n == 0 {
		return err
	}
	if n, err := c.readInt(`SELECT logged + EXISTS (SELECT 1 FROM ledger_log) FROM ledger_applied`); err != nil || n == 0 {
		return err
	}
	if err := errors.Join(c.exec(`PRAGMA secure_delete = on`), c.exec(`BEGIN IMMEDIATE`)); err != nil {
		return err
	}
	log := &logFile{path: logPath(database), exclusive: file != database}
	defer func() { err = errors.Join(err, log.close()) }()
	l := newSQLiteLedger(slog.New(slog.DiscardHandler), log)
	err = l.bringUp(ctx, c)
	if err == nil {
		err = l.assignSeq(c)
	}
	if err != nil {
		return errors.Join(err, c.exec(`ROLLBACK`))
	}
	return c.exec(`COMMIT`)
}

// detachLog makes a copy a database of its own that has no log: with the original's id it would take that one's. evenLogged says that it
// lacks nothing that the original's log has.
func detachLog(ctx context.Context, file string, evenLogged bool) error {
	db, err := sql.Open("sqlite", readDSN(file))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `UPDATE ledger_applied SET logged = 0, database = randomblob(16) WHERE ? OR logged = 0`, evenLogged)
	if missingTable(err) { // of an earlier version
		err = nil
	}
	return errors.Join(err, db.Close())
}

// watchSize tells the growth of a file until the returned function is called.
func watchSize(path string, all int64, progress func(done, all int64)) (stop func()) {
	if progress == nil {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(watchInterval)
		defer ticker.Stop()
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
				if info, err := os.Stat(path); err == nil {
					progress(min(info.Size(), all), all)
				}
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

func backupError(path, file string, err error) error {
	if code := sqliteCode(err); code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB || errors.Is(err, errForeign) {
		return sqliteOpenError(path, err)
	}
	return sqliteError("write the backup "+file, err)
}

func sqliteCode(err error) int {
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() & 0xff
	}
	return sqlite3.SQLITE_OK
}

func fileDSN(path string, query url.Values) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String()
}

// readDSN opens a file that others may write, and makes none.
func readDSN(path string) string {
	return fileDSN(path, url.Values{"mode": {"rw"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", lockWait.Milliseconds()), "trusted_schema(off)"}})
}

// openResting opens a file that nobody writes, for reading alone.
func openResting(path string) (*sql.DB, error) {
	return sql.Open("sqlite", fileDSN(path, url.Values{"mode": {"ro"}, "immutable": {"1"}, "_pragma": {"trusted_schema(off)", "cell_size_check(on)", "query_only(on)"}}))
}

var errForeign = errors.New("it is not a database of Elumenta")

// checkUsable refuses what is not a database of ours, or not one that this binary may use.
func checkUsable(ctx context.Context, q querier) error {
	var oldest int64
	err := q.QueryRowContext(ctx, `SELECT oldest_binary FROM schema_info`).Scan(&oldest)
	if err == nil && oldest > SchemaNumber {
		return tooOld(oldest)
	}
	var secrets, unfinished int
	if err == nil {
		err = q.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM settings WHERE name = 'installation_secret'),
			(SELECT count(*) FROM settings WHERE name = '`+transferSetting+`')`).Scan(&secrets, &unfinished)
	}
	switch {
	case sqliteCode(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no such "): // table or column
		return errForeign
	case sqliteCode(err) == sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the file is damaged: %w", err)
	case err == nil && unfinished > 0:
		return errUnfinished
	case err == nil && secrets == 0:
		return errForeign
	}
	return err
}

// inspect checks a file that nobody writes from its first page to its last, and says what it holds.
func inspect(ctx context.Context, path string) (*Contents, error) {
	db, err := openResting(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	if err := checkUsable(ctx, db); err != nil {
		return nil, err
	}
	var verdict string
	err = db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict)
	switch {
	case sqliteCode(err) == sqlite3.SQLITE_CORRUPT:
		return nil, fmt.Errorf("the file is damaged: %w", err)
	case err != nil:
		return nil, err
	case verdict != "ok":
		return nil, fmt.Errorf("the file is damaged: %s", verdict)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	contents := &Contents{Bytes: info.Size()}
	err = db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM assistants),
		(SELECT count(*) FROM generations), (SELECT coalesce(max(created_at), 0) FROM generations)`).
		Scan(&contents.Accounts, &contents.Assistants, &contents.Generations, storedTime{&contents.NewestGeneration})
	return contents, err
}

// syncFile makes what was written to a file durable.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // a file that we made
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncDirectory makes a directory's names durable, where the system can be asked to.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the path
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
