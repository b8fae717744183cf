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
