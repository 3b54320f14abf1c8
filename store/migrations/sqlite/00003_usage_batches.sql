-- +goose Up

-- What the rollups do not have yet of generations that were settled together: pairs of an account's id and a generation's, as JSON. They
-- are rolled up, and removed, together. usage_pending has corrections, and what other engines and older versions noted one by one.
CREATE TABLE usage_batches (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never used again
    notes TEXT NOT NULL
) STRICT;

CREATE VIEW usage_notes (account_id, generation_id, correction) AS
    SELECT account_id, generation_id, correction FROM usage_pending
    UNION ALL
    SELECT n.value ->> 0, n.value ->> 1, 0 FROM usage_batches, json_each(notes) AS n;

UPDATE schema_info SET oldest_binary = 3;
