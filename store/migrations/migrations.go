// Package migrations holds the database schema, a set of goose migrations for each engine. They differ in types and
// table options only.
//
// Nodes of the version before go on serving while a new one migrates, and afterwards until they are replaced. A migration
// therefore only adds: tables, columns that have a default or may be null, indexes. What the new version no longer needs is
// removed by a migration of a later one, which raises schema_info.oldest_binary. On Postgres each migration is a transaction
// that starts with SET LOCAL lock_timeout: whoever needs a table queues behind a migration that waits for it, so that it must
// give up soon, and it is repeated. What takes long comes before what locks a table in use, or is a migration of its own.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// SQLite returns the migrations for SQLite.
func SQLite() fs.FS { return sub("sqlite") }

// Postgres returns the migrations for Postgres.
func Postgres() fs.FS { return sub("postgres") }

func sub(dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // dir is a constant
	}
	return f
}
