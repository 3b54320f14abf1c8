package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/elumenta/elumenta/store/migrations"
	"github.com/pressly/goose/v3"
)

// notMoved are the tables whose rows a transfer leaves behind: they say what the database itself is, or who is at work on
// it or signed in; the ledger's log and the batches of usage notes are empty by then. settings is moved last, by itself.
var notMoved = []string{ //nolint:gochecknoglobals // a constant
	"goose_db_version", "ledger_applied", "ledger_log", "migration_lock", "nodes", "schema_info", "sessions", "settings", "sign_in_links", "usage_batches",
}

// table is one whose rows are moved.
type table struct {
	name    string
	columns []string
	key     []int // which columns are the primary key, in its order
}

// schema is what the migrations of this binary make.
type schema struct {
	version int64 // the newest migration
	tables  []table
}

// readSchema runs the migrations on an empty database, so that no table of theirs can be forgotten.
func readSchema(ctx context.Context) (*schema, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1) // another connection would have another database
	provider, err := newProvider(goose.DialectSQLite3, db, migrations.SQLite())
	if err != nil {
		return nil, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return nil, err
	}
	s := &schema{}
	if s.version, err = provider.GetDBVersion(ctx); err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT t.name, c.name, c.pk FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY t.rowid, c.cid`)
	if err != nil {
		return nil, err
	}
	keys := map[string]map[int]int{} // by table: place in the key to column
	err = each(rows, func() error {
		var name, column string
		var place int
		if err := rows.Scan(&name, &column, &place); err != nil || slices.Contains(notMoved, name) {
			return err
		}
		if len(s.tables) == 0 || s.tables[len(s.tables)-1].name != name {
			s.tables = append(s.tables, table{name: name})
			keys[name] = map[int]int{}
		}
		t := &s.tables[len(s.tables)-1]
		if place > 0 {
			keys[name][place] = len(t.columns)
		}
		t.columns = append(t.columns, column)
		return nil
	})
	for i := range s.tables {
		t := &s.tables[i]
		for place := range len(keys[t.name]) {
			t.key = append(t.key, keys[t.name][place+1])
		}
		if len(t.key) == 0 && err == nil {
			err = fmt.Errorf("the table %s has no primary key", t.name)
		}
	}
	return s, err
}

func (t *table) keyColumns() []string {
	names := make([]string, len(t.key))
	for i, column := range t.key {
		names[i] = t.columns[column]
	}
	return names
}

// selectPage reads rows in the order of the primary key, all or those behind a key. Both engines order text by its bytes.
func (t *table) selectPage(behind bool) string {
	key := strings.Join(t.keyColumns(), ", ")
	where := ""
	if behind {
		where = " WHERE (" + key + ") > (" + placeholders(1, len(t.key)) + ")"
	}
	return "SELECT " + strings.Join(t.columns, ", ") + " FROM " + t.name + where + " ORDER BY " + key + " LIMIT "
}

// selectLastKey reads the greatest primary key.
func (t *table) selectLastKey() string {
	key := t.keyColumns()
	return "SELECT " + strings.Join(key, ", ") + " FROM " + t.name + " ORDER BY " + strings.Join(key, " DESC, ") + " DESC LIMIT 1"
}

func (t *table) insert() string {
	return "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES (" + placeholders(1, len(t.columns)) + ")"
}
