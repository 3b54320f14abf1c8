-- +goose Up
SET LOCAL lock_timeout = '1s';

-- Both engines have the same migrations. Notes come in batches on SQLite alone.
CREATE VIEW usage_notes AS SELECT account_id, generation_id, correction FROM usage_pending;
