CREATE TABLE {{schema}}.webhooks (
    id bigint PRIMARY KEY,
    created_on timestamptz,
    updated_on timestamptz,
    target_url text,
    event text,
    "where" text,
    last_status_code bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX webhooks_updated_on ON {{schema}}.webhooks (updated_on);
COMMENT ON TABLE {{schema}}.webhooks IS 'Subscriptions of other programs to changes in Paymo. From Paymo''s /api/hooks.';
COMMENT ON COLUMN {{schema}}.webhooks.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.webhooks.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.webhooks.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.webhooks.target_url IS 'Paymo field target_url';
COMMENT ON COLUMN {{schema}}.webhooks.event IS 'Paymo field event';
COMMENT ON COLUMN {{schema}}.webhooks."where" IS 'Paymo field where';
COMMENT ON COLUMN {{schema}}.webhooks.last_status_code IS 'Paymo field last_status_code; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.webhooks._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.webhooks._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.webhooks._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.webhooks._issues IS 'values that do not fit their column, as Paymo sent them; null for none';
