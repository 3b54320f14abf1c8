-- +goose Up

-- oldest_binary is the lowest schema number (store.SchemaNumber) of a binary that may use this schema.
CREATE TABLE schema_info (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    oldest_binary INTEGER NOT NULL
) STRICT;
INSERT INTO schema_info (one, oldest_binary) VALUES (1, 1);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Times are microseconds since 1970, UTC; 0 means never or none.
CREATE TABLE accounts (
    id               TEXT PRIMARY KEY,
    display_name     TEXT    NOT NULL,
    role             TEXT    NOT NULL,
    plan             TEXT    NOT NULL,
    plan_started     INTEGER NOT NULL,
    plan_expires     INTEGER NOT NULL DEFAULT 0,
    suspended_at     INTEGER NOT NULL DEFAULT 0,
    monthly          INTEGER NOT NULL DEFAULT 0 CHECK (monthly >= 0),
    topup            INTEGER NOT NULL DEFAULT 0 CHECK (topup >= 0),
    period_ends      INTEGER NOT NULL DEFAULT 0,
    rate_hour        INTEGER NOT NULL DEFAULT 0, -- Unix seconds, as rate_day
    rate_hour_count  INTEGER NOT NULL DEFAULT 0,
    rate_day         INTEGER NOT NULL DEFAULT 0,
    rate_day_count   INTEGER NOT NULL DEFAULT 0,
    open_generations INTEGER NOT NULL DEFAULT 0 CHECK (open_generations >= 0),
    entries          INTEGER NOT NULL DEFAULT 0, -- seq of the newest ledger entry
    once_granted     INTEGER NOT NULL DEFAULT 0, -- 1: the tokens that a plan gives once were given
    assistants       INTEGER NOT NULL DEFAULT 0 CHECK (assistants >= 0),
    keys             INTEGER NOT NULL DEFAULT 0 CHECK (keys >= 0),
    revision         INTEGER NOT NULL,
    created_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    id           TEXT PRIMARY KEY,
    account_id   TEXT    NOT NULL,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    name         TEXT    NOT NULL,
    prefix       TEXT    NOT NULL,
    revision     INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keys_hash ON keys (hash);
CREATE INDEX keys_account ON keys (account_id, id);

-- An assistant and its versions are led by the assistant's id: published ones are read by every account.
CREATE TABLE assistants (
    id              TEXT PRIMARY KEY,
    account_id      TEXT    NOT NULL,
    version         INTEGER NOT NULL,            -- the newest
    versions        INTEGER NOT NULL DEFAULT 1,  -- how many are saved
    published       INTEGER NOT NULL,            -- 0 or 1, as the other flags
    owner_suspended INTEGER NOT NULL DEFAULT 0,
    category        TEXT    NOT NULL,            -- the newest version's
    search_text     TEXT    NOT NULL,            -- name and description of the newest version, folded
    uses            INTEGER NOT NULL DEFAULT 0,
    revision        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX assistants_account ON assistants (account_id, id);
CREATE INDEX assistants_listed ON assistants (id) WHERE published = 1 AND owner_suspended = 0;
CREATE INDEX assistants_category ON assistants (category, id) WHERE published = 1 AND owner_suspended = 0;

-- instructions stand last: SQLite reads the columns before them without following their overflow pages.
CREATE TABLE assistant_versions (
    assistant_id    TEXT    NOT NULL,
    version         INTEGER NOT NULL,
    public          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    note            TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    model           TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    category        TEXT    NOT NULL,
    temperature     REAL,
    max_tokens      INTEGER,
    response_format TEXT,
    variables       TEXT,
    metadata        TEXT,
    instructions    TEXT    NOT NULL,
    PRIMARY KEY (assistant_id, version)
) STRICT;

-- state: 0 open, 1 charged, 2 given back.
CREATE TABLE generations (
    account_id         TEXT    NOT NULL,
    id                 TEXT    NOT NULL,
    key_id             TEXT    NOT NULL,
    assistant_id       TEXT,
    version            INTEGER,
    author_id          TEXT,
    model              TEXT    NOT NULL,
    price              INTEGER NOT NULL CHECK (price >= 0),
    taken_monthly      INTEGER NOT NULL CHECK (taken_monthly >= 0),
    taken_topup        INTEGER NOT NULL CHECK (taken_topup >= 0),
    taken_period_ends  INTEGER NOT NULL DEFAULT 0,
    state              INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    error              TEXT    NOT NULL DEFAULT '',
    finish             TEXT    NOT NULL DEFAULT '',
    prompt_tokens      INTEGER NOT NULL DEFAULT 0,
    completion_tokens  INTEGER NOT NULL DEFAULT 0,
    cached_tokens      INTEGER NOT NULL DEFAULT 0,
    cache_write_tokens INTEGER NOT NULL DEFAULT 0,
    reasoning_tokens   INTEGER NOT NULL DEFAULT 0,
    latency_us         INTEGER NOT NULL DEFAULT 0,
    first_piece_us     INTEGER NOT NULL DEFAULT 0,
    node_id            TEXT    NOT NULL,
    deadline           INTEGER NOT NULL,
    idempotency_hash   BLOB,
    created_at         INTEGER NOT NULL,
    settled_at         INTEGER NOT NULL DEFAULT 0,
    use_counted        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX generations_open ON generations (deadline) WHERE state = 0;
CREATE INDEX generations_uncounted ON generations (account_id, id)
    WHERE state = 1 AND use_counted = 0 AND author_id <> account_id;

-- seq numbers an account's entries from 1, without gaps.
CREATE TABLE ledger_entries (
    account_id    TEXT    NOT NULL,
    seq           INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    monthly       INTEGER NOT NULL,
    topup         INTEGER NOT NULL,
    generation_id TEXT,
    at            INTEGER NOT NULL,
    PRIMARY KEY (account_id, seq)
) STRICT, WITHOUT ROWID;

-- state: 0 the first request is running, 1 it was answered.
CREATE TABLE idempotency_keys (
    account_id   TEXT    NOT NULL,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    call         TEXT    NOT NULL,
    body_hash    BLOB    NOT NULL CHECK (length(body_hash) = 32),
    resource_id  TEXT    NOT NULL,
    state        INTEGER NOT NULL CHECK (state IN (0, 1)),
    tokens_spent INTEGER NOT NULL DEFAULT 0,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (account_id, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE nodes (
    id         TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
