-- +goose Up
-- What is scheduled goes before what reads a lot and can wait.

ALTER TABLE paymosync.budgets
    ADD COLUMN scheduled_due timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN bulk_due timestamptz NOT NULL DEFAULT '-infinity';
COMMENT ON COLUMN paymosync.budgets.scheduled_due IS 'when the last request was due that goes before bulk; it may be to come';
COMMENT ON COLUMN paymosync.budgets.bulk_due IS 'when the last request was due of a first load, a backfill or a verification; it may be to come';

-- +goose Down
ALTER TABLE paymosync.budgets
    DROP COLUMN bulk_due,
    DROP COLUMN scheduled_due;
