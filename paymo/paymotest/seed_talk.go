package paymotest

import (
	"fmt"
	"maps"
	"time"
)

func (s *seeder) seedTalk() {
	for n, project := range s.projects {
		made := s.projectAge[project].Add(5 * hour)
		if n%2 == 0 {
			f := fields{"name": pick(s.rng, []string{"Colours", "Go-live date", "Logo feedback"}), "description": "What do you think? <br> 🙂",
				"project_id": project, "user_id": pick(s.rng, s.users)}
			id := s.add("discussions", made, f)
			if comments := s.thread(project, "discussion_id", id, made); n%4 == 0 { // the reference does not name it
				s.repair("discussions", id, fields{"comments_count": comments})
			}
			s.file(project, n, made, fields{"discussion_id": id})
		}
		s.file(project, n, made, fields{})
	}
	for n, task := range s.tasks {
		made := s.taskAge[task].Add(hour)
		project := s.projectOf[task]
		if n%3 == 0 {
			s.repair("tasks", task, fields{"comments_count": s.thread(project, "task_id", task, made)})
		}
		if n%6 == 0 {
			file := s.file(project, n, made, fields{"task_id": task})
			s.repair("tasks", task, fields{"files_count": 1, "cover_file_id": file})
			if n%12 == 0 {
				s.thread(project, "file_id", file, made)
			}
		}
	}
	for n, r := range s.view.table("expenses").rows {
		if n%6 == 0 { // a receipt hangs on its expense, not on a project
			s.file(0, n, time.Unix(r.created, 0).UTC(), fields{"expense_id": r.id})
		}
	}
	s.seedReports()
}

// thread starts a thread on a discussion, a task or a file, and counts its comments.
func (s *seeder) thread(project int64, owner string, id int64, made time.Time) int {
	thread := s.add("comment_threads", made, fields{"project_id": project, owner: id})
	count := 1 + s.rng.IntN(4)
	for n := range count {
		at := minTime(made.Add(time.Duration(n)*hour), s.until)
		f := fields{"content": pick(s.rng, []string{"Looks good 👍", "<p>Please make the logo <b>bigger</b></p>", "Can&#039;t open the file", "Done."}),
			"thread_id": thread, "user_id": pick(s.rng, s.users)}
		if n%2 == 0 {
			f[owner] = id
		}
		comment := s.add("comments", at, f)
		if n == 1 && owner == "task_id" && s.chance(4) {
			s.file(project, n, at, fields{"comment_id": comment})
		}
	}
	return count
}

// file attaches a file; exactly the owner that it has is in its fields.
func (s *seeder) file(project int64, n int, made time.Time, owner fields) int64 {
	name := pick(s.rng, []string{"brief.pdf", "logo_final_v3.ai", "résumé de réunion.docx", "homepage.png"})
	url := fmt.Sprintf("https://files.paymo.invalid/%s-%d", slug("Client upload"), s.rng.Uint32())
	f := fields{"original_filename": name, "description": pick(s.rng, []string{"", "Latest version"}), "user_id": pick(s.rng, s.users),
		"size": fmt.Sprint(1000 + s.rng.IntN(5_000_000)), "file": url, "mime": pick(s.rng, []string{"application/pdf", "image/png"}), "tags": []string{}}
	if project != 0 {
		f["project_id"] = project
	}
	if n%3 == 0 {
		f["image_thumb_large"], f["image_thumb_medium"], f["image_thumb_small"] = url+"_l", url+"_m", url+"_s"
		f["tags"] = []string{"draft"}
	}
	if n%4 == 0 {
		f["external_url"], f["external_service"], f["download_url"] = "https://drive.invalid/f", "gdrive", url+"/download"
	}
	maps.Copy(f, owner)
	return s.add("files", made, f)
}

func (s *seeder) seedReports() {
	for n, name := range []string{"Hours by project", "Team utilisation", "Monthly invoice report", "Live budget"} {
		made := s.when(n, 5)
		f := fields{"name": name, "user_id": s.users[0], "type": []string{"static", "live", "static", "live"}[n],
			"start_date": date(made.AddDate(0, -1, 0)), "end_date": date(made), "date_interval": "", "projects": "all_active", "clients": "all", "users": "all_active",
			"include": map[string]bool{"days": true, "tasks": n%2 == 0}, "extra": map[string]any{"order": []string{"projects", "users"}},
			"info": map[string]any{"projects": []string{}}, "shared": n%2 == 0, "share_client_id": nil}
		if n%2 == 1 {
			f["start_date"], f["end_date"], f["date_interval"] = "", "", "last_month"
			f["users"] = s.users[:2]
		}
		if len(s.projects) > 0 && n == 0 {
			f["projects"] = s.projects[:1]
			f["info"] = map[string]any{"projects": []string{fmt.Sprint(s.projects[0])}}
		}
		if len(s.clients) > 0 && n == 0 {
			f["share_client_id"] = s.clients[0]
		}
		if n == 0 {
			f["active"], f["share_users_ids"], f["content"] = true, []int64{s.users[0]}, map[string]any{"items": []any{}, "totals": map[string]any{"time": 3600}}
			if rows := s.view.table("invoices").rows; len(rows) > 0 {
				f["invoice_id"] = rows[0].id
			}
		}
		s.add("reports", made, f)
	}
}
