package paymotest

import (
	"fmt"
)

// sum is an invoice's arithmetic, in cents: items, discount, taxes.
type sum struct {
	subtotal, taxable   int64
	tax, tax2, discount int64 // percent
	taxAmount, tax2Amt  int64
	discountAmt, total  int64
	taxOnTax            bool
}

func (m *sum) add(price, quantityHundredths int64, taxed bool) {
	line := (price*quantityHundredths + 50) / 100
	m.subtotal += line
	if taxed {
		m.taxable += line
	}
}

func (m *sum) settle() {
	percent := func(n, rate int64) int64 { return (n*rate + 50) / 100 }
	m.discountAmt = percent(m.subtotal, m.discount)
	base := m.taxable - percent(m.taxable, m.discount)
	m.taxAmount = percent(base, m.tax)
	if m.taxOnTax {
		base += m.taxAmount
	}
	m.tax2Amt = percent(base, m.tax2)
	m.total = m.subtotal - m.discountAmt + m.taxAmount + m.tax2Amt
}

// fields adds the sums to an invoice, an estimate or a recurring profile.
func (m *sum) fields(f fields) {
	f["subtotal"], f["total"] = cents(m.subtotal), cents(m.total)
	f["tax"], f["tax_amount"], f["tax_text"] = m.tax, cents(m.taxAmount), "VAT"
	f["tax2"], f["tax2_amount"], f["tax2_text"] = m.tax2, cents(m.tax2Amt), ""
	f["discount"], f["discount_amount"], f["discount_text"] = m.discount, cents(m.discountAmt), ""
	f["tax_on_tax"] = m.taxOnTax
	if m.tax2 > 0 {
		f["tax2_text"] = "City tax"
	}
	if m.discount > 0 {
		f["discount_text"] = "Loyal customer"
	}
}

type item struct {
	fields
	price, quantity int64
}

// bill draws items and their sums.
func (s *seeder) items(n int) ([]item, sum) {
	m := sum{tax: 19, taxOnTax: s.chance(4)}
	if s.chance(3) {
		m.tax2 = 2
	}
	if s.chance(3) {
		m.discount = 5
	}
	var items []item
	for seq := range n {
		it := item{price: int64(2500 + 125*s.rng.IntN(80)), quantity: int64(25 * (1 + s.rng.IntN(120)))}
		taxed := !s.chance(6)
		it.fields = fields{"item": pick(s.rng, itemNames()), "description": pick(s.rng, []string{"", "As agreed", "<p>Phase 2 &amp; support</p>"}),
			"price_unit": cents(it.price), "quantity": cents(it.quantity), "apply_tax": taxed, "seq": seq}
		m.add(it.price, it.quantity, taxed)
		items = append(items, it)
	}
	m.settle()
	return items, m
}

// letterhead is what invoices, estimates and recurring profiles share.
func (s *seeder) letterhead(client int64, template int64, title string) fields {
	return fields{"client_id": client, "template_id": template, "currency": pick(s.rng, []string{"EUR", "EUR", "USD", "GBP"}), "language": "en",
		"bill_to": "Client Ltd.\r\n12 High Street", "company_info": "Pixel & Plum Agency\r\nOradea", "footer": pick(s.rng, []string{"", "Thank you!"}),
		"notes": pick(s.rng, []any{"", nil, "Payable within 30 days"}), "title": title}
}

func (s *seeder) seedMoney() {
	if len(s.clients) == 0 || len(s.projects) == 0 {
		return
	}
	for n := range s.cfg.Invoices {
		s.seedInvoice(n)
	}
	for n := range max(2, s.cfg.Projects/2) {
		items, m := s.items(1 + n%4)
		made := s.when(n, max(2, s.cfg.Projects/2))
		f := s.letterhead(pick(s.rng, s.clients), pick(s.rng, s.estTemplates), "ESTIMATE")
		m.fields(f)
		f["number"], f["status"], f["date"] = fmt.Sprintf("EST-%d", n+1), pick(s.rng, []string{"draft", "sent", "accepted", "invoiced"}), date(made)
		f["brief_description"] = pick(s.rng, []string{"", "Relaunch in three phases"})
		f["invoice_id"] = nil
		if rows := s.view.table("invoices").rows; len(rows) > 0 && (n == 0 || s.chance(4)) {
			f["invoice_id"] = pick(s.rng, rows).id
		}
		id := s.add("estimates", made, f)
		for _, it := range items {
			it.fields["estimate_id"] = id
			s.add("estimate_items", made, it.fields)
		}
	}
	s.seedProfiles()
	s.seedExpenses()
}

func (s *seeder) seedInvoice(n int) {
	made := s.when(n, s.cfg.Invoices)
	var open []int64 // projects that have begun and have someone to bill
	for _, p := range s.projects {
		if s.clientOf[p] != 0 && s.projectAge[p].Before(made) {
			open = append(open, p)
		}
	}
	project, client := int64(0), pick(s.rng, s.clients)
	if len(open) > 0 {
		project = pick(s.rng, open)
		client = s.clientOf[project]
	}
	items, m := s.items(1 + s.rng.IntN(5))
	status := pick(s.rng, []string{"draft", "sent", "viewed", "paid", "paid", "void"})
	f := s.letterhead(client, pick(s.rng, s.templates), "INVOICE")
	m.fields(f)
	f["number"], f["status"], f["date"], f["due_date"] = fmt.Sprintf("INV-%04d", n+1), status, date(made), date(made.AddDate(0, 0, 30))
	f["delivery_date"] = pick(s.rng, []any{nil, "", date(made.AddDate(0, 0, -3))})
	f["pay_online"], f["reminder_1_sent"], f["reminder_2_sent"], f["reminder_3_sent"] = s.chance(2), s.chance(3), s.chance(6), false
	if n%2 == 0 {
		f["active"], f["options"] = true, map[string]any{"linked_projects": []int64{project}, "notification": map[string]any{"to": "office@client.invalid"}}
		if project != 0 {
			f["project_id"] = project
		}
	}
	if n == 0 {
		f["delivery_date"], f["notes"] = date(made), "Payable within 30 days"
	}
	var payments []int64
	paid := int64(0)
	switch {
	case status == "paid" && s.chance(3):
		payments = []int64{m.total / 2, m.total - m.total/2}
	case status == "paid":
		payments = []int64{m.total}
	case status == "viewed" && s.chance(2):
		payments = []int64{m.total / 3}
	}
	for _, p := range payments {
		paid += p
	}
	f["outstanding"] = cents(m.total - paid)
	if status == "void" {
		f["outstanding"] = 0
	}
	id := s.add("invoices", made, f)
	for i, it := range items {
		it.fields["invoice_id"], it.fields["expense_id"] = id, nil
		itemID := s.add("invoice_items", made, it.fields)
		switch {
		case i == 0 && project != 0 && status != "void":
			s.bills[project] = append(s.bills[project], bill{item: itemID, until: made.Truncate(24 * hour).Unix()})
		default:
			s.openItems = append(s.openItems, itemID)
		}
	}
	for i, p := range payments {
		at := made.AddDate(0, 0, 10+20*i)
		if at.After(s.until) {
			at = s.until
		}
		s.add("invoice_payments", at, fields{"invoice_id": id, "amount": cents(p), "date": date(at), "notes": pick(s.rng, []any{"", nil, "Bank transfer"})})
	}
}

func (s *seeder) seedProfiles() {
	for n := range 4 {
		items, m := s.items(1 + n%3)
		made := s.when(n, 6)
		f := s.letterhead(pick(s.rng, s.clients), pick(s.rng, s.templates), "INVOICE")
		m.fields(f)
		f["frequency"], f["start_date"], f["occurrences"], f["invoices_created"] = pick(s.rng, []string{"1 month", "3 months"}), date(made), 12*n, n
		f["last_created"] = pick(s.rng, []any{nil, date(made.AddDate(0, 1, 0))})
		f["autosend"], f["pay_online"], f["send_attachment"] = s.chance(2), s.chance(2), s.chance(2)
		f["options"] = map[string]any{"linked_projects": s.projects[:1]}
		if n == 0 {
			f["last_created"], f["notes"], f["footer"] = date(made.AddDate(0, 1, 0)), "Retainer", "Thank you!"
		}
		id := s.add("recurring_profiles", made, f)
		for _, it := range items {
			it.fields["recurring_profile_id"] = id
			s.add("recurring_profile_items", made, it.fields)
		}
	}
}

func (s *seeder) seedExpenses() {
	count := max(4, 2*s.cfg.Projects)
	for n := range count {
		made := s.when(n, count)
		amount := int64(500 + s.rng.IntN(60_000))
		f := fields{"client_id": pick(s.rng, s.clients), "project_id": nil, "user_id": pick(s.rng, s.users), "amount": cents(amount),
			"currency": "EUR", "date": date(made), "notes": pick(s.rng, []string{"", "Train to the workshop", "Stock photos &amp; fonts"}), "invoiced": false,
			"invoice_item_id": nil, "tags": []string{}, "file": nil}
		if p := pick(s.rng, s.projects); s.clientOf[p] != 0 {
			f["project_id"], f["client_id"] = p, s.clientOf[p]
		}
		if n%2 == 0 {
			f["name"], f["price"], f["billable"] = pick(s.rng, []string{"Travel", "Licences", "Printing"}), cents(amount), true
		}
		itemID := int64(0)
		if n%3 == 0 && len(s.openItems) > 0 {
			itemID, s.openItems = s.openItems[0], s.openItems[1:]
			url := fmt.Sprintf("https://files.paymo.invalid/receipt-%d", n)
			f["invoiced"], f["invoice_item_id"], f["tags"] = true, itemID, []string{"travel", "invoiced"}
			f["file"], f["image_thumb_large"], f["image_thumb_medium"], f["image_thumb_small"] = url+".jpg", url+"_l.jpg", url+"_m.jpg", url+"_s.jpg"
		}
		id := s.add("expenses", made, f)
		if itemID != 0 {
			s.repair("invoice_items", itemID, fields{"expense_id": id})
		}
	}
	// Flat-rate projects and tasks are billed by an item of their own.
	for n, id := range s.projects {
		if n%4 == 0 && len(s.openItems) > 1 {
			s.repair("projects", id, fields{"invoiced": true, "invoice_item_id": s.openItems[0]})
			s.openItems = s.openItems[1:]
		}
	}
	for n, id := range s.tasks {
		if n%10 == 0 && len(s.openItems) > 0 {
			s.repair("tasks", id, fields{"invoiced": true, "invoice_item_id": s.openItems[0]})
			s.openItems = s.openItems[1:]
		}
	}
}
