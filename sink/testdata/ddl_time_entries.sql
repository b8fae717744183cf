CREATE TABLE {{schema}}.time_entries (
    id bigint PRIMARY KEY,
    project_id bigint,
    task_id bigint,
    user_id bigint,
    is_bulk boolean,
    start_time timestamptz,
    end_time timestamptz,
    date date,
    duration bigint,
    description text,
    added_manually boolean,
    billed boolean,
    invoice_item_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX time_entries_project_id ON {{schema}}.time_entries (project_id);
CREATE INDEX time_entries_task_id ON {{schema}}.time_entries (task_id);
CREATE INDEX time_entries_user_id ON {{schema}}.time_entries (user_id);
CREATE INDEX time_entries_invoice_item_id ON {{schema}}.time_entries (invoice_item_id);
CREATE INDEX time_entries_updated_on ON {{schema}}.time_entries (updated_on);
COMMENT ON TABLE {{schema}}.time_entries IS 'Time worked: timed, bulk (a duration on a day) and running entries. From Paymo''s /api/entries.';
COMMENT ON COLUMN {{schema}}.time_entries.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.time_entries.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.time_entries.task_id IS 'Paymo field task_id; references tasks.id';
COMMENT ON COLUMN {{schema}}.time_entries.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.time_entries.is_bulk IS 'Paymo field is_bulk';
COMMENT ON COLUMN {{schema}}.time_entries.start_time IS 'Paymo field start_time; timed entries only';
COMMENT ON COLUMN {{schema}}.time_entries.end_time IS 'Paymo field end_time; null while the timer runs';
COMMENT ON COLUMN {{schema}}.time_entries.date IS 'Paymo field date; bulk entries only';
COMMENT ON COLUMN {{schema}}.time_entries.duration IS 'Paymo field duration; seconds';
COMMENT ON COLUMN {{schema}}.time_entries.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.time_entries.added_manually IS 'Paymo field added_manually';
COMMENT ON COLUMN {{schema}}.time_entries.billed IS 'Paymo field billed';
COMMENT ON COLUMN {{schema}}.time_entries.invoice_item_id IS 'Paymo field invoice_item_id; references invoice_items.id';
COMMENT ON COLUMN {{schema}}.time_entries.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.time_entries.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.time_entries._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.time_entries._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.time_entries._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.time_entries._issues IS 'values that do not fit their column, as Paymo sent them; null for none';
