-- +goose Up

-- bytes is what the texts of an assistant's versions have, in UTF-8 (store/storage.go). A binary before this one leaves it as it is.
ALTER TABLE assistants ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
