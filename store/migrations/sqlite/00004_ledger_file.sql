-- +goose Up

-- What tells this database from others, the number of the last batch of the ledger's log that the tables have (store/ledger_file.go), and
-- whether there may be more: not after a server that ended well.
-- The log is a file beside the database by now; ledger_log has what a server of an earlier version left.
CREATE TABLE ledger_applied (
    database BLOB NOT NULL CHECK (length(database) = 16),
    seq      INTEGER NOT NULL,
    logged   INTEGER NOT NULL CHECK (logged IN (0, 1))
) STRICT;
INSERT INTO ledger_applied VALUES (randomblob(16), 0, 0);

UPDATE schema_info SET oldest_binary = 4;
