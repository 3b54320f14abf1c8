-- +goose Up
SET LOCAL lock_timeout = '1s';

-- bytes is what the texts of an assistant's versions have, in UTF-8 (store/storage.go). A binary before this one leaves it as it is.
ALTER TABLE assistants ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
