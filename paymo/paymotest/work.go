package paymotest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// step makes one change.
func (a *account) step() {
	switch n := a.work.rng.IntN(100); {
	case n < 30:
		a.logTime()
	case n < 45:
		a.timer()
	case n < 60:
		a.editEntry()
	case n < 75:
		a.editTask()
	case n < 85:
		a.talk()
	case n < 91:
		a.addTask()
	case n < 95:
		a.invoice()
	case n < 98:
		a.deleteEntry()
	default:
		a.try(a.patch("projects", a.any("projects"), fields{"active": a.work.rng.IntN(4) > 0}))
	}
}

// try takes the result of a change to a row that was just drawn: a test may have
// deleted it since, and then somebody's change is lost, as in life.
func (a *account) try(*row, error) {}

// any draws a row's id, 0 from an empty table.
func (a *account) any(name string) int64 { return a.draw(a.work.rng, name) }

// draw is any from another source.
func (a *account) draw(rng *rand.Rand, name string) int64 {
	t := a.snapshotOf(name)
	n := len(t.rows)
	if t.gen != nil {
		n += t.gen.count
	}
	for range 20 {
		if n == 0 {
			break
		}
		at := ref{index: rng.IntN(n)}
		if t.gen == nil {
			at.row = t.rows[at.index]
		} else if at.index >= t.gen.count {
			at.row = t.rows[at.index-t.gen.count]
		}
		if at.row == nil || at.row.raw != nil {
			if id := t.id(at); at.row != nil || t.stored(id) == nil {
				return id
			}
		}
	}
	return 0
}

// recent draws a time entry of the last weeks.
func (a *account) recent() (ref, *table) {
	t := a.snapshotOf("time_entries")
	var last []ref
	t.each(Descending, everything(), func(r ref) bool {
		last = append(last, r)
		return len(last) < 200
	})
	if len(last) == 0 {
		return ref{}, t
	}
	return last[a.work.rng.IntN(len(last))], t
}

// place draws a task and who works on it.
func (a *account) place() (fields, bool) {
	v := a.snapshot()
	task, ok := v.table("tasks").find(a.any("tasks"))
	if !ok {
		return nil, false
	}
	return fields{"task_id": task.row.id, "project_id": int64(task.row.value("project_id").num), "user_id": a.any("users"),
		"billed": false, "invoice_item_id": nil, "description": phrase(a.work.rng.Uint64())}, true
}

func (a *account) logTime() {
	f, ok := a.place()
	if !ok {
		return
	}
	now := a.cfg.Now().UTC().Truncate(time.Second)
	length := time.Duration(1+a.work.rng.IntN(180)) * time.Minute
	if a.work.rng.IntN(5) == 0 {
		f["is_bulk"], f["added_manually"], f["date"], f["duration"] = true, true, date(now), 1800*(1+a.work.rng.IntN(12))
	} else {
		f["is_bulk"], f["added_manually"], f["start_time"], f["end_time"] = false, a.work.rng.IntN(2) == 0, now.Add(-length), now
		f["duration"] = int(length.Seconds())
	}
	a.try(a.put("time_entries", f))
}

// timers are the timers that run, by user, among the newest entries.
func (a *account) timers() map[int64]ref {
	t := a.snapshotOf("time_entries")
	running := map[int64]ref{}
	seen := 0
	t.each(Descending, everything(), func(r ref) bool {
		if t.value(r, "start_time").kind != absent && t.value(r, "end_time").kind == absent {
			running[int64(t.value(r, "user_id").num)] = r
		}
		seen++
		return seen < 2000
	})
	return running
}

// timer stops somebody's running timer or, if there is none, starts one.
func (a *account) timer() {
	t := a.snapshotOf("time_entries")
	now := a.cfg.Now().UTC().Truncate(time.Second)
	busy := a.timers()
	f, ok := a.place()
	if !ok {
		return
	}
	user, _ := f["user_id"].(int64)
	if running, ok := busy[user]; ok {
		started := t.value(running, "start_time")
		from := int64(started.num)
		if started.kind == textual {
			from = unixOf(started.text)
		}
		// A seeded timer may have run since the end of the history: stop it in time.
		end := time.Unix(min(now.Unix(), from+12*3600), 0).UTC()
		if end.Unix() < from+60 {
			return // too short to keep
		}
		a.try(a.patch("time_entries", t.id(running), fields{"end_time": end, "duration": int(end.Unix() - from)}))
		return
	}
	f["is_bulk"], f["added_manually"], f["start_time"], f["end_time"] = false, false, now, nil
	a.try(a.put("time_entries", f))
}

func (a *account) editEntry() {
	r, t := a.recent()
	if r == (ref{}) && t.gen == nil {
		return
	}
	f := fields{"description": phrase(a.work.rng.Uint64())}
	if a.work.rng.IntN(3) == 0 { // moved to another task, and the project with it
		if to, ok := a.place(); ok {
			f["task_id"], f["project_id"] = to["task_id"], to["project_id"]
		}
	}
	a.try(a.patch("time_entries", t.id(r), f))
}

func (a *account) deleteEntry() {
	if r, t := a.recent(); t.gen.count > 0 || r.row != nil {
		_, _ = a.remove("time_entries", t.id(r), false)
	}
}

func (a *account) editTask() {
	id := a.any("tasks")
	if a.work.rng.IntN(2) == 0 {
		a.try(a.patch("tasks", id, fields{"name": pick(a.work.rng, taskNames()), "priority": pick(a.work.rng, []int{25, 50, 75, 100})}))
		return
	}
	now := a.cfg.Now().UTC()
	a.try(a.patch("tasks", id, fields{"complete": true, "completed_on": now, "completed_by": a.any("users")}))
}

func (a *account) addTask() {
	v := a.snapshot()
	list, ok := v.table("tasklists").find(a.any("tasklists"))
	if !ok {
		return
	}
	user := a.any("users")
	r, err := a.put("tasks", fields{"name": pick(a.work.rng, taskNames()), "code": "", "project_id": int64(list.row.value("project_id").num),
		"tasklist_id": list.row.id, "seq": nil, "description": "", "complete": false, "completed_on": nil, "completed_by": nil, "due_date": nil,
		"user_id": user, "users": []int64{user}, "billable": true, "flat_billing": false, "price_per_hour": nil, "budget_hours": nil,
		"estimated_price": nil, "invoiced": false, "invoice_item_id": nil, "priority": 50, "status_id": a.any("workflow_statuses"),
		"files_count": 0, "comments_count": 0})
	if err == nil {
		a.try(a.put("task_assignments", fields{"user_id": user, "task_id": r.id}))
	}
}

func (a *account) talk() {
	thread := a.any("comment_threads")
	if thread == 0 {
		return
	}
	a.try(a.put("comments", fields{"content": pick(a.work.rng, []string{"Done.", "<p>Looks <b>good</b></p>", "Can&#039;t open it", "👍"}),
		"thread_id": thread, "user_id": a.any("users")}))
	a.try(a.patch("comment_threads", thread, fields{}))
}

// invoice writes an invoice of one item, or pays one that is open.
func (a *account) invoice() {
	v := a.snapshot()
	now := a.cfg.Now().UTC()
	if at, ok := v.table("invoices").find(a.any("invoices")); ok && a.work.rng.IntN(2) == 0 {
		if open := at.row.value("outstanding"); open.num > 0 {
			a.try(a.put("invoice_payments", fields{"invoice_id": at.row.id, "amount": open.num, "date": date(now), "notes": ""}))
			a.try(a.patch("invoices", at.row.id, fields{"outstanding": 0, "status": "paid"}))
		}
		return
	}
	client := a.any("clients")
	if client == 0 {
		return
	}
	price, hours := int64(5000+100*a.work.rng.IntN(60)), int64(100*(1+a.work.rng.IntN(40)))
	m := sum{tax: 19}
	m.add(price, hours, true)
	m.settle()
	f := fields{"number": fmt.Sprintf("INV-L%05d", a.work.rng.IntN(100_000)), "client_id": client, "template_id": a.any("invoice_templates"),
		"status": "sent", "currency": "EUR", "date": date(now), "due_date": date(now.AddDate(0, 0, 30)), "language": "en", "bill_to": "", "company_info": "",
		"footer": "", "notes": "", "title": "INVOICE", "delivery_date": nil, "pay_online": false, "reminder_1_sent": false, "reminder_2_sent": false,
		"reminder_3_sent": false, "outstanding": cents(m.total)}
	m.fields(f)
	canaries(v.table("invoices").res, f)
	inv, err := a.put("invoices", f)
	if err != nil {
		return
	}
	a.try(a.put("invoice_items", fields{"item": pick(a.work.rng, itemNames()), "description": "", "price_unit": cents(price), "quantity": cents(hours),
		"apply_tax": true, "seq": 0, "invoice_id": inv.id, "expense_id": nil}))
}
