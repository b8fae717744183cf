CREATE TABLE {{schema}}.invoice_items (
    id bigint PRIMARY KEY,
    item text,
    description text,
    price_unit numeric,
    quantity numeric,
    expense_id bigint,
    apply_tax boolean,
    seq bigint,
    created_on timestamptz,
    updated_on timestamptz,
    entries jsonb,
    invoice_id bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX invoice_items_expense_id ON {{schema}}.invoice_items (expense_id);
CREATE INDEX invoice_items_updated_on ON {{schema}}.invoice_items (updated_on);
CREATE INDEX invoice_items_invoice_id ON {{schema}}.invoice_items (invoice_id);
COMMENT ON TABLE {{schema}}.invoice_items IS 'Lines of the invoices. From Paymo''s /api/invoiceitems, read with invoices.';
COMMENT ON COLUMN {{schema}}.invoice_items.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.invoice_items.item IS 'Paymo field item';
COMMENT ON COLUMN {{schema}}.invoice_items.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.invoice_items.price_unit IS 'Paymo field price_unit';
COMMENT ON COLUMN {{schema}}.invoice_items.quantity IS 'Paymo field quantity';
COMMENT ON COLUMN {{schema}}.invoice_items.expense_id IS 'Paymo field expense_id; references expenses.id';
COMMENT ON COLUMN {{schema}}.invoice_items.apply_tax IS 'Paymo field apply_tax';
COMMENT ON COLUMN {{schema}}.invoice_items.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.invoice_items.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.invoice_items.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.invoice_items.entries IS 'Paymo field entries; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.invoice_items.invoice_id IS 'Paymo field invoice_id; references invoices.id';
COMMENT ON COLUMN {{schema}}.invoice_items._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.invoice_items._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.invoice_items._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.invoice_items._issues IS 'values that do not fit their column, as Paymo sent them; null for none';
