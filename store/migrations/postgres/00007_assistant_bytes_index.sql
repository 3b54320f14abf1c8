-- +goose Up
SET LOCAL lock_timeout = '1s';

CREATE INDEX assistants_bytes ON assistants (account_id, bytes);
