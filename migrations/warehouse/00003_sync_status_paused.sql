-- +goose Up
-- Tables whose syncs an operator has paused say so, and those that come with them.

CREATE OR REPLACE VIEW {{schema}}._sync_status AS
SELECT
    c.relname::text AS "table",
    CASE WHEN k.schema_name NOT IN ('', n.nspname) THEN 'unavailable' WHEN k.paused_at IS NOT NULL OR p.paused_at IS NOT NULL THEN 'paused' ELSE coalesce(k.state, 'unavailable') END AS state,
    CASE
        WHEN k.schema_name NOT IN ('', n.nspname) THEN 'another schema was synced last, not this one'
        WHEN k.paused_at IS NOT NULL THEN 'paused by an operator; before that it was ' || k.state || CASE WHEN k.reason <> '' THEN ': ' || k.reason ELSE '' END
        WHEN p.paused_at IS NOT NULL THEN 'its ' || p.table_name || ', with which it comes, are paused by an operator'
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
LEFT JOIN (
    VALUES
        ('invoice_items', 'invoices'),
        ('estimate_items', 'estimates'),
        ('recurring_profile_items', 'recurring_profiles'),
        ('project_template_tasklists', 'project_templates'),
        ('project_template_tasks', 'project_templates')
) AS family (child, parent)
    ON family.child = c.relname
LEFT JOIN paymosync.checkpoints AS p
    ON p.account = 'default'
    AND p.table_name = family.parent
WHERE c.relnamespace = {{schema_literal}}::regnamespace
    AND c.relkind IN ('r', 'p')
    AND c.relname NOT LIKE '\_%';

-- +goose Down
CREATE OR REPLACE VIEW {{schema}}._sync_status AS
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
