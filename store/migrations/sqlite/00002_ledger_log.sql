-- +goose Up

-- What the ledger decided and the tables accounts, generations, ledger_entries and usage_pending do not have yet: a row a commit
-- (store/ledger_log.go). Whoever reads or changes those tables applies it first, which a binary before this one would not.
CREATE TABLE ledger_log (
    seq   INTEGER PRIMARY KEY,
    batch BLOB NOT NULL
) STRICT;

UPDATE schema_info SET oldest_binary = 2;
