-- +goose Up
-- What Paymo tells of by itself: the hooks that were made for that, and the changes that
-- they tell of.

CREATE TABLE paymosync.hooks (
    account       text NOT NULL,
    hook_id       bigint NOT NULL,
    table_name    text NOT NULL,
    target_url    text NOT NULL,
    secret_mark   text NOT NULL,
    sure_since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_status   integer NOT NULL DEFAULT 0,
    listened_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    heard_at      timestamptz,
    checked_until timestamptz NOT NULL DEFAULT '-infinity',
    silent_since  timestamptz,
    PRIMARY KEY (account, hook_id)
);
COMMENT ON TABLE paymosync.hooks IS 'The hooks at Paymo that are this service''s own: others are left alone.';
COMMENT ON COLUMN paymosync.hooks.hook_id IS 'its id at Paymo';
COMMENT ON COLUMN paymosync.hooks.table_name IS 'the table whose changes it tells of';
COMMENT ON COLUMN paymosync.hooks.target_url IS 'what it calls';
COMMENT ON COLUMN paymosync.hooks.secret_mark IS 'tells whether it was made with the secret of now: four bytes of a digest of it';
COMMENT ON COLUMN paymosync.hooks.sure_since IS 'what happened before may not have been heard: there was no such hook, or nobody listened';
COMMENT ON COLUMN paymosync.hooks.seen_at IS 'when Paymo last listed it';
COMMENT ON COLUMN paymosync.hooks.last_status IS 'how its last call was answered, as Paymo has it; 0: it made none';
COMMENT ON COLUMN paymosync.hooks.listened_at IS 'when a service last said that it listens';
COMMENT ON COLUMN paymosync.hooks.heard_at IS 'when its last call came in';
COMMENT ON COLUMN paymosync.hooks.checked_until IS 'changes until then were held against what it told of';
COMMENT ON COLUMN paymosync.hooks.silent_since IS 'since when a sync finds changes that it did not tell of; null: it tells of all';

CREATE TABLE paymosync.changes (
    account       text NOT NULL,
    table_name    text NOT NULL,
    row_id        bigint NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('changed', 'gone')),
    times         integer NOT NULL DEFAULT 1,
    happened_at   timestamptz NOT NULL,
    newest_at     timestamptz NOT NULL,
    heard_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_until timestamptz NOT NULL DEFAULT '-infinity',
    merged_at     timestamptz,
    settled_at    timestamptz,
    PRIMARY KEY (account, table_name, row_id, kind)
);
CREATE INDEX changes_waiting ON paymosync.changes (account, table_name, heard_at) WHERE settled_at IS NULL;
CREATE INDEX changes_settled ON paymosync.changes (account, settled_at) WHERE settled_at IS NOT NULL;
COMMENT ON TABLE paymosync.changes IS 'Objects that Paymo told of: at most one row an object and kind of change, however often it was told.';
COMMENT ON COLUMN paymosync.changes.kind IS 'changed: it was made or changed; gone: it was deleted';
COMMENT ON COLUMN paymosync.changes.times IS 'how often it was told of; from 1 again after 1,000,000,000';
COMMENT ON COLUMN paymosync.changes.happened_at IS 'when the first of what is not in the table yet happened, as far as is known';
COMMENT ON COLUMN paymosync.changes.newest_at IS 'when the last of what was told happened: a row that is newer needs no reading';
COMMENT ON COLUMN paymosync.changes.heard_at IS 'when it was told of last';
COMMENT ON COLUMN paymosync.changes.claimed_until IS 'until when one process looks after it';
COMMENT ON COLUMN paymosync.changes.merged_at IS 'when its table had it; null: not yet';
COMMENT ON COLUMN paymosync.changes.settled_at IS 'when it was asked for at Paymo, or needed no asking; null: it waits';

-- +goose Down
DROP TABLE paymosync.changes;
DROP TABLE paymosync.hooks;
