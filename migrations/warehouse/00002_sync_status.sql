-- +goose Up
CREATE VIEW {{schema}}._sync_status AS
SELECT
    c.relname::text AS "table",
    CASE WHEN k.schema_name NOT IN ('', n.nspname) THEN 'unavailable' ELSE coalesce(k.state, 'unavailable') END AS state,
    CASE
        WHEN k.schema_name NOT IN ('', n.nspname) THEN 'another schema was synced last, not this one'
        ELSE coalesce(k.reason, 'not synced yet')
    END AS reason,
    CASE WHEN k.schema_name IN ('', n.nspname) THEN k.fresh_as_of END AS fresh_as_of,
    CASE WHEN k.schema_name IN ('', n.nspname) THEN k.full_at END AS last_full
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n
    ON n.oid = c.relnamespace
LEFT JOIN paymosync.checkpoints AS k
    ON k.account = 'default'
    AND k.table_name = c.relname
WHERE c.relnamespace = {{schema_literal}}::regnamespace
    AND c.relkind IN ('r', 'p')
    AND c.relname NOT LIKE '\_%';

COMMENT ON VIEW {{schema}}._sync_status IS 'How far each table can be trusted: one row a table. Reports should ask it before they show numbers.';
COMMENT ON COLUMN {{schema}}._sync_status."table" IS 'name of the table';
COMMENT ON COLUMN {{schema}}._sync_status.state IS 'ok; degraded: the rows are kept but something is in doubt; failing: the last sync ended in an error; unavailable: not read yet, not in the Paymo plan, or not synced any more because another schema is; paused';
COMMENT ON COLUMN {{schema}}._sync_status.reason IS 'the state in words';
COMMENT ON COLUMN {{schema}}._sync_status.fresh_as_of IS 'the changes in Paymo before this time are in the table; null before the first sync';
COMMENT ON COLUMN {{schema}}._sync_status.last_full IS 'when the last complete reading of everything began; null before the first';

-- +goose Down
DROP VIEW {{schema}}._sync_status;
