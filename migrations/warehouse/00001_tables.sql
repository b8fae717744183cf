-- +goose Up
-- The tables that people read: one for each resource of Paymo. No foreign keys: rows may
-- arrive before those that they refer to, and stay when those are gone.

CREATE TABLE {{schema}}.users (
    id bigint PRIMARY KEY,
    name text,
    email text,
    type text,
    active boolean,
    timezone text,
    phone text,
    skype text,
    position text,
    workday_hours numeric,
    price_per_hour numeric,
    created_on timestamptz,
    updated_on timestamptz,
    image text,
    image_thumb_large text,
    image_thumb_medium text,
    image_thumb_small text,
    date_format text,
    time_format text,
    decimal_sep text,
    thousands_sep text,
    week_start text,
    language text,
    theme text,
    assigned_projects jsonb,
    managed_projects jsonb,
    is_online boolean,
    annual_leave_days_number numeric,
    has_submitted_review text,
    menu_shortcut jsonb,
    workflows jsonb,
    additional_privileges jsonb,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX users_updated_on ON {{schema}}.users (updated_on);
COMMENT ON TABLE {{schema}}.users IS 'The company''s people who use Paymo. From Paymo''s /api/users.';
COMMENT ON COLUMN {{schema}}.users.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.users.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.users.email IS 'Paymo field email; personal data';
COMMENT ON COLUMN {{schema}}.users.type IS 'Paymo field type';
COMMENT ON COLUMN {{schema}}.users.active IS 'Paymo field active';
COMMENT ON COLUMN {{schema}}.users.timezone IS 'Paymo field timezone';
COMMENT ON COLUMN {{schema}}.users.phone IS 'Paymo field phone; personal data';
COMMENT ON COLUMN {{schema}}.users.skype IS 'Paymo field skype; personal data';
COMMENT ON COLUMN {{schema}}.users.position IS 'Paymo field position';
COMMENT ON COLUMN {{schema}}.users.workday_hours IS 'Paymo field workday_hours';
COMMENT ON COLUMN {{schema}}.users.price_per_hour IS 'Paymo field price_per_hour';
COMMENT ON COLUMN {{schema}}.users.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.users.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.users.image IS 'Paymo field image; personal data';
COMMENT ON COLUMN {{schema}}.users.image_thumb_large IS 'Paymo field image_thumb_large; personal data';
COMMENT ON COLUMN {{schema}}.users.image_thumb_medium IS 'Paymo field image_thumb_medium; personal data';
COMMENT ON COLUMN {{schema}}.users.image_thumb_small IS 'Paymo field image_thumb_small; personal data';
COMMENT ON COLUMN {{schema}}.users.date_format IS 'Paymo field date_format';
COMMENT ON COLUMN {{schema}}.users.time_format IS 'Paymo field time_format';
COMMENT ON COLUMN {{schema}}.users.decimal_sep IS 'Paymo field decimal_sep';
COMMENT ON COLUMN {{schema}}.users.thousands_sep IS 'Paymo field thousands_sep';
COMMENT ON COLUMN {{schema}}.users.week_start IS 'Paymo field week_start';
COMMENT ON COLUMN {{schema}}.users.language IS 'Paymo field language';
COMMENT ON COLUMN {{schema}}.users.theme IS 'Paymo field theme';
COMMENT ON COLUMN {{schema}}.users.assigned_projects IS 'Paymo field assigned_projects';
COMMENT ON COLUMN {{schema}}.users.managed_projects IS 'Paymo field managed_projects';
COMMENT ON COLUMN {{schema}}.users.is_online IS 'Paymo field is_online; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.users.annual_leave_days_number IS 'Paymo field annual_leave_days_number; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.users.has_submitted_review IS 'Paymo field has_submitted_review; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.users.menu_shortcut IS 'Paymo field menu_shortcut; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.users.workflows IS 'Paymo field workflows; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.users.additional_privileges IS 'Paymo field additional_privileges; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.users._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.users._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.users._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.users._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.company (
    id bigint PRIMARY KEY,
    name text,
    address text,
    phone text,
    email text,
    url text,
    fiscal_information text,
    country text,
    image text,
    image_thumb_large text,
    image_thumb_medium text,
    image_thumb_small text,
    created_on timestamptz,
    updated_on timestamptz,
    timezone text,
    default_currency text,
    default_price_per_hour numeric,
    apply_tax_to_expenses text,
    tax_on_tax text,
    currency_position text,
    next_invoice_number text,
    next_estimate_number text,
    online_payments boolean,
    date_format text,
    time_format text,
    decimal_sep text,
    thousands_sep text,
    week_start text,
    workday_start text,
    workday_end text,
    working_days text,
    account_type text,
    max_users bigint,
    current_users bigint,
    max_projects bigint,
    current_projects bigint,
    max_invoices bigint,
    current_invoices bigint,
    company_size text,
    due_interval text,
    estimate_format text,
    footer_unit_measure text,
    hide_tax_field text,
    invoice_format text,
    invoice_page_footer text,
    invoice_page_footer_height text,
    invoice_page_margin_width text,
    language text,
    margin_unit_measure text,
    pdf_format_size text,
    new_invoice_email_subj_tpl text,
    new_invoice_email_body_tpl text,
    new_estimate_email_subj_tpl text,
    new_estimate_email_body_tpl text,
    new_paymentreminder_email_subj_tpl text,
    new_paymentreminder_email_body_tpl text,
    invoice_bill_to_fields text,
    default_invoice_footer text,
    default_estimate_footer text,
    custom_smtp_auth_type text,
    custom_smtp_port text,
    op_authorize_accepted_cc_amex boolean,
    op_authorize_accepted_cc_diners boolean,
    op_authorize_accepted_cc_discover boolean,
    op_authorize_accepted_cc_jcb boolean,
    op_authorize_accepted_cc_mastercard boolean,
    op_authorize_accepted_cc_visa boolean,
    show_delivery_date boolean,
    custom_domain text,
    active boolean,
    trial_ends_on timestamptz,
    default_invoice_template bigint,
    default_estimate_template bigint,
    max_estimates bigint,
    max_recurring_profiles bigint,
    max_expenses bigint,
    current_estimates bigint,
    current_recurring_profiles bigint,
    current_expenses bigint,
    default_tax text,
    default_tax2 text,
    default_tax_text text,
    default_tax2_text text,
    payment_reminder_1 text,
    payment_reminder_2 text,
    payment_reminder_3 text,
    remove_paymo_branding text,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
COMMENT ON TABLE {{schema}}.company IS 'The Paymo account itself: one row. From Paymo''s /api/company.';
COMMENT ON COLUMN {{schema}}.company.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.company.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.company.address IS 'Paymo field address; personal data';
COMMENT ON COLUMN {{schema}}.company.phone IS 'Paymo field phone; personal data';
COMMENT ON COLUMN {{schema}}.company.email IS 'Paymo field email; personal data';
COMMENT ON COLUMN {{schema}}.company.url IS 'Paymo field url';
COMMENT ON COLUMN {{schema}}.company.fiscal_information IS 'Paymo field fiscal_information; personal data';
COMMENT ON COLUMN {{schema}}.company.country IS 'Paymo field country';
COMMENT ON COLUMN {{schema}}.company.image IS 'Paymo field image; personal data';
COMMENT ON COLUMN {{schema}}.company.image_thumb_large IS 'Paymo field image_thumb_large; personal data';
COMMENT ON COLUMN {{schema}}.company.image_thumb_medium IS 'Paymo field image_thumb_medium; personal data';
COMMENT ON COLUMN {{schema}}.company.image_thumb_small IS 'Paymo field image_thumb_small; personal data';
COMMENT ON COLUMN {{schema}}.company.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.company.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.company.timezone IS 'Paymo field timezone';
COMMENT ON COLUMN {{schema}}.company.default_currency IS 'Paymo field default_currency';
COMMENT ON COLUMN {{schema}}.company.default_price_per_hour IS 'Paymo field default_price_per_hour';
COMMENT ON COLUMN {{schema}}.company.apply_tax_to_expenses IS 'Paymo field apply_tax_to_expenses';
COMMENT ON COLUMN {{schema}}.company.tax_on_tax IS 'Paymo field tax_on_tax';
COMMENT ON COLUMN {{schema}}.company.currency_position IS 'Paymo field currency_position';
COMMENT ON COLUMN {{schema}}.company.next_invoice_number IS 'Paymo field next_invoice_number';
COMMENT ON COLUMN {{schema}}.company.next_estimate_number IS 'Paymo field next_estimate_number';
COMMENT ON COLUMN {{schema}}.company.online_payments IS 'Paymo field online_payments';
COMMENT ON COLUMN {{schema}}.company.date_format IS 'Paymo field date_format';
COMMENT ON COLUMN {{schema}}.company.time_format IS 'Paymo field time_format';
COMMENT ON COLUMN {{schema}}.company.decimal_sep IS 'Paymo field decimal_sep';
COMMENT ON COLUMN {{schema}}.company.thousands_sep IS 'Paymo field thousands_sep';
COMMENT ON COLUMN {{schema}}.company.week_start IS 'Paymo field week_start';
COMMENT ON COLUMN {{schema}}.company.workday_start IS 'Paymo field workday_start';
COMMENT ON COLUMN {{schema}}.company.workday_end IS 'Paymo field workday_end';
COMMENT ON COLUMN {{schema}}.company.working_days IS 'Paymo field working_days';
COMMENT ON COLUMN {{schema}}.company.account_type IS 'Paymo field account_type';
COMMENT ON COLUMN {{schema}}.company.max_users IS 'Paymo field max_users';
COMMENT ON COLUMN {{schema}}.company.current_users IS 'Paymo field current_users; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.company.max_projects IS 'Paymo field max_projects';
COMMENT ON COLUMN {{schema}}.company.current_projects IS 'Paymo field current_projects; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.company.max_invoices IS 'Paymo field max_invoices';
COMMENT ON COLUMN {{schema}}.company.current_invoices IS 'Paymo field current_invoices; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.company.company_size IS 'Paymo field company_size; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.due_interval IS 'Paymo field due_interval';
COMMENT ON COLUMN {{schema}}.company.estimate_format IS 'Paymo field estimate_format';
COMMENT ON COLUMN {{schema}}.company.footer_unit_measure IS 'Paymo field footer_unit_measure; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.hide_tax_field IS 'Paymo field hide_tax_field';
COMMENT ON COLUMN {{schema}}.company.invoice_format IS 'Paymo field invoice_format';
COMMENT ON COLUMN {{schema}}.company.invoice_page_footer IS 'Paymo field invoice_page_footer; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.invoice_page_footer_height IS 'Paymo field invoice_page_footer_height; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.invoice_page_margin_width IS 'Paymo field invoice_page_margin_width; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.language IS 'Paymo field language';
COMMENT ON COLUMN {{schema}}.company.margin_unit_measure IS 'Paymo field margin_unit_measure; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.pdf_format_size IS 'Paymo field pdf_format_size; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.new_invoice_email_subj_tpl IS 'Paymo field new_invoice_email_subj_tpl; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.new_invoice_email_body_tpl IS 'Paymo field new_invoice_email_body_tpl; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.new_estimate_email_subj_tpl IS 'Paymo field new_estimate_email_subj_tpl; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.new_estimate_email_body_tpl IS 'Paymo field new_estimate_email_body_tpl; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.new_paymentreminder_email_subj_tpl IS 'Paymo field new_paymentreminder_email_subj_tpl; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.new_paymentreminder_email_body_tpl IS 'Paymo field new_paymentreminder_email_body_tpl; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.invoice_bill_to_fields IS 'Paymo field invoice_bill_to_fields; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.default_invoice_footer IS 'Paymo field default_invoice_footer; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.default_estimate_footer IS 'Paymo field default_estimate_footer; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.custom_smtp_auth_type IS 'Paymo field custom_smtp_auth_type; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.custom_smtp_port IS 'Paymo field custom_smtp_port; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.op_authorize_accepted_cc_amex IS 'Paymo field op_authorize_accepted_cc_amex; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.op_authorize_accepted_cc_diners IS 'Paymo field op_authorize_accepted_cc_diners; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.op_authorize_accepted_cc_discover IS 'Paymo field op_authorize_accepted_cc_discover; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.op_authorize_accepted_cc_jcb IS 'Paymo field op_authorize_accepted_cc_jcb; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.op_authorize_accepted_cc_mastercard IS 'Paymo field op_authorize_accepted_cc_mastercard; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.op_authorize_accepted_cc_visa IS 'Paymo field op_authorize_accepted_cc_visa; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.show_delivery_date IS 'Paymo field show_delivery_date; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.custom_domain IS 'Paymo field custom_domain; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.active IS 'Paymo field active';
COMMENT ON COLUMN {{schema}}.company.trial_ends_on IS 'Paymo field trial_ends_on; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.default_invoice_template IS 'Paymo field default_invoice_template; references invoice_templates.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.default_estimate_template IS 'Paymo field default_estimate_template; references estimate_templates.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.max_estimates IS 'Paymo field max_estimates; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.max_recurring_profiles IS 'Paymo field max_recurring_profiles; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.max_expenses IS 'Paymo field max_expenses; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.current_estimates IS 'Paymo field current_estimates; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.current_recurring_profiles IS 'Paymo field current_recurring_profiles; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.current_expenses IS 'Paymo field current_expenses; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.company.default_tax IS 'Paymo field default_tax';
COMMENT ON COLUMN {{schema}}.company.default_tax2 IS 'Paymo field default_tax2';
COMMENT ON COLUMN {{schema}}.company.default_tax_text IS 'Paymo field default_tax_text';
COMMENT ON COLUMN {{schema}}.company.default_tax2_text IS 'Paymo field default_tax2_text';
COMMENT ON COLUMN {{schema}}.company.payment_reminder_1 IS 'Paymo field payment_reminder_1';
COMMENT ON COLUMN {{schema}}.company.payment_reminder_2 IS 'Paymo field payment_reminder_2';
COMMENT ON COLUMN {{schema}}.company.payment_reminder_3 IS 'Paymo field payment_reminder_3';
COMMENT ON COLUMN {{schema}}.company.remove_paymo_branding IS 'Paymo field remove_paymo_branding';
COMMENT ON COLUMN {{schema}}.company._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.company._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.company._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.company._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.clients (
    id bigint PRIMARY KEY,
    name text,
    address text,
    city text,
    postal_code text,
    country text,
    state text,
    phone text,
    fax text,
    email text,
    website text,
    active boolean,
    fiscal_information text,
    created_on timestamptz,
    updated_on timestamptz,
    image text,
    image_thumb_large text,
    image_thumb_medium text,
    image_thumb_small text,
    due_interval bigint,
    additional_privileges jsonb,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX clients_updated_on ON {{schema}}.clients (updated_on);
COMMENT ON TABLE {{schema}}.clients IS 'Customers of the company. From Paymo''s /api/clients.';
COMMENT ON COLUMN {{schema}}.clients.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.clients.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.clients.address IS 'Paymo field address; personal data';
COMMENT ON COLUMN {{schema}}.clients.city IS 'Paymo field city';
COMMENT ON COLUMN {{schema}}.clients.postal_code IS 'Paymo field postal_code; personal data';
COMMENT ON COLUMN {{schema}}.clients.country IS 'Paymo field country';
COMMENT ON COLUMN {{schema}}.clients.state IS 'Paymo field state';
COMMENT ON COLUMN {{schema}}.clients.phone IS 'Paymo field phone; personal data';
COMMENT ON COLUMN {{schema}}.clients.fax IS 'Paymo field fax; personal data';
COMMENT ON COLUMN {{schema}}.clients.email IS 'Paymo field email; personal data';
COMMENT ON COLUMN {{schema}}.clients.website IS 'Paymo field website';
COMMENT ON COLUMN {{schema}}.clients.active IS 'Paymo field active';
COMMENT ON COLUMN {{schema}}.clients.fiscal_information IS 'Paymo field fiscal_information; personal data';
COMMENT ON COLUMN {{schema}}.clients.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.clients.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.clients.image IS 'Paymo field image; personal data';
COMMENT ON COLUMN {{schema}}.clients.image_thumb_large IS 'Paymo field image_thumb_large; personal data';
COMMENT ON COLUMN {{schema}}.clients.image_thumb_medium IS 'Paymo field image_thumb_medium; personal data';
COMMENT ON COLUMN {{schema}}.clients.image_thumb_small IS 'Paymo field image_thumb_small; personal data';
COMMENT ON COLUMN {{schema}}.clients.due_interval IS 'Paymo field due_interval; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.clients.additional_privileges IS 'Paymo field additional_privileges; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.clients._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.clients._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.clients._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.clients._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.projects (
    id bigint PRIMARY KEY,
    name text,
    code text,
    task_code_increment bigint,
    description text,
    client_id bigint,
    status_id bigint,
    active boolean,
    color text,
    users jsonb,
    managers jsonb,
    billable boolean,
    flat_billing boolean,
    price_per_hour numeric,
    price numeric,
    estimated_price numeric,
    hourly_billing_mode text,
    budget_hours numeric,
    adjustable_hours boolean,
    invoiced boolean,
    invoice_item_id bigint,
    workflow_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    billing_type text,
    retainer_id bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX projects_client_id ON {{schema}}.projects (client_id);
CREATE INDEX projects_status_id ON {{schema}}.projects (status_id);
CREATE INDEX projects_invoice_item_id ON {{schema}}.projects (invoice_item_id);
CREATE INDEX projects_workflow_id ON {{schema}}.projects (workflow_id);
CREATE INDEX projects_updated_on ON {{schema}}.projects (updated_on);
COMMENT ON TABLE {{schema}}.projects IS 'Projects, with their billing and budget. From Paymo''s /api/projects.';
COMMENT ON COLUMN {{schema}}.projects.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.projects.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.projects.code IS 'Paymo field code';
COMMENT ON COLUMN {{schema}}.projects.task_code_increment IS 'Paymo field task_code_increment; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.projects.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.projects.client_id IS 'Paymo field client_id; references clients.id';
COMMENT ON COLUMN {{schema}}.projects.status_id IS 'Paymo field status_id; references project_statuses.id';
COMMENT ON COLUMN {{schema}}.projects.active IS 'Paymo field active';
COMMENT ON COLUMN {{schema}}.projects.color IS 'Paymo field color';
COMMENT ON COLUMN {{schema}}.projects.users IS 'Paymo field users';
COMMENT ON COLUMN {{schema}}.projects.managers IS 'Paymo field managers';
COMMENT ON COLUMN {{schema}}.projects.billable IS 'Paymo field billable';
COMMENT ON COLUMN {{schema}}.projects.flat_billing IS 'Paymo field flat_billing';
COMMENT ON COLUMN {{schema}}.projects.price_per_hour IS 'Paymo field price_per_hour';
COMMENT ON COLUMN {{schema}}.projects.price IS 'Paymo field price';
COMMENT ON COLUMN {{schema}}.projects.estimated_price IS 'Paymo field estimated_price; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.projects.hourly_billing_mode IS 'Paymo field hourly_billing_mode';
COMMENT ON COLUMN {{schema}}.projects.budget_hours IS 'Paymo field budget_hours';
COMMENT ON COLUMN {{schema}}.projects.adjustable_hours IS 'Paymo field adjustable_hours';
COMMENT ON COLUMN {{schema}}.projects.invoiced IS 'Paymo field invoiced';
COMMENT ON COLUMN {{schema}}.projects.invoice_item_id IS 'Paymo field invoice_item_id; references invoice_items.id';
COMMENT ON COLUMN {{schema}}.projects.workflow_id IS 'Paymo field workflow_id; references workflows.id';
COMMENT ON COLUMN {{schema}}.projects.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.projects.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.projects.billing_type IS 'Paymo field billing_type';
COMMENT ON COLUMN {{schema}}.projects.retainer_id IS 'Paymo field retainer_id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.projects._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.projects._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.projects._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.projects._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

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

CREATE TABLE {{schema}}.client_contacts (
    id bigint PRIMARY KEY,
    name text,
    email text,
    mobile text,
    phone text,
    fax text,
    skype text,
    notes text,
    position text,
    is_main boolean,
    access boolean,
    created_on timestamptz,
    updated_on timestamptz,
    image text,
    image_thumb_large text,
    image_thumb_medium text,
    image_thumb_small text,
    client_id bigint,
    additional_privileges jsonb,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX client_contacts_updated_on ON {{schema}}.client_contacts (updated_on);
CREATE INDEX client_contacts_client_id ON {{schema}}.client_contacts (client_id);
COMMENT ON TABLE {{schema}}.client_contacts IS 'People at the clients. From Paymo''s /api/clientcontacts.';
COMMENT ON COLUMN {{schema}}.client_contacts.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.client_contacts.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.client_contacts.email IS 'Paymo field email; personal data';
COMMENT ON COLUMN {{schema}}.client_contacts.mobile IS 'Paymo field mobile; personal data';
COMMENT ON COLUMN {{schema}}.client_contacts.phone IS 'Paymo field phone; personal data';
COMMENT ON COLUMN {{schema}}.client_contacts.fax IS 'Paymo field fax; personal data';
COMMENT ON COLUMN {{schema}}.client_contacts.skype IS 'Paymo field skype; personal data';
COMMENT ON COLUMN {{schema}}.client_contacts.notes IS 'Paymo field notes';
COMMENT ON COLUMN {{schema}}.client_contacts.position IS 'Paymo field position';
COMMENT ON COLUMN {{schema}}.client_contacts.is_main IS 'Paymo field is_main';
COMMENT ON COLUMN {{schema}}.client_contacts.access IS 'Paymo field access';
COMMENT ON COLUMN {{schema}}.client_contacts.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.client_contacts.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.client_contacts.image IS 'Paymo field image; personal data';
COMMENT ON COLUMN {{schema}}.client_contacts.image_thumb_large IS 'Paymo field image_thumb_large; personal data';
COMMENT ON COLUMN {{schema}}.client_contacts.image_thumb_medium IS 'Paymo field image_thumb_medium; personal data';
COMMENT ON COLUMN {{schema}}.client_contacts.image_thumb_small IS 'Paymo field image_thumb_small; personal data';
COMMENT ON COLUMN {{schema}}.client_contacts.client_id IS 'Paymo field client_id; references clients.id';
COMMENT ON COLUMN {{schema}}.client_contacts.additional_privileges IS 'Paymo field additional_privileges; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.client_contacts._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.client_contacts._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.client_contacts._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.client_contacts._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.invoices (
    id bigint PRIMARY KEY,
    number text,
    client_id bigint,
    template_id bigint,
    status text,
    currency text,
    date date,
    due_date date,
    subtotal numeric,
    total numeric,
    tax numeric,
    tax_amount numeric,
    tax2 numeric,
    tax2_amount numeric,
    discount numeric,
    discount_amount numeric,
    tax_on_tax boolean,
    language text,
    bill_to text,
    company_info text,
    footer text,
    notes text,
    outstanding numeric,
    tax_text text,
    tax2_text text,
    discount_text text,
    title text,
    delivery_date date,
    pay_online boolean,
    reminder_1_sent boolean,
    reminder_2_sent boolean,
    reminder_3_sent boolean,
    created_on timestamptz,
    updated_on timestamptz,
    active boolean,
    options jsonb,
    project_id bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX invoices_client_id ON {{schema}}.invoices (client_id);
CREATE INDEX invoices_template_id ON {{schema}}.invoices (template_id);
CREATE INDEX invoices_updated_on ON {{schema}}.invoices (updated_on);
CREATE INDEX invoices_project_id ON {{schema}}.invoices (project_id);
COMMENT ON TABLE {{schema}}.invoices IS 'Invoices. From Paymo''s /api/invoices.';
COMMENT ON COLUMN {{schema}}.invoices.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.invoices.number IS 'Paymo field number';
COMMENT ON COLUMN {{schema}}.invoices.client_id IS 'Paymo field client_id; references clients.id';
COMMENT ON COLUMN {{schema}}.invoices.template_id IS 'Paymo field template_id; references invoice_templates.id';
COMMENT ON COLUMN {{schema}}.invoices.status IS 'Paymo field status';
COMMENT ON COLUMN {{schema}}.invoices.currency IS 'Paymo field currency';
COMMENT ON COLUMN {{schema}}.invoices.date IS 'Paymo field date';
COMMENT ON COLUMN {{schema}}.invoices.due_date IS 'Paymo field due_date';
COMMENT ON COLUMN {{schema}}.invoices.subtotal IS 'Paymo field subtotal';
COMMENT ON COLUMN {{schema}}.invoices.total IS 'Paymo field total';
COMMENT ON COLUMN {{schema}}.invoices.tax IS 'Paymo field tax';
COMMENT ON COLUMN {{schema}}.invoices.tax_amount IS 'Paymo field tax_amount';
COMMENT ON COLUMN {{schema}}.invoices.tax2 IS 'Paymo field tax2';
COMMENT ON COLUMN {{schema}}.invoices.tax2_amount IS 'Paymo field tax2_amount';
COMMENT ON COLUMN {{schema}}.invoices.discount IS 'Paymo field discount';
COMMENT ON COLUMN {{schema}}.invoices.discount_amount IS 'Paymo field discount_amount';
COMMENT ON COLUMN {{schema}}.invoices.tax_on_tax IS 'Paymo field tax_on_tax';
COMMENT ON COLUMN {{schema}}.invoices.language IS 'Paymo field language';
COMMENT ON COLUMN {{schema}}.invoices.bill_to IS 'Paymo field bill_to; personal data';
COMMENT ON COLUMN {{schema}}.invoices.company_info IS 'Paymo field company_info';
COMMENT ON COLUMN {{schema}}.invoices.footer IS 'Paymo field footer';
COMMENT ON COLUMN {{schema}}.invoices.notes IS 'Paymo field notes';
COMMENT ON COLUMN {{schema}}.invoices.outstanding IS 'Paymo field outstanding';
COMMENT ON COLUMN {{schema}}.invoices.tax_text IS 'Paymo field tax_text';
COMMENT ON COLUMN {{schema}}.invoices.tax2_text IS 'Paymo field tax2_text';
COMMENT ON COLUMN {{schema}}.invoices.discount_text IS 'Paymo field discount_text';
COMMENT ON COLUMN {{schema}}.invoices.title IS 'Paymo field title';
COMMENT ON COLUMN {{schema}}.invoices.delivery_date IS 'Paymo field delivery_date';
COMMENT ON COLUMN {{schema}}.invoices.pay_online IS 'Paymo field pay_online';
COMMENT ON COLUMN {{schema}}.invoices.reminder_1_sent IS 'Paymo field reminder_1_sent';
COMMENT ON COLUMN {{schema}}.invoices.reminder_2_sent IS 'Paymo field reminder_2_sent';
COMMENT ON COLUMN {{schema}}.invoices.reminder_3_sent IS 'Paymo field reminder_3_sent';
COMMENT ON COLUMN {{schema}}.invoices.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.invoices.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.invoices.active IS 'Paymo field active; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.invoices.options IS 'Paymo field options; personal data; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.invoices.project_id IS 'Paymo field project_id; references projects.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.invoices._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.invoices._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.invoices._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.invoices._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

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

CREATE TABLE {{schema}}.invoice_payments (
    id bigint PRIMARY KEY,
    invoice_id bigint,
    amount numeric,
    date date,
    notes text,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX invoice_payments_invoice_id ON {{schema}}.invoice_payments (invoice_id);
CREATE INDEX invoice_payments_updated_on ON {{schema}}.invoice_payments (updated_on);
COMMENT ON TABLE {{schema}}.invoice_payments IS 'Payments of the invoices. From Paymo''s /api/invoicepayments.';
COMMENT ON COLUMN {{schema}}.invoice_payments.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.invoice_payments.invoice_id IS 'Paymo field invoice_id; references invoices.id';
COMMENT ON COLUMN {{schema}}.invoice_payments.amount IS 'Paymo field amount';
COMMENT ON COLUMN {{schema}}.invoice_payments.date IS 'Paymo field date';
COMMENT ON COLUMN {{schema}}.invoice_payments.notes IS 'Paymo field notes';
COMMENT ON COLUMN {{schema}}.invoice_payments.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.invoice_payments.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.invoice_payments._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.invoice_payments._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.invoice_payments._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.invoice_payments._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.estimates (
    id bigint PRIMARY KEY,
    number text,
    client_id bigint,
    template_id bigint,
    status text,
    currency text,
    date date,
    subtotal numeric,
    total numeric,
    tax numeric,
    tax_amount numeric,
    tax2 numeric,
    tax2_amount numeric,
    tax_on_tax boolean,
    language text,
    bill_to text,
    company_info text,
    footer text,
    notes text,
    tax_text text,
    tax2_text text,
    title text,
    brief_description text,
    discount numeric,
    discount_amount numeric,
    discount_text text,
    invoice_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX estimates_client_id ON {{schema}}.estimates (client_id);
CREATE INDEX estimates_template_id ON {{schema}}.estimates (template_id);
CREATE INDEX estimates_invoice_id ON {{schema}}.estimates (invoice_id);
CREATE INDEX estimates_updated_on ON {{schema}}.estimates (updated_on);
COMMENT ON TABLE {{schema}}.estimates IS 'Estimates. From Paymo''s /api/estimates.';
COMMENT ON COLUMN {{schema}}.estimates.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.estimates.number IS 'Paymo field number';
COMMENT ON COLUMN {{schema}}.estimates.client_id IS 'Paymo field client_id; references clients.id';
COMMENT ON COLUMN {{schema}}.estimates.template_id IS 'Paymo field template_id; references estimate_templates.id';
COMMENT ON COLUMN {{schema}}.estimates.status IS 'Paymo field status';
COMMENT ON COLUMN {{schema}}.estimates.currency IS 'Paymo field currency';
COMMENT ON COLUMN {{schema}}.estimates.date IS 'Paymo field date';
COMMENT ON COLUMN {{schema}}.estimates.subtotal IS 'Paymo field subtotal';
COMMENT ON COLUMN {{schema}}.estimates.total IS 'Paymo field total';
COMMENT ON COLUMN {{schema}}.estimates.tax IS 'Paymo field tax';
COMMENT ON COLUMN {{schema}}.estimates.tax_amount IS 'Paymo field tax_amount';
COMMENT ON COLUMN {{schema}}.estimates.tax2 IS 'Paymo field tax2';
COMMENT ON COLUMN {{schema}}.estimates.tax2_amount IS 'Paymo field tax2_amount';
COMMENT ON COLUMN {{schema}}.estimates.tax_on_tax IS 'Paymo field tax_on_tax';
COMMENT ON COLUMN {{schema}}.estimates.language IS 'Paymo field language';
COMMENT ON COLUMN {{schema}}.estimates.bill_to IS 'Paymo field bill_to; personal data';
COMMENT ON COLUMN {{schema}}.estimates.company_info IS 'Paymo field company_info';
COMMENT ON COLUMN {{schema}}.estimates.footer IS 'Paymo field footer';
COMMENT ON COLUMN {{schema}}.estimates.notes IS 'Paymo field notes';
COMMENT ON COLUMN {{schema}}.estimates.tax_text IS 'Paymo field tax_text';
COMMENT ON COLUMN {{schema}}.estimates.tax2_text IS 'Paymo field tax2_text';
COMMENT ON COLUMN {{schema}}.estimates.title IS 'Paymo field title';
COMMENT ON COLUMN {{schema}}.estimates.brief_description IS 'Paymo field brief_description';
COMMENT ON COLUMN {{schema}}.estimates.discount IS 'Paymo field discount';
COMMENT ON COLUMN {{schema}}.estimates.discount_amount IS 'Paymo field discount_amount';
COMMENT ON COLUMN {{schema}}.estimates.discount_text IS 'Paymo field discount_text';
COMMENT ON COLUMN {{schema}}.estimates.invoice_id IS 'Paymo field invoice_id; references invoices.id';
COMMENT ON COLUMN {{schema}}.estimates.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.estimates.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.estimates._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.estimates._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.estimates._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.estimates._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.estimate_items (
    id bigint PRIMARY KEY,
    item text,
    description text,
    price_unit numeric,
    quantity numeric,
    apply_tax boolean,
    seq bigint,
    created_on timestamptz,
    updated_on timestamptz,
    estimate_id bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX estimate_items_updated_on ON {{schema}}.estimate_items (updated_on);
CREATE INDEX estimate_items_estimate_id ON {{schema}}.estimate_items (estimate_id);
COMMENT ON TABLE {{schema}}.estimate_items IS 'Lines of the estimates. From Paymo''s /api/estimateitems, read with estimates.';
COMMENT ON COLUMN {{schema}}.estimate_items.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.estimate_items.item IS 'Paymo field item';
COMMENT ON COLUMN {{schema}}.estimate_items.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.estimate_items.price_unit IS 'Paymo field price_unit';
COMMENT ON COLUMN {{schema}}.estimate_items.quantity IS 'Paymo field quantity';
COMMENT ON COLUMN {{schema}}.estimate_items.apply_tax IS 'Paymo field apply_tax';
COMMENT ON COLUMN {{schema}}.estimate_items.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.estimate_items.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.estimate_items.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.estimate_items.estimate_id IS 'Paymo field estimate_id; references estimates.id';
COMMENT ON COLUMN {{schema}}.estimate_items._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.estimate_items._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.estimate_items._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.estimate_items._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.expenses (
    id bigint PRIMARY KEY,
    client_id bigint,
    project_id bigint,
    user_id bigint,
    amount numeric,
    currency text,
    date date,
    notes text,
    invoiced boolean,
    invoice_item_id bigint,
    tags jsonb,
    file text,
    image_thumb_large text,
    image_thumb_medium text,
    image_thumb_small text,
    created_on timestamptz,
    updated_on timestamptz,
    name text,
    price numeric,
    billable boolean,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX expenses_client_id ON {{schema}}.expenses (client_id);
CREATE INDEX expenses_project_id ON {{schema}}.expenses (project_id);
CREATE INDEX expenses_user_id ON {{schema}}.expenses (user_id);
CREATE INDEX expenses_invoice_item_id ON {{schema}}.expenses (invoice_item_id);
CREATE INDEX expenses_updated_on ON {{schema}}.expenses (updated_on);
COMMENT ON TABLE {{schema}}.expenses IS 'Expenses. From Paymo''s /api/expenses.';
COMMENT ON COLUMN {{schema}}.expenses.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.expenses.client_id IS 'Paymo field client_id; references clients.id';
COMMENT ON COLUMN {{schema}}.expenses.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.expenses.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.expenses.amount IS 'Paymo field amount';
COMMENT ON COLUMN {{schema}}.expenses.currency IS 'Paymo field currency';
COMMENT ON COLUMN {{schema}}.expenses.date IS 'Paymo field date';
COMMENT ON COLUMN {{schema}}.expenses.notes IS 'Paymo field notes';
COMMENT ON COLUMN {{schema}}.expenses.invoiced IS 'Paymo field invoiced';
COMMENT ON COLUMN {{schema}}.expenses.invoice_item_id IS 'Paymo field invoice_item_id; references invoice_items.id';
COMMENT ON COLUMN {{schema}}.expenses.tags IS 'Paymo field tags';
COMMENT ON COLUMN {{schema}}.expenses.file IS 'Paymo field file';
COMMENT ON COLUMN {{schema}}.expenses.image_thumb_large IS 'Paymo field image_thumb_large';
COMMENT ON COLUMN {{schema}}.expenses.image_thumb_medium IS 'Paymo field image_thumb_medium';
COMMENT ON COLUMN {{schema}}.expenses.image_thumb_small IS 'Paymo field image_thumb_small';
COMMENT ON COLUMN {{schema}}.expenses.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.expenses.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.expenses.name IS 'Paymo field name; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.expenses.price IS 'Paymo field price; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.expenses.billable IS 'Paymo field billable; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.expenses._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.expenses._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.expenses._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.expenses._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.recurring_profiles (
    id bigint PRIMARY KEY,
    created_on timestamptz,
    updated_on timestamptz,
    client_id bigint,
    currency text,
    frequency text,
    start_date date,
    template_id bigint,
    title text,
    subtotal numeric,
    total numeric,
    tax numeric,
    tax_amount numeric,
    tax_text text,
    tax2 numeric,
    tax2_amount numeric,
    tax2_text text,
    tax_on_tax boolean,
    discount numeric,
    discount_amount numeric,
    discount_text text,
    occurrences bigint,
    invoices_created bigint,
    last_created date,
    autosend boolean,
    bill_to text,
    company_info text,
    footer text,
    notes text,
    pay_online boolean,
    send_attachment boolean,
    options jsonb,
    language text,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX recurring_profiles_updated_on ON {{schema}}.recurring_profiles (updated_on);
CREATE INDEX recurring_profiles_client_id ON {{schema}}.recurring_profiles (client_id);
CREATE INDEX recurring_profiles_template_id ON {{schema}}.recurring_profiles (template_id);
COMMENT ON TABLE {{schema}}.recurring_profiles IS 'Schedules that make invoices. From Paymo''s /api/recurringprofiles.';
COMMENT ON COLUMN {{schema}}.recurring_profiles.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.recurring_profiles.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.recurring_profiles.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.recurring_profiles.client_id IS 'Paymo field client_id; references clients.id';
COMMENT ON COLUMN {{schema}}.recurring_profiles.currency IS 'Paymo field currency';
COMMENT ON COLUMN {{schema}}.recurring_profiles.frequency IS 'Paymo field frequency';
COMMENT ON COLUMN {{schema}}.recurring_profiles.start_date IS 'Paymo field start_date';
COMMENT ON COLUMN {{schema}}.recurring_profiles.template_id IS 'Paymo field template_id; references invoice_templates.id';
COMMENT ON COLUMN {{schema}}.recurring_profiles.title IS 'Paymo field title';
COMMENT ON COLUMN {{schema}}.recurring_profiles.subtotal IS 'Paymo field subtotal';
COMMENT ON COLUMN {{schema}}.recurring_profiles.total IS 'Paymo field total';
COMMENT ON COLUMN {{schema}}.recurring_profiles.tax IS 'Paymo field tax';
COMMENT ON COLUMN {{schema}}.recurring_profiles.tax_amount IS 'Paymo field tax_amount';
COMMENT ON COLUMN {{schema}}.recurring_profiles.tax_text IS 'Paymo field tax_text';
COMMENT ON COLUMN {{schema}}.recurring_profiles.tax2 IS 'Paymo field tax2';
COMMENT ON COLUMN {{schema}}.recurring_profiles.tax2_amount IS 'Paymo field tax2_amount';
COMMENT ON COLUMN {{schema}}.recurring_profiles.tax2_text IS 'Paymo field tax2_text';
COMMENT ON COLUMN {{schema}}.recurring_profiles.tax_on_tax IS 'Paymo field tax_on_tax';
COMMENT ON COLUMN {{schema}}.recurring_profiles.discount IS 'Paymo field discount';
COMMENT ON COLUMN {{schema}}.recurring_profiles.discount_amount IS 'Paymo field discount_amount';
COMMENT ON COLUMN {{schema}}.recurring_profiles.discount_text IS 'Paymo field discount_text';
COMMENT ON COLUMN {{schema}}.recurring_profiles.occurrences IS 'Paymo field occurrences';
COMMENT ON COLUMN {{schema}}.recurring_profiles.invoices_created IS 'Paymo field invoices_created';
COMMENT ON COLUMN {{schema}}.recurring_profiles.last_created IS 'Paymo field last_created';
COMMENT ON COLUMN {{schema}}.recurring_profiles.autosend IS 'Paymo field autosend';
COMMENT ON COLUMN {{schema}}.recurring_profiles.bill_to IS 'Paymo field bill_to; personal data';
COMMENT ON COLUMN {{schema}}.recurring_profiles.company_info IS 'Paymo field company_info';
COMMENT ON COLUMN {{schema}}.recurring_profiles.footer IS 'Paymo field footer';
COMMENT ON COLUMN {{schema}}.recurring_profiles.notes IS 'Paymo field notes';
COMMENT ON COLUMN {{schema}}.recurring_profiles.pay_online IS 'Paymo field pay_online';
COMMENT ON COLUMN {{schema}}.recurring_profiles.send_attachment IS 'Paymo field send_attachment';
COMMENT ON COLUMN {{schema}}.recurring_profiles.options IS 'Paymo field options';
COMMENT ON COLUMN {{schema}}.recurring_profiles.language IS 'Paymo field language';
COMMENT ON COLUMN {{schema}}.recurring_profiles._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.recurring_profiles._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.recurring_profiles._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.recurring_profiles._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.recurring_profile_items (
    id bigint PRIMARY KEY,
    created_on timestamptz,
    updated_on timestamptz,
    recurring_profile_id bigint,
    item text,
    description text,
    price_unit numeric,
    quantity numeric,
    apply_tax boolean,
    seq bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX recurring_profile_items_updated_on ON {{schema}}.recurring_profile_items (updated_on);
CREATE INDEX recurring_profile_items_recurring_profile_id ON {{schema}}.recurring_profile_items (recurring_profile_id);
COMMENT ON TABLE {{schema}}.recurring_profile_items IS 'Lines of the invoice schedules. From Paymo''s /api/recurringprofileitems, read with recurring_profiles.';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.recurring_profile_id IS 'Paymo field recurring_profile_id; references recurring_profiles.id';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.item IS 'Paymo field item';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.price_unit IS 'Paymo field price_unit';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.quantity IS 'Paymo field quantity';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.apply_tax IS 'Paymo field apply_tax';
COMMENT ON COLUMN {{schema}}.recurring_profile_items.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.recurring_profile_items._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.recurring_profile_items._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.recurring_profile_items._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.recurring_profile_items._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.invoice_templates (
    id bigint PRIMARY KEY,
    name text,
    title text,
    html text,
    css text,
    is_default boolean,
    created_on timestamptz,
    updated_on timestamptz,
    invoices_count bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX invoice_templates_updated_on ON {{schema}}.invoice_templates (updated_on);
COMMENT ON TABLE {{schema}}.invoice_templates IS 'Layouts of invoices. From Paymo''s /api/invoicetemplates.';
COMMENT ON COLUMN {{schema}}.invoice_templates.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.invoice_templates.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.invoice_templates.title IS 'Paymo field title';
COMMENT ON COLUMN {{schema}}.invoice_templates.html IS 'Paymo field html';
COMMENT ON COLUMN {{schema}}.invoice_templates.css IS 'Paymo field css';
COMMENT ON COLUMN {{schema}}.invoice_templates.is_default IS 'Paymo field is_default';
COMMENT ON COLUMN {{schema}}.invoice_templates.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.invoice_templates.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.invoice_templates.invoices_count IS 'Paymo field invoices_count; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.invoice_templates._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.invoice_templates._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.invoice_templates._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.invoice_templates._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.estimate_templates (
    id bigint PRIMARY KEY,
    name text,
    title text,
    html text,
    css text,
    is_default boolean,
    created_on timestamptz,
    updated_on timestamptz,
    estimates_count bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX estimate_templates_updated_on ON {{schema}}.estimate_templates (updated_on);
COMMENT ON TABLE {{schema}}.estimate_templates IS 'Layouts of estimates. From Paymo''s /api/estimatetemplates.';
COMMENT ON COLUMN {{schema}}.estimate_templates.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.estimate_templates.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.estimate_templates.title IS 'Paymo field title';
COMMENT ON COLUMN {{schema}}.estimate_templates.html IS 'Paymo field html';
COMMENT ON COLUMN {{schema}}.estimate_templates.css IS 'Paymo field css';
COMMENT ON COLUMN {{schema}}.estimate_templates.is_default IS 'Paymo field is_default';
COMMENT ON COLUMN {{schema}}.estimate_templates.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.estimate_templates.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.estimate_templates.estimates_count IS 'Paymo field estimates_count; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.estimate_templates._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.estimate_templates._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.estimate_templates._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.estimate_templates._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.project_templates (
    id bigint PRIMARY KEY,
    name text,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX project_templates_updated_on ON {{schema}}.project_templates (updated_on);
COMMENT ON TABLE {{schema}}.project_templates IS 'Templates of projects. From Paymo''s /api/projecttemplates.';
COMMENT ON COLUMN {{schema}}.project_templates.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.project_templates.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.project_templates.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.project_templates.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.project_templates._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.project_templates._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.project_templates._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.project_templates._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.project_template_tasklists (
    id bigint PRIMARY KEY,
    name text,
    seq bigint,
    template_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    milestone_id bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX project_template_tasklists_template_id ON {{schema}}.project_template_tasklists (template_id);
CREATE INDEX project_template_tasklists_updated_on ON {{schema}}.project_template_tasklists (updated_on);
CREATE INDEX project_template_tasklists_milestone_id ON {{schema}}.project_template_tasklists (milestone_id);
COMMENT ON TABLE {{schema}}.project_template_tasklists IS 'Task lists of the project templates. From Paymo''s /api/projecttemplatestasklists, read with project_templates.';
COMMENT ON COLUMN {{schema}}.project_template_tasklists.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.project_template_tasklists.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.project_template_tasklists.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.project_template_tasklists.template_id IS 'Paymo field template_id; references project_templates.id';
COMMENT ON COLUMN {{schema}}.project_template_tasklists.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.project_template_tasklists.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.project_template_tasklists.milestone_id IS 'Paymo field milestone_id; references milestones.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.project_template_tasklists._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.project_template_tasklists._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.project_template_tasklists._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.project_template_tasklists._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.project_template_tasks (
    id bigint PRIMARY KEY,
    name text,
    template_id bigint,
    tasklist_id bigint,
    seq bigint,
    description text,
    billable boolean,
    budget_hours numeric,
    price_per_hour numeric,
    users jsonb,
    created_on timestamptz,
    updated_on timestamptz,
    flat_billing boolean,
    estimated_price numeric,
    price numeric,
    duration bigint,
    start_date_offset bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX project_template_tasks_template_id ON {{schema}}.project_template_tasks (template_id);
CREATE INDEX project_template_tasks_tasklist_id ON {{schema}}.project_template_tasks (tasklist_id);
CREATE INDEX project_template_tasks_updated_on ON {{schema}}.project_template_tasks (updated_on);
COMMENT ON TABLE {{schema}}.project_template_tasks IS 'Tasks of the project templates. From Paymo''s /api/projecttemplatestasks, read with project_templates.';
COMMENT ON COLUMN {{schema}}.project_template_tasks.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.project_template_tasks.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.project_template_tasks.template_id IS 'Paymo field template_id; references project_templates.id';
COMMENT ON COLUMN {{schema}}.project_template_tasks.tasklist_id IS 'Paymo field tasklist_id; references project_template_tasklists.id';
COMMENT ON COLUMN {{schema}}.project_template_tasks.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.project_template_tasks.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.project_template_tasks.billable IS 'Paymo field billable';
COMMENT ON COLUMN {{schema}}.project_template_tasks.budget_hours IS 'Paymo field budget_hours';
COMMENT ON COLUMN {{schema}}.project_template_tasks.price_per_hour IS 'Paymo field price_per_hour';
COMMENT ON COLUMN {{schema}}.project_template_tasks.users IS 'Paymo field users';
COMMENT ON COLUMN {{schema}}.project_template_tasks.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.project_template_tasks.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.project_template_tasks.flat_billing IS 'Paymo field flat_billing; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.project_template_tasks.estimated_price IS 'Paymo field estimated_price; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.project_template_tasks.price IS 'Paymo field price; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.project_template_tasks.duration IS 'Paymo field duration; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.project_template_tasks.start_date_offset IS 'Paymo field start_date_offset; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.project_template_tasks._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.project_template_tasks._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.project_template_tasks._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.project_template_tasks._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.project_statuses (
    id bigint PRIMARY KEY,
    name text,
    active boolean,
    seq bigint,
    readonly boolean,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX project_statuses_updated_on ON {{schema}}.project_statuses (updated_on);
COMMENT ON TABLE {{schema}}.project_statuses IS 'The statuses a project can have. From Paymo''s /api/projectstatuses.';
COMMENT ON COLUMN {{schema}}.project_statuses.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.project_statuses.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.project_statuses.active IS 'Paymo field active';
COMMENT ON COLUMN {{schema}}.project_statuses.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.project_statuses.readonly IS 'Paymo field readonly';
COMMENT ON COLUMN {{schema}}.project_statuses.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.project_statuses.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.project_statuses._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.project_statuses._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.project_statuses._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.project_statuses._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.tasklists (
    id bigint PRIMARY KEY,
    name text,
    seq bigint,
    project_id bigint,
    milestone_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    tasks_count jsonb,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX tasklists_project_id ON {{schema}}.tasklists (project_id);
CREATE INDEX tasklists_milestone_id ON {{schema}}.tasklists (milestone_id);
CREATE INDEX tasklists_updated_on ON {{schema}}.tasklists (updated_on);
COMMENT ON TABLE {{schema}}.tasklists IS 'Task lists: the groups of tasks in a project. From Paymo''s /api/tasklists.';
COMMENT ON COLUMN {{schema}}.tasklists.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.tasklists.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.tasklists.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.tasklists.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.tasklists.milestone_id IS 'Paymo field milestone_id; references milestones.id';
COMMENT ON COLUMN {{schema}}.tasklists.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.tasklists.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.tasklists.tasks_count IS 'Paymo field tasks_count; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.tasklists._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.tasklists._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.tasklists._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.tasklists._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.task_recurring_profiles (
    id bigint PRIMARY KEY,
    name text,
    code text,
    project_id bigint,
    tasklist_id bigint,
    user_id bigint,
    task_user_id bigint,
    billable boolean,
    flat_billing boolean,
    description text,
    price_per_hour numeric,
    estimated_price numeric,
    budget_hours numeric,
    users jsonb,
    priority bigint,
    notifications text,
    frequency text,
    interval bigint,
    on_day jsonb,
    occurrences bigint,
    until date,
    active boolean,
    due_date_offset bigint,
    recurring_start_date date,
    generated_count bigint,
    last_generated_on date,
    next_processing_date date,
    processing_timezone text,
    processing_hour text,
    created_on timestamptz,
    updated_on timestamptz,
    task_id bigint,
    company_id bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX task_recurring_profiles_project_id ON {{schema}}.task_recurring_profiles (project_id);
CREATE INDEX task_recurring_profiles_tasklist_id ON {{schema}}.task_recurring_profiles (tasklist_id);
CREATE INDEX task_recurring_profiles_user_id ON {{schema}}.task_recurring_profiles (user_id);
CREATE INDEX task_recurring_profiles_task_user_id ON {{schema}}.task_recurring_profiles (task_user_id);
CREATE INDEX task_recurring_profiles_updated_on ON {{schema}}.task_recurring_profiles (updated_on);
CREATE INDEX task_recurring_profiles_task_id ON {{schema}}.task_recurring_profiles (task_id);
CREATE INDEX task_recurring_profiles_company_id ON {{schema}}.task_recurring_profiles (company_id);
COMMENT ON TABLE {{schema}}.task_recurring_profiles IS 'Schedules that make tasks. From Paymo''s /api/taskrecurringprofiles.';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.code IS 'Paymo field code';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.tasklist_id IS 'Paymo field tasklist_id; references tasklists.id';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.task_user_id IS 'Paymo field task_user_id; references users.id';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.billable IS 'Paymo field billable';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.flat_billing IS 'Paymo field flat_billing';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.price_per_hour IS 'Paymo field price_per_hour';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.estimated_price IS 'Paymo field estimated_price';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.budget_hours IS 'Paymo field budget_hours';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.users IS 'Paymo field users';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.priority IS 'Paymo field priority';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.notifications IS 'Paymo field notifications';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.frequency IS 'Paymo field frequency';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.interval IS 'Paymo field interval';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.on_day IS 'Paymo field on_day';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.occurrences IS 'Paymo field occurrences';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.until IS 'Paymo field until';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.active IS 'Paymo field active';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.due_date_offset IS 'Paymo field due_date_offset';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.recurring_start_date IS 'Paymo field recurring_start_date';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.generated_count IS 'Paymo field generated_count';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.last_generated_on IS 'Paymo field last_generated_on';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.next_processing_date IS 'Paymo field next_processing_date';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.processing_timezone IS 'Paymo field processing_timezone';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.processing_hour IS 'Paymo field processing_hour';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.task_id IS 'Paymo field task_id; references tasks.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles.company_id IS 'Paymo field company_id; references company.id';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.task_recurring_profiles._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.milestones (
    id bigint PRIMARY KEY,
    name text,
    project_id bigint,
    user_id bigint,
    due_date date,
    send_reminder bigint,
    reminder_sent boolean,
    complete boolean,
    linked_tasklists jsonb,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX milestones_project_id ON {{schema}}.milestones (project_id);
CREATE INDEX milestones_user_id ON {{schema}}.milestones (user_id);
CREATE INDEX milestones_updated_on ON {{schema}}.milestones (updated_on);
COMMENT ON TABLE {{schema}}.milestones IS 'Dates that a project has to meet. From Paymo''s /api/milestones.';
COMMENT ON COLUMN {{schema}}.milestones.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.milestones.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.milestones.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.milestones.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.milestones.due_date IS 'Paymo field due_date';
COMMENT ON COLUMN {{schema}}.milestones.send_reminder IS 'Paymo field send_reminder';
COMMENT ON COLUMN {{schema}}.milestones.reminder_sent IS 'Paymo field reminder_sent';
COMMENT ON COLUMN {{schema}}.milestones.complete IS 'Paymo field complete';
COMMENT ON COLUMN {{schema}}.milestones.linked_tasklists IS 'Paymo field linked_tasklists';
COMMENT ON COLUMN {{schema}}.milestones.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.milestones.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.milestones._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.milestones._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.milestones._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.milestones._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.workflows (
    id bigint PRIMARY KEY,
    name text,
    is_default boolean,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX workflows_updated_on ON {{schema}}.workflows (updated_on);
COMMENT ON TABLE {{schema}}.workflows IS 'Workflows: ordered sets of task statuses. From Paymo''s /api/workflows.';
COMMENT ON COLUMN {{schema}}.workflows.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.workflows.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.workflows.is_default IS 'Paymo field is_default';
COMMENT ON COLUMN {{schema}}.workflows.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.workflows.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.workflows._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.workflows._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.workflows._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.workflows._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.workflow_statuses (
    id bigint PRIMARY KEY,
    name text,
    workflow_id bigint,
    color text,
    seq bigint,
    action text,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX workflow_statuses_workflow_id ON {{schema}}.workflow_statuses (workflow_id);
CREATE INDEX workflow_statuses_updated_on ON {{schema}}.workflow_statuses (updated_on);
COMMENT ON TABLE {{schema}}.workflow_statuses IS 'The statuses of the workflows, which tasks go through. From Paymo''s /api/workflowstatuses.';
COMMENT ON COLUMN {{schema}}.workflow_statuses.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.workflow_statuses.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.workflow_statuses.workflow_id IS 'Paymo field workflow_id; references workflows.id';
COMMENT ON COLUMN {{schema}}.workflow_statuses.color IS 'Paymo field color; hexadecimal without a leading #';
COMMENT ON COLUMN {{schema}}.workflow_statuses.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.workflow_statuses.action IS 'Paymo field action';
COMMENT ON COLUMN {{schema}}.workflow_statuses.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.workflow_statuses.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.workflow_statuses._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.workflow_statuses._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.workflow_statuses._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.workflow_statuses._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.discussions (
    id bigint PRIMARY KEY,
    name text,
    description text,
    project_id bigint,
    user_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    comments_count bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX discussions_project_id ON {{schema}}.discussions (project_id);
CREATE INDEX discussions_user_id ON {{schema}}.discussions (user_id);
CREATE INDEX discussions_updated_on ON {{schema}}.discussions (updated_on);
COMMENT ON TABLE {{schema}}.discussions IS 'Discussions in a project. From Paymo''s /api/discussions.';
COMMENT ON COLUMN {{schema}}.discussions.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.discussions.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.discussions.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.discussions.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.discussions.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.discussions.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.discussions.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.discussions.comments_count IS 'Paymo field comments_count; undocumented: may be absent; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.discussions._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.discussions._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.discussions._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.discussions._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.comment_threads (
    id bigint PRIMARY KEY,
    project_id bigint,
    discussion_id bigint,
    task_id bigint,
    file_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX comment_threads_project_id ON {{schema}}.comment_threads (project_id);
CREATE INDEX comment_threads_discussion_id ON {{schema}}.comment_threads (discussion_id);
CREATE INDEX comment_threads_task_id ON {{schema}}.comment_threads (task_id);
CREATE INDEX comment_threads_file_id ON {{schema}}.comment_threads (file_id);
CREATE INDEX comment_threads_updated_on ON {{schema}}.comment_threads (updated_on);
COMMENT ON TABLE {{schema}}.comment_threads IS 'What a comment hangs on: a discussion, a task or a file has one thread. From Paymo''s /api/threads.';
COMMENT ON COLUMN {{schema}}.comment_threads.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.comment_threads.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.comment_threads.discussion_id IS 'Paymo field discussion_id; references discussions.id';
COMMENT ON COLUMN {{schema}}.comment_threads.task_id IS 'Paymo field task_id; references tasks.id';
COMMENT ON COLUMN {{schema}}.comment_threads.file_id IS 'Paymo field file_id; references files.id';
COMMENT ON COLUMN {{schema}}.comment_threads.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.comment_threads.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.comment_threads._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.comment_threads._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.comment_threads._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.comment_threads._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.reports (
    id bigint PRIMARY KEY,
    name text,
    user_id bigint,
    type text,
    start_date text,
    end_date text,
    date_interval text,
    projects jsonb,
    clients jsonb,
    users jsonb,
    include jsonb,
    extra jsonb,
    info jsonb,
    content jsonb,
    shared boolean,
    share_client_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    active boolean,
    share_users_ids jsonb,
    invoice_id bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX reports_user_id ON {{schema}}.reports (user_id);
CREATE INDEX reports_share_client_id ON {{schema}}.reports (share_client_id);
CREATE INDEX reports_updated_on ON {{schema}}.reports (updated_on);
CREATE INDEX reports_invoice_id ON {{schema}}.reports (invoice_id);
COMMENT ON TABLE {{schema}}.reports IS 'Saved reports. From Paymo''s /api/reports.';
COMMENT ON COLUMN {{schema}}.reports.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.reports.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.reports.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.reports.type IS 'Paymo field type';
COMMENT ON COLUMN {{schema}}.reports.start_date IS 'Paymo field start_date';
COMMENT ON COLUMN {{schema}}.reports.end_date IS 'Paymo field end_date';
COMMENT ON COLUMN {{schema}}.reports.date_interval IS 'Paymo field date_interval';
COMMENT ON COLUMN {{schema}}.reports.projects IS 'Paymo field projects';
COMMENT ON COLUMN {{schema}}.reports.clients IS 'Paymo field clients';
COMMENT ON COLUMN {{schema}}.reports.users IS 'Paymo field users';
COMMENT ON COLUMN {{schema}}.reports.include IS 'Paymo field include';
COMMENT ON COLUMN {{schema}}.reports.extra IS 'Paymo field extra';
COMMENT ON COLUMN {{schema}}.reports.info IS 'Paymo field info';
COMMENT ON COLUMN {{schema}}.reports.content IS 'Paymo field content';
COMMENT ON COLUMN {{schema}}.reports.shared IS 'Paymo field shared';
COMMENT ON COLUMN {{schema}}.reports.share_client_id IS 'Paymo field share_client_id; references clients.id';
COMMENT ON COLUMN {{schema}}.reports.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.reports.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.reports.active IS 'Paymo field active; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.reports.share_users_ids IS 'Paymo field share_users_ids; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.reports.invoice_id IS 'Paymo field invoice_id; references invoices.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.reports._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.reports._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.reports._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.reports._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.bookings (
    id bigint PRIMARY KEY,
    user_task_id bigint,
    start_date date,
    end_date date,
    hours_per_day numeric,
    description text,
    created_on timestamptz,
    updated_on timestamptz,
    creator_id bigint,
    user_id bigint,
    start_time text,
    end_time text,
    booked_hours numeric,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX bookings_user_task_id ON {{schema}}.bookings (user_task_id);
CREATE INDEX bookings_updated_on ON {{schema}}.bookings (updated_on);
CREATE INDEX bookings_creator_id ON {{schema}}.bookings (creator_id);
CREATE INDEX bookings_user_id ON {{schema}}.bookings (user_id);
COMMENT ON TABLE {{schema}}.bookings IS 'Time planned: a user''s hours a day on a task, over a range of days. From Paymo''s /api/bookings.';
COMMENT ON COLUMN {{schema}}.bookings.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.bookings.user_task_id IS 'Paymo field user_task_id; references task_assignments.id';
COMMENT ON COLUMN {{schema}}.bookings.start_date IS 'Paymo field start_date';
COMMENT ON COLUMN {{schema}}.bookings.end_date IS 'Paymo field end_date';
COMMENT ON COLUMN {{schema}}.bookings.hours_per_day IS 'Paymo field hours_per_day';
COMMENT ON COLUMN {{schema}}.bookings.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.bookings.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.bookings.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.bookings.creator_id IS 'Paymo field creator_id; references users.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.bookings.user_id IS 'Paymo field user_id; references users.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.bookings.start_time IS 'Paymo field start_time; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.bookings.end_time IS 'Paymo field end_time; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.bookings.booked_hours IS 'Paymo field booked_hours; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.bookings._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.bookings._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.bookings._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.bookings._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.tasks (
    id bigint PRIMARY KEY,
    name text,
    code text,
    project_id bigint,
    tasklist_id bigint,
    seq bigint,
    description text,
    complete boolean,
    completed_on timestamptz,
    completed_by bigint,
    due_date date,
    user_id bigint,
    users jsonb,
    billable boolean,
    flat_billing boolean,
    price_per_hour numeric,
    budget_hours numeric,
    estimated_price numeric,
    invoiced boolean,
    invoice_item_id bigint,
    priority bigint,
    status_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    cover_file_id bigint,
    price numeric,
    start_date date,
    recurring_profile_id bigint,
    billing_type text,
    files_count bigint,
    comments_count bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX tasks_project_id ON {{schema}}.tasks (project_id);
CREATE INDEX tasks_tasklist_id ON {{schema}}.tasks (tasklist_id);
CREATE INDEX tasks_completed_by ON {{schema}}.tasks (completed_by);
CREATE INDEX tasks_user_id ON {{schema}}.tasks (user_id);
CREATE INDEX tasks_invoice_item_id ON {{schema}}.tasks (invoice_item_id);
CREATE INDEX tasks_status_id ON {{schema}}.tasks (status_id);
CREATE INDEX tasks_updated_on ON {{schema}}.tasks (updated_on);
CREATE INDEX tasks_cover_file_id ON {{schema}}.tasks (cover_file_id);
CREATE INDEX tasks_recurring_profile_id ON {{schema}}.tasks (recurring_profile_id);
COMMENT ON TABLE {{schema}}.tasks IS 'Tasks. From Paymo''s /api/tasks.';
COMMENT ON COLUMN {{schema}}.tasks.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.tasks.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.tasks.code IS 'Paymo field code';
COMMENT ON COLUMN {{schema}}.tasks.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.tasks.tasklist_id IS 'Paymo field tasklist_id; references tasklists.id';
COMMENT ON COLUMN {{schema}}.tasks.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.tasks.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.tasks.complete IS 'Paymo field complete';
COMMENT ON COLUMN {{schema}}.tasks.completed_on IS 'Paymo field completed_on';
COMMENT ON COLUMN {{schema}}.tasks.completed_by IS 'Paymo field completed_by; references users.id';
COMMENT ON COLUMN {{schema}}.tasks.due_date IS 'Paymo field due_date';
COMMENT ON COLUMN {{schema}}.tasks.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.tasks.users IS 'Paymo field users';
COMMENT ON COLUMN {{schema}}.tasks.billable IS 'Paymo field billable';
COMMENT ON COLUMN {{schema}}.tasks.flat_billing IS 'Paymo field flat_billing';
COMMENT ON COLUMN {{schema}}.tasks.price_per_hour IS 'Paymo field price_per_hour';
COMMENT ON COLUMN {{schema}}.tasks.budget_hours IS 'Paymo field budget_hours';
COMMENT ON COLUMN {{schema}}.tasks.estimated_price IS 'Paymo field estimated_price; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.tasks.invoiced IS 'Paymo field invoiced';
COMMENT ON COLUMN {{schema}}.tasks.invoice_item_id IS 'Paymo field invoice_item_id; references invoice_items.id';
COMMENT ON COLUMN {{schema}}.tasks.priority IS 'Paymo field priority';
COMMENT ON COLUMN {{schema}}.tasks.status_id IS 'Paymo field status_id; references workflow_statuses.id';
COMMENT ON COLUMN {{schema}}.tasks.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.tasks.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.tasks.cover_file_id IS 'Paymo field cover_file_id; references files.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.tasks.price IS 'Paymo field price; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.tasks.start_date IS 'Paymo field start_date; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.tasks.recurring_profile_id IS 'Paymo field recurring_profile_id; references task_recurring_profiles.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.tasks.billing_type IS 'Paymo field billing_type; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.tasks.files_count IS 'Paymo field files_count; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.tasks.comments_count IS 'Paymo field comments_count; moves without updated_on: brought up to date by a full sync';
COMMENT ON COLUMN {{schema}}.tasks._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.tasks._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.tasks._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.tasks._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.subtasks (
    id bigint PRIMARY KEY,
    name text,
    complete boolean,
    project_id bigint,
    user_id bigint,
    task_id bigint,
    seq bigint,
    completed_on timestamptz,
    completed_by bigint,
    created_on timestamptz,
    updated_on timestamptz,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX subtasks_project_id ON {{schema}}.subtasks (project_id);
CREATE INDEX subtasks_user_id ON {{schema}}.subtasks (user_id);
CREATE INDEX subtasks_task_id ON {{schema}}.subtasks (task_id);
CREATE INDEX subtasks_completed_by ON {{schema}}.subtasks (completed_by);
CREATE INDEX subtasks_updated_on ON {{schema}}.subtasks (updated_on);
COMMENT ON TABLE {{schema}}.subtasks IS 'Subtasks: the checklist of a task. From Paymo''s /api/subtasks.';
COMMENT ON COLUMN {{schema}}.subtasks.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.subtasks.name IS 'Paymo field name';
COMMENT ON COLUMN {{schema}}.subtasks.complete IS 'Paymo field complete';
COMMENT ON COLUMN {{schema}}.subtasks.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.subtasks.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.subtasks.task_id IS 'Paymo field task_id; references tasks.id';
COMMENT ON COLUMN {{schema}}.subtasks.seq IS 'Paymo field seq';
COMMENT ON COLUMN {{schema}}.subtasks.completed_on IS 'Paymo field completed_on';
COMMENT ON COLUMN {{schema}}.subtasks.completed_by IS 'Paymo field completed_by; references users.id';
COMMENT ON COLUMN {{schema}}.subtasks.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.subtasks.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.subtasks._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.subtasks._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.subtasks._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.subtasks._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.task_assignments (
    id bigint PRIMARY KEY,
    user_id bigint,
    task_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    tracked_time bigint,
    task_complete boolean,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX task_assignments_user_id ON {{schema}}.task_assignments (user_id);
CREATE INDEX task_assignments_task_id ON {{schema}}.task_assignments (task_id);
CREATE INDEX task_assignments_updated_on ON {{schema}}.task_assignments (updated_on);
COMMENT ON TABLE {{schema}}.task_assignments IS 'Which user is assigned to which task. From Paymo''s /api/userstasks.';
COMMENT ON COLUMN {{schema}}.task_assignments.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.task_assignments.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.task_assignments.task_id IS 'Paymo field task_id; references tasks.id';
COMMENT ON COLUMN {{schema}}.task_assignments.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.task_assignments.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.task_assignments.tracked_time IS 'Paymo field tracked_time; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.task_assignments.task_complete IS 'Paymo field task_complete; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.task_assignments._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.task_assignments._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.task_assignments._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.task_assignments._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.comments (
    id bigint PRIMARY KEY,
    content text,
    thread_id bigint,
    user_id bigint,
    created_on timestamptz,
    updated_on timestamptz,
    task_id bigint,
    discussion_id bigint,
    file_id bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX comments_thread_id ON {{schema}}.comments (thread_id);
CREATE INDEX comments_user_id ON {{schema}}.comments (user_id);
CREATE INDEX comments_updated_on ON {{schema}}.comments (updated_on);
CREATE INDEX comments_task_id ON {{schema}}.comments (task_id);
CREATE INDEX comments_discussion_id ON {{schema}}.comments (discussion_id);
CREATE INDEX comments_file_id ON {{schema}}.comments (file_id);
COMMENT ON TABLE {{schema}}.comments IS 'Comments. From Paymo''s /api/comments, read with comment_threads.';
COMMENT ON COLUMN {{schema}}.comments.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.comments.content IS 'Paymo field content';
COMMENT ON COLUMN {{schema}}.comments.thread_id IS 'Paymo field thread_id; references comment_threads.id';
COMMENT ON COLUMN {{schema}}.comments.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.comments.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.comments.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.comments.task_id IS 'Paymo field task_id; references tasks.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.comments.discussion_id IS 'Paymo field discussion_id; references discussions.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.comments.file_id IS 'Paymo field file_id; references files.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.comments._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.comments._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.comments._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.comments._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

CREATE TABLE {{schema}}.files (
    id bigint PRIMARY KEY,
    original_filename text,
    description text,
    user_id bigint,
    project_id bigint,
    discussion_id bigint,
    task_id bigint,
    comment_id bigint,
    size bigint,
    file text,
    image_thumb_large text,
    image_thumb_medium text,
    image_thumb_small text,
    created_on timestamptz,
    updated_on timestamptz,
    mime text,
    external_url text,
    external_service text,
    download_url text,
    tags jsonb,
    expense_id bigint,
    _synced_at timestamptz NOT NULL,
    _deleted_at timestamptz,
    _extra jsonb,
    _issues jsonb
);
CREATE INDEX files_user_id ON {{schema}}.files (user_id);
CREATE INDEX files_project_id ON {{schema}}.files (project_id);
CREATE INDEX files_discussion_id ON {{schema}}.files (discussion_id);
CREATE INDEX files_task_id ON {{schema}}.files (task_id);
CREATE INDEX files_comment_id ON {{schema}}.files (comment_id);
CREATE INDEX files_updated_on ON {{schema}}.files (updated_on);
CREATE INDEX files_expense_id ON {{schema}}.files (expense_id);
COMMENT ON TABLE {{schema}}.files IS 'Files: names, sizes and owners, not their content. From Paymo''s /api/files.';
COMMENT ON COLUMN {{schema}}.files.id IS 'Paymo field id';
COMMENT ON COLUMN {{schema}}.files.original_filename IS 'Paymo field original_filename';
COMMENT ON COLUMN {{schema}}.files.description IS 'Paymo field description';
COMMENT ON COLUMN {{schema}}.files.user_id IS 'Paymo field user_id; references users.id';
COMMENT ON COLUMN {{schema}}.files.project_id IS 'Paymo field project_id; references projects.id';
COMMENT ON COLUMN {{schema}}.files.discussion_id IS 'Paymo field discussion_id; references discussions.id';
COMMENT ON COLUMN {{schema}}.files.task_id IS 'Paymo field task_id; references tasks.id';
COMMENT ON COLUMN {{schema}}.files.comment_id IS 'Paymo field comment_id; references comments.id';
COMMENT ON COLUMN {{schema}}.files.size IS 'Paymo field size; bytes';
COMMENT ON COLUMN {{schema}}.files.file IS 'Paymo field file';
COMMENT ON COLUMN {{schema}}.files.image_thumb_large IS 'Paymo field image_thumb_large';
COMMENT ON COLUMN {{schema}}.files.image_thumb_medium IS 'Paymo field image_thumb_medium';
COMMENT ON COLUMN {{schema}}.files.image_thumb_small IS 'Paymo field image_thumb_small';
COMMENT ON COLUMN {{schema}}.files.created_on IS 'Paymo field created_on';
COMMENT ON COLUMN {{schema}}.files.updated_on IS 'Paymo field updated_on';
COMMENT ON COLUMN {{schema}}.files.mime IS 'Paymo field mime';
COMMENT ON COLUMN {{schema}}.files.external_url IS 'Paymo field external_url; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.files.external_service IS 'Paymo field external_service; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.files.download_url IS 'Paymo field download_url; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.files.tags IS 'Paymo field tags';
COMMENT ON COLUMN {{schema}}.files.expense_id IS 'Paymo field expense_id; references expenses.id; undocumented: may be absent';
COMMENT ON COLUMN {{schema}}.files._synced_at IS 'when paymosync last wrote this row';
COMMENT ON COLUMN {{schema}}.files._deleted_at IS 'when it was proven that the row is gone from Paymo; null while it is there';
COMMENT ON COLUMN {{schema}}.files._extra IS 'fields of the row that paymosync has no column for; null for none';
COMMENT ON COLUMN {{schema}}.files._issues IS 'values that do not fit their column, as Paymo sent them; null for none';

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

-- +goose Down
-- Refused: it would delete the warehouse, which only a new first load could fill again.
-- +goose StatementBegin
DO $$
BEGIN
    RAISE EXCEPTION 'the tables of the warehouse are not taken down by a migration'
        USING HINT = 'To delete them, drop the schema and schema paymosync by hand.';
END
$$;
-- +goose StatementEnd
