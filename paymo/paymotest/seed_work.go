package paymotest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const hour = time.Hour

func (s *seeder) seedFlow() {
	for n, name := range []string{"Active", "On hold", "Completed", "Lead"} {
		s.statuses = append(s.statuses, s.add("project_statuses", s.since, fields{"name": name, "active": n != 2, "seq": n, "readonly": n == 0 || n == 2}))
	}
	for n, name := range []string{"Default workflow", "Kanban", "Design sprint"} {
		flow := s.add("workflows", s.since.Add(hour), fields{"name": name, "is_default": n == 0})
		s.flow[0] = append(s.flow[0], flow)
		for seq, status := range []string{"To do", "In progress", "Review", "Complete"} {
			f := fields{"name": status, "workflow_id": flow, "color": []any{"5BDBF6", "F9B43A", nil, "68BE5E"}[seq], "seq": seq, "action": []any{"backlog", nil, nil, "complete"}[seq]}
			s.flow[flow] = append(s.flow[flow], s.add("workflow_statuses", s.since.Add(hour), f))
		}
	}
	for n, name := range []string{"Classic", "Modern", "Minimal"} {
		style := fields{"name": name, "title": name + " template", "html": "<div class=\"invoice\">{{ number }}</div>", "css": ".invoice { color: #333 }",
			"is_default": n == 0}
		est := fields{"estimates_count": 3 + n}
		inv := fields{"invoices_count": 10 + n}
		for k, v := range style {
			est[k], inv[k] = v, v
		}
		s.templates = append(s.templates, s.add("invoice_templates", s.since, inv))
		s.estTemplates = append(s.estTemplates, s.add("estimate_templates", s.since, est))
	}
}

func (s *seeder) seedProjects() {
	names := projectNames()
	for n := range s.cfg.Projects {
		made := s.when(n, s.cfg.Projects)
		flow := pick(s.rng, s.flow[0])
		f := fields{
			"name": names[n%len(names)], "code": fmt.Sprintf("P%03d", n+1), "task_code_increment": s.rng.IntN(60),
			"description": pick(s.rng, []string{"", "<p>Scope &amp; goals</p>", "Überblick: Phase 1–3", "See the brief"}),
			"client_id":   nil, "status_id": pick(s.rng, s.statuses), "active": !s.chance(5), "color": pick(s.rng, []any{"#68BE5E", "#F05B4F", nil}),
			"users": s.some(s.users, 1+s.rng.IntN(5)), "managers": s.some(s.users, 1), "billable": !s.chance(5), "flat_billing": s.chance(6),
			"price_per_hour": s.maybe(2, cents(int64(5000+250*s.rng.IntN(40)))), "price": s.maybe(4, cents(int64(100_000+s.rng.IntN(900_000)))),
			"estimated_price": s.maybe(3, cents(int64(s.rng.IntN(2_000_000)))), "hourly_billing_mode": pick(s.rng, []any{"task", "project", nil}),
			"budget_hours": s.maybe(2, pick(s.rng, []float64{40, 62.5, 120, 200.25})), "adjustable_hours": s.chance(2), "invoiced": false,
			"invoice_item_id": nil, "workflow_id": flow, "billing_type": pick(s.rng, []any{"hourly", "flat", nil}),
		}
		if len(s.clients) > 0 && (n > 0 && !s.chance(10) || n == 1) {
			f["client_id"] = pick(s.rng, s.clients)
		}
		if n < 2 { // the first two have whatever there is
			f["users"] = s.users
			f["retainer_id"], f["price"], f["estimated_price"], f["color"], f["price_per_hour"] = 900+n, cents(450_000), cents(512_345), "#68BE5E", cents(8550)
			f["hourly_billing_mode"], f["billing_type"], f["budget_hours"] = "task", "hourly", 80.5
		}
		if n == 3 {
			f["health_score"] = 0.75 // a field that nobody knows yet
		}
		id := s.add("projects", made, f)
		s.projects = append(s.projects, id)
		s.projectAge[id] = made
		client, _ := f["client_id"].(int64)
		s.clientOf[id] = client
		s.flow[id] = s.flow[flow]

		for range 1 + s.rng.IntN(2) {
			due := made.AddDate(0, 1+s.rng.IntN(3), 0)
			s.milestones[id] = append(s.milestones[id], s.add("milestones", made.Add(hour), fields{
				"name": pick(s.rng, []string{"Go live", "Concept approved", "Beta", "Hand-over"}), "project_id": id, "user_id": pick(s.rng, s.users),
				"due_date": date(due), "send_reminder": pick(s.rng, []any{nil, 24, 72}), "reminder_sent": s.chance(3), "complete": due.Before(s.until),
				"linked_tasklists": []int64{}}))
		}
		for seq, name := range listNames()[:2+s.rng.IntN(3)] {
			list := fields{"name": name, "seq": seq, "project_id": id, "milestone_id": s.maybe(2, s.milestones[id][0])}
			if n == 0 {
				list["tasks_count"], list["milestone_id"] = map[string]int{"total": 9, "complete": 4}, s.milestones[id][0]
			}
			s.lists[id] = append(s.lists[id], s.add("tasklists", made.Add(2*hour), list))
		}
		s.repair("milestones", s.milestones[id][0], fields{"linked_tasklists": s.lists[id][:1], "send_reminder": 24})
	}
	s.seedMoulds()
}

// seedMoulds makes project templates and recurring tasks.
func (s *seeder) seedMoulds() {
	for n, name := range []string{"Website", "Campaign"} {
		made := s.since.AddDate(0, n, 0)
		mould := s.add("project_templates", made, fields{"name": name})
		for seq, list := range listNames()[:2] {
			f := fields{"name": list, "seq": seq, "template_id": mould}
			if n == 0 && len(s.projects) > 0 {
				f["milestone_id"] = s.milestones[s.projects[0]][0]
			}
			listID := s.add("project_template_tasklists", made, f)
			for task := range 3 {
				f := fields{"name": pick(s.rng, taskNames()), "template_id": mould, "tasklist_id": listID, "seq": task, "description": "",
					"billable": true, "budget_hours": s.maybe(2, 7.5), "price_per_hour": s.maybe(2, cents(9050)), "users": s.some(s.users, 2)}
				if n == 0 {
					f["flat_billing"], f["estimated_price"], f["price"], f["duration"], f["start_date_offset"] = false, cents(12050), cents(10000), 5, task
					f["budget_hours"], f["price_per_hour"], f["description"] = 7.5, cents(9050), "First draft"
				}
				s.add("project_template_tasks", made, f)
			}
		}
	}
	for n, project := range s.projects {
		if n > 8 {
			break
		}
		made := s.projectAge[project].AddDate(0, 0, 3)
		f := fields{
			"name": "Monthly report", "code": "", "project_id": project, "tasklist_id": s.lists[project][0], "user_id": s.users[0],
			"task_user_id": pick(s.rng, s.users), "billable": true, "flat_billing": false, "description": "<p>Send by the 5th</p>",
			"price_per_hour": s.maybe(2, cents(7000)), "estimated_price": s.maybe(2, cents(14000)), "budget_hours": s.maybe(2, 2.25),
			"users": s.some(s.users, 2), "priority": 50, "notifications": `{"due":[{"before":24}]}`, "frequency": pick(s.rng, []string{"weekly", "monthly"}),
			"interval": 1, "on_day": []int{5}, "occurrences": s.maybe(2, 12), "until": s.maybe(2, date(s.until.AddDate(1, 0, 0))), "active": n%2 == 0,
			"due_date_offset": s.maybe(2, 3), "recurring_start_date": date(made), "generated_count": n, "last_generated_on": s.maybe(2, date(made.AddDate(0, 1, 0))),
			"next_processing_date": date(s.until.AddDate(0, 0, 5)), "processing_timezone": "Europe/Bucharest", "processing_hour": "09:00", "company_id": s.companyID(),
		}
		if n == 0 {
			f["code"], f["price_per_hour"], f["estimated_price"], f["budget_hours"] = "MR-1", cents(7000), cents(14000), 2.25
			f["occurrences"], f["until"], f["due_date_offset"], f["last_generated_on"] = 12, date(s.until.AddDate(1, 0, 0)), 3, date(made.AddDate(0, 1, 0))
		}
		s.profiles[project] = append(s.profiles[project], s.add("task_recurring_profiles", made, f))
	}
}

// companyID is the id that the company's row will have: its table is filled last.
func (s *seeder) companyID() int64 { return s.next[s.view.index["company"]] + 17 }

func (s *seeder) seedTasks() {
	names := taskNames()
	for n := range s.cfg.Tasks {
		if len(s.projects) == 0 {
			return
		}
		project := s.projects[n*len(s.projects)/s.cfg.Tasks]
		age := s.until.Sub(s.projectAge[project])
		made := s.projectAge[project].Add(3*hour + time.Duration(s.rng.Int64N(int64(max(age-4*hour, hour)))))
		users := s.some(s.users, 1+s.rng.IntN(3))
		status := pick(s.rng, s.flow[project])
		done := status == s.flow[project][3]
		f := fields{
			"name": names[n%len(names)], "code": fmt.Sprintf("T-%d", n+1), "project_id": project, "tasklist_id": pick(s.rng, s.lists[project]),
			"seq": s.maybe(2, n%30), "description": pick(s.rng, []string{"", "", "<p>As discussed</p>", "Client&#39;s wish", "naïve approach – see ticket"}),
			"complete": done, "completed_on": nil, "completed_by": nil, "due_date": s.maybe(2, date(made.AddDate(0, 0, s.rng.IntN(40)))),
			"user_id": users[0], "users": users, "billable": !s.chance(5), "flat_billing": s.chance(8), "price_per_hour": s.maybe(3, cents(int64(5000+s.rng.IntN(6000)))),
			"budget_hours": s.maybe(2, float64(1+s.rng.IntN(80))/4), "estimated_price": s.maybe(4, cents(int64(s.rng.IntN(300_000)))), "invoiced": false,
			"invoice_item_id": nil, "priority": pick(s.rng, []int{25, 50, 75, 100}), "status_id": status, "files_count": 0, "comments_count": 0,
		}
		if done {
			f["completed_on"], f["completed_by"] = minTime(made.AddDate(0, 0, 1+s.rng.IntN(20)), s.until), users[0]
		}
		switch n % 5 { // a field that is seldom wanted is null, absent, or an empty string
		case 0:
			f["due_date"], f["start_date"] = date(made.AddDate(0, 0, 7)), date(made)
			f["price"], f["billing_type"], f["cover_file_id"] = cents(int64(s.rng.IntN(90_000))), "flat", nil
		case 1:
			f["due_date"], f["start_date"] = "", nil
		}
		if n == 0 && len(s.profiles[project]) > 0 {
			f["recurring_profile_id"] = s.profiles[project][0]
			f["seq"], f["description"], f["budget_hours"], f["estimated_price"], f["price_per_hour"] = 0, "<p>Generated</p>", 4.25, cents(38000), cents(9000)
		}
		id := s.add("tasks", made, f)
		s.tasks = append(s.tasks, id)
		s.projectOf[id], s.taskAge[id] = project, made
		s.places = append(s.places, workplace{task: id, project: project, client: s.clientOf[project]})
		s.seedTaskParts(n, id, users, made)
	}
	if len(s.tasks) > 0 && len(s.profiles[s.projects[0]]) > 0 {
		s.repair("task_recurring_profiles", s.profiles[s.projects[0]][0], fields{"task_id": s.tasks[0]})
	}
}

// seedTaskParts makes a task's subtasks, assignments and bookings.
func (s *seeder) seedTaskParts(n int, task int64, users []int64, made time.Time) {
	project := s.projectOf[task]
	for seq := range []int{2, 0, 1, 0}[n%4] {
		f := fields{"name": pick(s.rng, []string{"Draft", "Check with legal", "Export assets", "Update <code>README</code>"}), "complete": seq == 0,
			"project_id": project, "user_id": pick(s.rng, []any{users[0], nil}), "task_id": task, "seq": seq, "completed_on": nil, "completed_by": nil}
		if seq == 0 {
			f["completed_on"], f["completed_by"], f["user_id"] = minTime(made.AddDate(0, 0, 2), s.until), users[0], users[0]
		}
		s.add("subtasks", made.Add(hour), f)
	}
	for i, user := range users {
		f := fields{"user_id": user, "task_id": task}
		if (n+i)%2 == 0 {
			f["tracked_time"], f["task_complete"] = s.rng.IntN(90_000), s.chance(2)
		}
		assignment := s.add("task_assignments", made.Add(time.Minute), f)
		if (n+i)%4 != 0 {
			continue
		}
		start := made.AddDate(0, 0, 1+s.rng.IntN(10))
		b := fields{"user_task_id": assignment, "start_date": date(start), "end_date": date(start.AddDate(0, 0, s.rng.IntN(6))),
			"hours_per_day": pick(s.rng, []float64{8, 4, 2.5}), "description": pick(s.rng, []string{"", "On site"})}
		if n%8 == 0 {
			b["creator_id"], b["user_id"], b["booked_hours"] = s.users[0], user, pick(s.rng, []json.Number{"16", "12.5"})
			b["start_time"], b["end_time"] = "09:00", "13:00"
		}
		s.add("bookings", made.Add(hour), b)
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// slug makes a file name of a title.
func slug(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "-")) }
