package paymotest

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

func (s *seeder) seedPeople() {
	roles := []string{"Admin", "Employee", "Guest", "Project Manager"}
	first, last := firstNames(), lastNames()
	for n := range s.cfg.Users {
		name := first[n%len(first)] + " " + last[(n*7+n/len(first))%len(last)]
		role := "Employee"
		if n < len(roles) {
			role = roles[n]
		} else if s.chance(8) {
			role = "Admin"
		}
		f := fields{
			"name": name, "type": role, "active": n < len(roles) || !s.chance(7),
			"email":    strings.ToLower(strings.Fields(name)[0]) + fmt.Sprintf("%d@agency.invalid", n),
			"timezone": pick(s.rng, []string{"Europe/Bucharest", "Europe/London", "US/Eastern", "America/New_York"}),
			"phone":    s.maybe(2, fmt.Sprintf("+40 700 %06d", s.rng.IntN(1_000_000))), "skype": s.maybe(4, "live:agency"),
			"position":      pick(s.rng, []string{"Designer", "Developer", "Project manager", "Copywriter", ""}),
			"workday_hours": pick(s.rng, []float64{8, 7.5, 6, 4}), "price_per_hour": s.maybe(2, cents(int64(6000+500*s.rng.IntN(20)))),
			"date_format": "Y-m-d", "time_format": "H:i", "decimal_sep": ".", "thousands_sep": ",", "week_start": "1",
			"language": "en", "theme": pick(s.rng, []string{"light", "dark"}), "assigned_projects": []int64{}, "managed_projects": []int64{},
			"is_online": s.chance(3),
		}
		if n%2 == 0 { // fields that the reference does not name come on some rows only
			f["annual_leave_days_number"], f["has_submitted_review"] = 21+n%5, "false"
			f["menu_shortcut"], f["workflows"] = []string{"projects", "timesheets"}, []int64{}
			f["additional_privileges"] = []string{"invoices"}
		}
		s.picture(f, n)
		s.users = append(s.users, s.add("users", s.when(n, s.cfg.Users*4), f))
	}

	clients := clientNames()
	for n := range s.cfg.Clients {
		name := clients[n%len(clients)]
		if n >= len(clients) {
			name += fmt.Sprintf(" %d", n/len(clients)+1)
		}
		made := s.when(n, s.cfg.Clients*2)
		where := (n + 2) % len(cities())
		f := fields{
			"name": name, "address": fmt.Sprintf("%d High Street", 1+s.rng.IntN(200)), "city": cities()[where], "country": countries()[where],
			"postal_code": fmt.Sprintf("%05d", s.rng.IntN(99999)), "state": states()[where], "phone": s.maybe(2, "+44 20 7946 0123"),
			"fax": "", "email": fmt.Sprintf("office%d@client.invalid", n), "website": s.maybe(2, "https://client.invalid/?a=1&b=2"),
			"active": !s.chance(6), "fiscal_information": s.maybe(2, "VAT GB 123 4567 89\r\nReg. 0042"),
		}
		if n%2 == 0 {
			f["due_interval"], f["additional_privileges"] = 14+n%3*8, []string{}
		}
		if n == 0 {
			f["fax"] = "+44 20 7946 0124"
			f["loyalty_tier"] = "gold" // a field that nobody knows yet
			f["portal_login_link"] = Canary + "-clients-portal_login_link"
		}
		s.picture(f, n)
		id := s.add("clients", made, f)
		s.clients = append(s.clients, id)
		for c := range 1 + s.rng.IntN(3) {
			who := pick(s.rng, firstNames()) + " " + pick(s.rng, lastNames())
			f := fields{
				"name": who, "email": fmt.Sprintf("contact%d.%d@client.invalid", n, c), "mobile": s.maybe(2, "+44 7700 900123"), "phone": "",
				"fax": s.maybe(5, "+44 20 7946 0125"), "skype": s.maybe(4, "live:contact"), "notes": s.maybe(3, "Prefers <i>email</i>"),
				"position": pick(s.rng, []string{"CEO", "Marketing", "Accounting", ""}), "is_main": c == 0, "access": s.chance(3), "client_id": id,
			}
			if n == 0 {
				f["fax"], f["skype"], f["notes"], f["mobile"] = "+44 20 7946 0125", "live:main", "Knows the budget", "+44 7700 900999"
				f["phone"] = "+44 20 7946 0126"
				f["additional_privileges"] = []string{"estimates"}
			}
			s.picture(f, n+c)
			s.add("client_contacts", made.Add(time.Hour), f)
		}
	}
	for n, event := range []string{"*", "model.insert.Task", "model.update.*"} {
		s.add("webhooks", s.when(n, 3), fields{"target_url": fmt.Sprintf("https://hooks.agency.invalid/%d", n), "event": event,
			"where": s.maybe(2, "project_id=4"), "last_status_code": []any{200, nil, 410}[n]})
	}
	// The first hook has every field.
	hook := s.view.table("webhooks").rows[0]
	s.repair("webhooks", hook.id, fields{"where": "billable=true"})
}

// repair changes a seeded object without touching its times.
func (s *seeder) repair(table string, id int64, f fields) {
	t := s.view.table(table)
	i := t.search(id)
	o := t.rows[i].decode()
	maps.Copy(o, f)
	r, err := newRow(t.res, o)
	if err != nil {
		panic(err) // a bug: the fields are fixed
	}
	t.rows[i], t.links = r, &links{} // nobody reads yet
}

func (s *seeder) seedCompany() {
	f := fields{
		"id": s.companyID(), "name": []string{"Pixel & Plum Agency", "Second Wind Studio"}[min(s.company, 1)], "address": "12 Mill Lane\r\nOradea", "phone": "+40 259 000 000",
		"email": "hello@agency.invalid", "url": "https://agency.invalid", "fiscal_information": "RO 1234567", "country": "RO",
		"timezone": "Europe/Bucharest", "default_currency": "EUR", "default_price_per_hour": 75.5, "apply_tax_to_expenses": "0", "tax_on_tax": "0",
		"currency_position": "left", "next_invoice_number": "INV-2042", "next_estimate_number": "EST-108", "online_payments": true,
		"date_format": "Y-m-d", "time_format": "H:i", "decimal_sep": ".", "thousands_sep": ",", "week_start": "1", "workday_start": "09:00",
		"workday_end": "18:00", "working_days": "1,2,3,4,5", "account_type": "business", "max_users": 50, "current_users": len(s.users),
		"max_projects": nil, "current_projects": len(s.projects), "max_invoices": nil, "current_invoices": len(s.view.table("invoices").rows),
		"due_interval": "30", "estimate_format": "EST-{number}", "hide_tax_field": "0", "invoice_format": "INV-{number}", "language": "en",
		"active": true, "default_tax": "19", "default_tax2": "0", "default_tax_text": "VAT", "default_tax2_text": "City tax", "payment_reminder_1": "7",
		"payment_reminder_2": "14", "payment_reminder_3": "30", "remove_paymo_branding": "1", "company_size": "11-50", "footer_unit_measure": "px",
		"invoice_page_footer": "<p>Thank you</p>", "invoice_page_footer_height": "40", "invoice_page_margin_width": "20", "margin_unit_measure": "px",
		"pdf_format_size": "A4", "new_invoice_email_subj_tpl": "Invoice {number}", "new_invoice_email_body_tpl": "Dear {client},\r\n…",
		"new_estimate_email_subj_tpl": "Estimate {number}", "new_estimate_email_body_tpl": "Dear {client}", "new_paymentreminder_email_subj_tpl": "Reminder",
		"new_paymentreminder_email_body_tpl": "Please pay", "invoice_bill_to_fields": "name,address", "default_invoice_footer": "Thank you", "default_estimate_footer": "Valid for 30 days",
		"custom_smtp_auth_type": "login", "custom_smtp_port": "587", "show_delivery_date": false, "custom_domain": "projects.agency.invalid", "trial_ends_on": s.since.AddDate(0, 0, 15),
		"default_invoice_template": s.templates[0], "default_estimate_template": s.estTemplates[0], "max_estimates": 1000, "max_recurring_profiles": 100,
		"max_expenses": 5000, "current_estimates": 20, "current_recurring_profiles": 4, "current_expenses": 60,
		// Unknown to the catalogue, and not to be kept: some of a company's settings are credentials.
		"smtp_relay_password": Canary + "-company-smtp_relay_password", "beta_features": "on",
	}
	for _, card := range []string{"amex", "diners", "discover", "jcb", "mastercard", "visa"} {
		f["op_authorize_accepted_cc_"+card] = card == "visa"
	}
	f["max_projects"], f["max_invoices"] = 500, 9999
	s.picture(f, 0)
	s.add("company", s.since, f)
}
