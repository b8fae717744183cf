-- +goose Up
-- What operating needs: tables that are paused, causes by name, and which alerts were told.

ALTER TABLE paymosync.checkpoints
    ADD COLUMN cause text NOT NULL DEFAULT '',
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN resumed_at timestamptz;
COMMENT ON COLUMN paymosync.checkpoints.cause IS 'what the reason is about, as a name that programs know; empty when the table is ok';
COMMENT ON COLUMN paymosync.checkpoints.paused_at IS 'since when an operator has stopped the table''s syncs; null when they go on';
COMMENT ON COLUMN paymosync.checkpoints.resumed_at IS 'when they went on for the last time: a table is not late for what was paused';

ALTER TABLE paymosync.runs
    ADD COLUMN cause text NOT NULL DEFAULT '';
COMMENT ON COLUMN paymosync.runs.cause IS 'what the sentence is about, as a name that programs know';
CREATE INDEX runs_recent ON paymosync.runs (account, started_at DESC);

CREATE TABLE paymosync.alerts (
    account     text NOT NULL,
    cause       text NOT NULL,
    subject     text NOT NULL,
    sentence    text NOT NULL,
    raised_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    cleared_at  timestamptz,
    tried_at    timestamptz,
    told_at     timestamptz,
    PRIMARY KEY (account, cause, subject)
);
COMMENT ON TABLE paymosync.alerts IS 'What is wrong now and people are told of: one row a cause and subject, until its end was told too.';
COMMENT ON COLUMN paymosync.alerts.cause IS 'what is wrong, as a name';
COMMENT ON COLUMN paymosync.alerts.subject IS 'the table that it is about; empty: the account';
COMMENT ON COLUMN paymosync.alerts.sentence IS 'the same in words';
COMMENT ON COLUMN paymosync.alerts.cleared_at IS 'when it was over; null: it goes on';
COMMENT ON COLUMN paymosync.alerts.tried_at IS 'when the message that it began was sent for the first time, whether it arrived or not';
COMMENT ON COLUMN paymosync.alerts.told_at IS 'when the webhook accepted the message; null: it is still to be sent';

-- +goose Down
DROP TABLE paymosync.alerts;
DROP INDEX paymosync.runs_recent;
ALTER TABLE paymosync.runs
    DROP COLUMN cause;
ALTER TABLE paymosync.checkpoints
    DROP COLUMN resumed_at,
    DROP COLUMN paused_at,
    DROP COLUMN cause;
