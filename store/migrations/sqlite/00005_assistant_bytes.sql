-- +goose Up

-- bytes is what the texts of an assistant's versions have, in UTF-8 (store/storage.go). A binary before this one leaves it as it is.
ALTER TABLE assistants ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE assistants SET bytes = s.bytes FROM (
    SELECT assistant_id, SUM(length(CAST(note AS BLOB)) + length(CAST(name AS BLOB)) + length(CAST(model AS BLOB)) + length(CAST(description AS BLOB))
        + length(CAST(category AS BLOB)) + length(CAST(coalesce(response_format, '') AS BLOB)) + length(CAST(coalesce(variables, '') AS BLOB))
        + length(CAST(coalesce(metadata, '') AS BLOB)) + length(CAST(instructions AS BLOB))) AS bytes
    FROM assistant_versions GROUP BY assistant_id
) AS s WHERE s.assistant_id = assistants.id;
CREATE INDEX assistants_bytes ON assistants (account_id, bytes);
