-- +goose Up
-- What finding deletions needs, and what fulls learn beside the rows.

CREATE TABLE paymosync.candidates (
    account     text NOT NULL,
    table_name  text NOT NULL,
    row_id      bigint NOT NULL,
    verdict     text CHECK (verdict IN ('gone', 'unsure')),
    asked_at    timestamptz,
    explained   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account, table_name, row_id)
);
COMMENT ON TABLE paymosync.candidates IS 'Rows that a complete reading did not bring: whether they are gone is still to be confirmed.';
COMMENT ON COLUMN paymosync.candidates.verdict IS 'gone: asked for by id, Paymo did not know it; unsure: the answer proved nothing; null until it was asked for';
COMMENT ON COLUMN paymosync.candidates.asked_at IS 'when it was asked for: a row that was written later is not deleted';
COMMENT ON COLUMN paymosync.candidates.explained IS 'the deletion of the row that owns it was confirmed: it does not count against the guard';

CREATE TABLE paymosync.drift (
    account     text NOT NULL,
    table_name  text NOT NULL,
    field       text NOT NULL,
    type        text NOT NULL,
    first_seen  timestamptz NOT NULL DEFAULT now(),
    last_seen   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, table_name, field)
);
COMMENT ON TABLE paymosync.drift IS 'Fields that Paymo sends and paymosync has no column for: their values are in _extra.';
COMMENT ON COLUMN paymosync.drift.type IS 'the JSON type of its values';
COMMENT ON COLUMN paymosync.drift.last_seen IS 'the last time that a process met the field first, to a day';

ALTER TABLE paymosync.checkpoints
    ADD COLUMN backfill jsonb,
    ADD COLUMN parents_at timestamptz,
    ADD COLUMN denied_parents bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN read_at timestamptz;
COMMENT ON COLUMN paymosync.checkpoints.backfill IS 'an unfinished backfill: what it has still to read; null between backfills';
COMMENT ON COLUMN paymosync.checkpoints.parents_at IS 'parents whose rows were written at or after it are read again';
COMMENT ON COLUMN paymosync.checkpoints.denied_parents IS 'parents whose rows Paymo denied: they are read whole when it does not any more';
COMMENT ON COLUMN paymosync.checkpoints.read_at IS 'when the last run that read the table to its end began';

ALTER TABLE paymosync.runs
    ADD COLUMN late bigint NOT NULL DEFAULT 0,
    ADD COLUMN stripped bigint NOT NULL DEFAULT 0,
    ADD COLUMN dropped bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT runs_mode_check,
    ADD CONSTRAINT runs_mode_check CHECK (mode IN ('incremental', 'full', 'backfill', 'repair'));
COMMENT ON COLUMN paymosync.runs.late IS 'rows that an earlier incremental should have brought';
COMMENT ON COLUMN paymosync.runs.stripped IS 'values from which U+0000 was taken, which PostgreSQL cannot hold';
COMMENT ON COLUMN paymosync.runs.dropped IS 'unknown fields that were not kept because their names smell of a secret';

-- +goose Down
UPDATE paymosync.runs SET mode = 'full' WHERE mode = 'repair';
ALTER TABLE paymosync.runs
    DROP CONSTRAINT runs_mode_check,
    ADD CONSTRAINT runs_mode_check CHECK (mode IN ('incremental', 'full', 'backfill')),
    DROP COLUMN dropped,
    DROP COLUMN stripped,
    DROP COLUMN late;
ALTER TABLE paymosync.checkpoints
    DROP COLUMN read_at,
    DROP COLUMN denied_parents,
    DROP COLUMN parents_at,
    DROP COLUMN backfill;
DROP TABLE paymosync.drift;
DROP TABLE paymosync.candidates;
