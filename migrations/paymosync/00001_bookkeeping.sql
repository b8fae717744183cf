-- +goose Up
-- paymosync's own bookkeeping. Every row belongs to an account; times are the database's clock.

CREATE TABLE paymosync.accounts (
    account     text PRIMARY KEY,
    base_url    text NOT NULL,
    company_id  bigint,
    user_id     bigint NOT NULL,
    role        text NOT NULL,
    scheme      text NOT NULL,
    checked_at  timestamptz NOT NULL
);
COMMENT ON TABLE paymosync.accounts IS 'The Paymo company that this warehouse is pinned to, and who its key is.';
COMMENT ON COLUMN paymosync.accounts.company_id IS 'null when the key may not read /api/company';
COMMENT ON COLUMN paymosync.accounts.role IS 'the accepted role of the key''s user; a weaker one stops merges';
COMMENT ON COLUMN paymosync.accounts.scheme IS 'the Authorization scheme that worked last: raw or basic';

CREATE TABLE paymosync.checkpoints (
    account        text NOT NULL,
    table_name     text NOT NULL,
    cursor         timestamptz,
    progress       jsonb,
    full_at        timestamptz,
    fresh_as_of    timestamptz,
    capabilities   jsonb NOT NULL DEFAULT '{}',
    longest_reply  integer NOT NULL DEFAULT 0,
    page_cap       integer NOT NULL DEFAULT 0,
    layout         text NOT NULL DEFAULT '',
    schema_name    text NOT NULL DEFAULT '',
    state          text NOT NULL DEFAULT 'unavailable' CHECK (state IN ('ok', 'degraded', 'failing', 'unavailable', 'paused')),
    reason         text NOT NULL DEFAULT 'not synced yet',
    PRIMARY KEY (account, table_name)
);
COMMENT ON TABLE paymosync.checkpoints IS 'Where the sync of each table stands. It commits with the rows that it describes.';
COMMENT ON COLUMN paymosync.checkpoints.cursor IS 'incrementals ask for updated_on at or after it';
COMMENT ON COLUMN paymosync.checkpoints.progress IS 'an unfinished run: what it has still to read; null between runs';
COMMENT ON COLUMN paymosync.checkpoints.full_at IS 'when the last complete full listing began';
COMMENT ON COLUMN paymosync.checkpoints.fresh_as_of IS 'every change that the table''s reads can see before this time is in';
COMMENT ON COLUMN paymosync.checkpoints.capabilities IS 'what was learned of the server for this table, each with time and reason';
COMMENT ON COLUMN paymosync.checkpoints.longest_reply IS 'rows of the longest list of the table that was found to be complete since the last full began: a shorter one was not cut by a limit';
COMMENT ON COLUMN paymosync.checkpoints.page_cap IS 'rows at which the server was found to cut the table''s lists; 0: not found yet';
COMMENT ON COLUMN paymosync.checkpoints.layout IS 'the schema and the columns at the last complete full; others make a full due';
COMMENT ON COLUMN paymosync.checkpoints.schema_name IS 'the schema whose table it tells of: the one that was last read whole';

CREATE TABLE paymosync.leases (
    account     text NOT NULL,
    table_name  text NOT NULL,
    owner       text NOT NULL,
    fence       bigint NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (account, table_name)
);
COMMENT ON TABLE paymosync.leases IS 'One writer a table: every page transaction checks that its fence is still the lease''s.';

CREATE TABLE paymosync.runs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account      text NOT NULL,
    table_name   text NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('incremental', 'full', 'backfill')),
    reason       text NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at  timestamptz,
    state        text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'interrupted', 'ok', 'degraded', 'failing', 'unavailable')),
    sentence     text NOT NULL DEFAULT '',
    inserted     bigint NOT NULL DEFAULT 0,
    updated      bigint NOT NULL DEFAULT 0,
    unchanged    bigint NOT NULL DEFAULT 0,
    tombstoned   bigint NOT NULL DEFAULT 0,
    quarantined  bigint NOT NULL DEFAULT 0,
    requests     bigint NOT NULL DEFAULT 0,
    waited_ms    bigint NOT NULL DEFAULT 0,
    bytes        bigint NOT NULL DEFAULT 0
);
CREATE INDEX runs_latest ON paymosync.runs (account, table_name, started_at DESC);
COMMENT ON TABLE paymosync.runs IS 'The ledger: one row for each sync of one table.';
COMMENT ON COLUMN paymosync.runs.reason IS 'what asked for the run: schedule, start, manual';
COMMENT ON COLUMN paymosync.runs.sentence IS 'the state in words';
COMMENT ON COLUMN paymosync.runs.waited_ms IS 'time spent waiting for the rate budget';
COMMENT ON COLUMN paymosync.runs.bytes IS 'bytes of Paymo''s replies';

CREATE TABLE paymosync.quarantine (
    account     text NOT NULL,
    table_name  text NOT NULL,
    hash        text NOT NULL,
    payload     text NOT NULL,
    problem     text NOT NULL,
    first_seen  timestamptz NOT NULL DEFAULT now(),
    last_seen   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, table_name, hash)
);
COMMENT ON TABLE paymosync.quarantine IS 'Records that cannot become rows, kept whole but for secret fields.';
COMMENT ON COLUMN paymosync.quarantine.hash IS 'SHA-256 of the payload, in hexadecimal';

CREATE TABLE paymosync.budgets (
    account        text PRIMARY KEY,
    rate_limit     integer NOT NULL DEFAULT 0,
    period         interval NOT NULL DEFAULT '0',
    dues           timestamptz[] NOT NULL DEFAULT '{}',
    blocked_until  timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE paymosync.budgets IS 'The rate budget of each account''s key, shared by all processes.';
COMMENT ON COLUMN paymosync.budgets.rate_limit IS 'requests per period, from Paymo''s rate headers; 0 until they are seen';
COMMENT ON COLUMN paymosync.budgets.period IS 'from Paymo''s rate headers, with some room';
COMMENT ON COLUMN paymosync.budgets.dues IS 'when the last requests were due, oldest first; some may be to come';
COMMENT ON COLUMN paymosync.budgets.blocked_until IS 'no request before it: Paymo answered 429, or others use the key';

-- +goose Down
DROP TABLE paymosync.budgets;
DROP TABLE paymosync.quarantine;
DROP TABLE paymosync.runs;
DROP TABLE paymosync.leases;
DROP TABLE paymosync.checkpoints;
DROP TABLE paymosync.accounts;
