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
    search_text      TEXT    NOT NULL, -- display_name, folded
    role             TEXT    NOT NULL,
    plan             TEXT    NOT NULL,
    plan_started     INTEGER NOT NULL,
    plan_expires     INTEGER NOT NULL DEFAULT 0,
    suspended_at     INTEGER NOT NULL DEFAULT 0,
    monthly          INTEGER NOT NULL DEFAULT 0 CHECK (monthly >= 0),
    topup            INTEGER NOT NULL DEFAULT 0 CHECK (topup >= 0),
    period_ends      INTEGER NOT NULL DEFAULT 0,
    period           INTEGER NOT NULL DEFAULT 0, -- number of the month or plan that monthly belongs to
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
CREATE INDEX accounts_search ON accounts (id, search_text);
CREATE INDEX accounts_suspended ON accounts (id) WHERE suspended_at <> 0;
CREATE INDEX accounts_admins ON accounts (id) WHERE role = 'admin';

CREATE TABLE keys (
    id           TEXT PRIMARY KEY,
    account_id   TEXT    NOT NULL,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    name         TEXT    NOT NULL,
    prefix       TEXT    NOT NULL,
    revision     INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL DEFAULT 0,
    read_only    INTEGER NOT NULL DEFAULT 0,
    assistants   TEXT, -- JSON list of the ids that it may use; NULL is all, as below
    models       TEXT, -- JSON list of slugs
    budget       INTEGER CHECK (budget >= 0), -- tokens that it may spend in all; NULL is no limit
    spent        INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0), -- charged and reserved, counted while it has a budget
    expires_at   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keys_hash ON keys (hash);
CREATE INDEX keys_account ON keys (account_id, id);
CREATE INDEX keys_prefix ON keys (prefix, id);

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
    sort_name       TEXT    NOT NULL,            -- its name as it is sorted and compared (elumenta.SortName)
    doc             INTEGER NOT NULL DEFAULT 0, -- its number in the marketplace, by when it was first published; 0: never
    uses            INTEGER NOT NULL DEFAULT 0,
    taken_down_at     INTEGER NOT NULL DEFAULT 0, -- since when an operator bars its publishing
    taken_down_reason TEXT NOT NULL DEFAULT '', -- the operator's, which the author reads
    revision        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX assistants_account ON assistants (account_id, id);
CREATE UNIQUE INDEX assistants_doc ON assistants (doc) WHERE doc <> 0;
CREATE UNIQUE INDEX assistants_listed ON assistants (doc) WHERE published = 1 AND owner_suspended = 0;
CREATE INDEX assistants_category ON assistants (category, doc) WHERE published = 1 AND owner_suspended = 0;
CREATE INDEX assistants_name ON assistants (sort_name, doc) WHERE published = 1 AND owner_suspended = 0;
CREATE INDEX assistants_category_name ON assistants (category, sort_name, doc) WHERE published = 1 AND owner_suspended = 0;

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
    copyable        INTEGER NOT NULL,
    instructions    TEXT    NOT NULL,
    PRIMARY KEY (assistant_id, version)
) STRICT;

-- split is a JSON array of versions and weights.
CREATE TABLE assistant_labels (
    assistant_id TEXT NOT NULL,
    label        TEXT NOT NULL,
    split        TEXT NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (assistant_id, label)
) STRICT, WITHOUT ROWID;

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
    budgeted           INTEGER NOT NULL DEFAULT 0, -- 1: the price counts as spent by the key, unless it was given back
    taken_monthly      INTEGER NOT NULL CHECK (taken_monthly >= 0),
    taken_topup        INTEGER NOT NULL CHECK (taken_topup >= 0),
    taken_period       INTEGER NOT NULL DEFAULT 0, -- the account's period then
    state              INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    corrected          INTEGER NOT NULL DEFAULT 0, -- 1: charged, and given back by a correction since
    error              TEXT    NOT NULL DEFAULT '',
    finish             TEXT    NOT NULL DEFAULT '',
    prompt_tokens      INTEGER NOT NULL DEFAULT 0,
    completion_tokens  INTEGER NOT NULL DEFAULT 0,
    cached_tokens      INTEGER NOT NULL DEFAULT 0,
    cache_write_tokens INTEGER NOT NULL DEFAULT 0,
    reasoning_tokens   INTEGER NOT NULL DEFAULT 0,
    cache_missed       INTEGER NOT NULL DEFAULT 0, -- 1: a hit of the prompt cache was due, and none came
    latency_us         INTEGER NOT NULL DEFAULT 0,
    first_piece_us     INTEGER NOT NULL DEFAULT 0,
    node_id            TEXT    NOT NULL,
    idempotency_hash   BLOB,
    created_at         INTEGER NOT NULL,
    settled_at         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;

-- The journal: each row moves tokens from one place to another, and is never changed. An account's places are available (its
-- balance), reserved, spent and expired; granted and topped_up are where its tokens come from. seq numbers an account's
-- entries from 1, without gaps.
CREATE TABLE ledger_entries (
    account_id    TEXT NOT NULL,
    seq           INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    source        TEXT NOT NULL,
    destination   TEXT NOT NULL CHECK (destination <> source),
    monthly       INTEGER NOT NULL CHECK (monthly >= 0), -- of the plan's tokens
    topup         INTEGER NOT NULL CHECK (topup >= 0),
    generation_id TEXT,
    reason        TEXT NOT NULL DEFAULT '',
    actor         TEXT NOT NULL DEFAULT '', -- an id of a key or account, or cli; empty is the server itself
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

-- What the rollups do not have yet: with correction 0 a generation that was settled, with 1 the correction of one that was
-- charged, which takes its price from what was spent and makes it a failure. The first of a corrected generation's two notes is
-- that of a charge, whichever is read first.
CREATE TABLE usage_pending (
    account_id    TEXT NOT NULL,
    generation_id TEXT NOT NULL,
    correction    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, generation_id, correction)
) STRICT, WITHOUT ROWID;

-- Usage added up by day (days since 1970, UTC) and by one dimension: version, model, key; for everyone together (account_id is
-- empty) model, account. Days and assistants are sums of models and versions. latency is a sketch (store/sketch.go).
CREATE TABLE usage_daily (
    account_id         TEXT NOT NULL,
    dimension          TEXT NOT NULL,
    day                INTEGER NOT NULL,
    value              TEXT NOT NULL,
    requests           INTEGER NOT NULL,
    failures           INTEGER NOT NULL,
    tokens_spent       INTEGER NOT NULL,
    prompt_tokens      INTEGER NOT NULL,
    cached_tokens      INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    completion_tokens  INTEGER NOT NULL,
    cache_hits         INTEGER NOT NULL, -- requests that read cached tokens
    cache_misses       INTEGER NOT NULL DEFAULT 0, -- requests that read none though a hit was due
    latency            BLOB NOT NULL,
    PRIMARY KEY (account_id, dimension, day, value)
) STRICT, WITHOUT ROWID;

-- What accounts reported: of each account and assistant one open report, and what was decided before.
CREATE TABLE reports (
    assistant_id TEXT    NOT NULL,
    account_id   TEXT    NOT NULL, -- who reports
    version      INTEGER NOT NULL, -- the newest that others could use then
    reason       TEXT NOT NULL,
    comment      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('open', 'dismissed', 'upheld')),
    created_at   INTEGER NOT NULL,
    decided_at   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (assistant_id, account_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX reports_account ON reports (account_id) WHERE state = 'open';
CREATE INDEX reports_state ON reports (state, assistant_id, created_at, decided_at);

-- The marketplace's index: which documents of a chunk (store/search_docs.go) have a term. All three tables follow from assistants.
CREATE TABLE search_terms (
    term  TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    docs  BLOB NOT NULL,
    PRIMARY KEY (term, chunk)
) STRICT, WITHOUT ROWID;

-- What search_terms has of a document, so that just that is taken out again.
CREATE TABLE search_documents (
    doc         INTEGER PRIMARY KEY,
    category    TEXT NOT NULL,
    search_text TEXT NOT NULL
) STRICT;

-- Documents that have changed since; changes counts how often, noted is when the last time was.
CREATE TABLE search_pending (
    doc     INTEGER PRIMARY KEY,
    changes INTEGER NOT NULL,
    noted   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX search_pending_noted ON search_pending (noted, doc);

-- The last day (since 1970, UTC) on which an account, other than its author's, had a charged generation with an assistant.
CREATE TABLE assistant_callers (
    assistant_id TEXT NOT NULL,
    account_id   TEXT NOT NULL,
    day          INTEGER NOT NULL,
    PRIMARY KEY (assistant_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX assistant_callers_day ON assistant_callers (day);

-- Documents by how many accounts called them, the most first. A row is never changed.
CREATE TABLE rankings (
    number      INTEGER PRIMARY KEY,
    computed_at INTEGER NOT NULL,
    docs        BLOB NOT NULL
) STRICT;

-- documents and rankings are the last numbers that were given. indexing lets one node at a time write the index, ranking_due says when
-- the next ranking is to be made.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done to keys, plans, tokens, accounts and publications. hash covers the row and the hash before it, so that a row
-- that was changed or removed shows.
CREATE TABLE audit_entries (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL, -- an account's id, or cli; empty is the server itself
    key_id  TEXT NOT NULL, -- the actor's key, or empty
    address TEXT NOT NULL, -- the client's address, or empty
    action  TEXT NOT NULL,
    account_id TEXT NOT NULL, -- whose affair it is, or empty
    target  TEXT NOT NULL, -- id of what it was done to
    details TEXT NOT NULL, -- JSON
    hash    BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX audit_entries_account ON audit_entries (account_id, seq);
CREATE INDEX audit_entries_action ON audit_entries (action, seq);

-- Browsers that are signed in to the web console, each with a key. hash is of the cookie's secret.
CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    account_id   TEXT NOT NULL,
    key_id       TEXT NOT NULL,
    hash         BLOB NOT NULL CHECK (length(hash) = 32),
    user_agent   TEXT NOT NULL,
    address      TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_hash ON sessions (hash);
CREATE INDEX sessions_account ON sessions (account_id, id);

-- One-time links that begin a session.
CREATE TABLE sign_in_links (
    hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
    key_id     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
