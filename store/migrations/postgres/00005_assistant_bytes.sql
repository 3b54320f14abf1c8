-- +goose Up
SET LOCAL lock_timeout = '1s';

-- bytes is what the texts of an assistant's versions have, in UTF-8 (store/storage.go). A binary before this one leaves it as it is.
ALTER TABLE assistants ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
UPDATE assistants SET bytes = s.bytes FROM (
    SELECT assistant_id, SUM(octet_length(note) + octet_length(name) + octet_length(model) + octet_length(description)
        + octet_length(category) + octet_length(coalesce(response_format, '')) + octet_length(coalesce(variables, ''))
        + octet_length(coalesce(metadata, '')) + octet_length(instructions)) AS bytes
    FROM assistant_versions GROUP BY assistant_id
) AS s WHERE s.assistant_id = assistants.id;
CREATE INDEX assistants_bytes ON assistants (account_id, bytes);
