-- +goose Up
SET LOCAL lock_timeout = '1s';

-- Both engines have the same migrations. The ledger's log is SQLite's alone.
SELECT 1;
