-- +goose Up

-- Assistants that are deleted and still have versions: more than one transaction should remove, so that a server removes them in many
-- (store/removal.go).
CREATE TABLE deleted_assistants (
    id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
