-- +goose Up

CREATE INDEX assistants_bytes ON assistants (account_id, bytes);
