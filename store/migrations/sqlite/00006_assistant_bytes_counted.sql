-- +goose Up

-- By itself: the one before locks the table, and this reads every version, though none of the long texts.
UPDATE assistants SET bytes = s.bytes FROM (
    SELECT assistant_id, SUM(octet_length(note) + octet_length(name) + octet_length(model) + octet_length(description)
        + octet_length(category) + octet_length(coalesce(response_format, '')) + octet_length(coalesce(variables, ''))
        + octet_length(coalesce(metadata, '')) + octet_length(instructions)) AS bytes
    FROM assistant_versions GROUP BY assistant_id
) AS s WHERE s.assistant_id = assistants.id;
