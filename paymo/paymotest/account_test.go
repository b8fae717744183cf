package paymotest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

func TestPutPatchDelete(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 2, 9, 30, 0, 999, time.UTC)
	s := paymotest.New(paymotest.Config{Now: func() time.Time { return now }})
	for _, table := range []string{"clients", "time_entries"} {
		n := s.Count(table)
		id, err := s.Put(table, map[string]any{"description": "new & <b>bold</b>", "name": "x"})
		if err != nil || s.Count(table) != n+1 {
			t.Fatalf("%s: put: %v", table, err)
		}
		want := fmt.Sprintf(`{"id":%d,"name":"x","created_on":"2026-06-02T09:30:00Z","updated_on":"2026-06-02T09:30:00Z","description":"new & <b>bold</b>"}`, id)
		got, err := s.Get(table, id)
		if table == "clients" && (err != nil || string(got) != want) {
			t.Errorf("%s: %v: %s, want %s", table, err, got, want)
		}
		created := now
		now = now.Add(time.Minute)
		if err := s.Patch(table, id, map[string]any{"name": nil}); err != nil {
			t.Fatal(err)
		}
		if err := s.Unset(table, id, "description"); err != nil {
			t.Fatal(err)
		}
		o := object(t, must(s.Get(table, id)))
		if _, has := o["description"]; has || o["name"] != nil || o["created_on"] != created.Format("2006-01-02T15:04:05Z") ||
			o["updated_on"] != now.Format("2006-01-02T15:04:05Z") {
			t.Errorf("%s after a patch: %v", table, o)
		}
		now = now.Add(time.Minute)
		if err := s.PatchQuietly(table, id, map[string]any{"name": "quiet"}); err != nil {
			t.Fatal(err)
		}
		if q := object(t, must(s.Get(table, id))); q["updated_on"] != o["updated_on"] || q["name"] != "quiet" {
			t.Errorf("%s after a quiet patch: %v", table, q)
		}
		if deleted, err := s.Delete(table, id); err != nil || deleted != 1 || s.Count(table) != n {
			t.Errorf("%s: deleted %d: %v", table, deleted, err)
		}
		if _, err := s.Get(table, id); !errors.Is(err, paymotest.ErrNotFound) {
			t.Errorf("%s: still there: %v", table, err)
		}
		if err := s.Patch(table, id, nil); !errors.Is(err, paymotest.ErrNotFound) {
			t.Errorf("%s: patched: %v", table, err)
		}
		// A row comes back, and an id in the middle finds its place.
		if _, err := s.Put(table, map[string]any{"id": id}); err != nil {
			t.Error(err)
		}
		if _, err := s.Put(table, map[string]any{"id": 5}); err != nil {
			t.Error(err)
		}
		ids := keep(t, s, table, func(map[string]any) bool { return true })
		if ids[0] != 5 || ids[len(ids)-1] != id || !slices.IsSorted(ids) {
			t.Errorf("%s: ids out of order: %v", table, ids)
		}
	}
	for _, f := range []map[string]any{{"id": "x"}, {"id": 0}, {"id": -3}, {"name": func() {}}} {
		if _, err := s.Put("clients", f); err == nil {
			t.Errorf("put %v: no error", f)
		}
	}
	if _, err := s.Put("nothing", nil); err == nil {
		t.Error("put into no table: no error")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A snapshot that is being read does not change under the reader.
func TestRowsIsASnapshot(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: 100})
	n := 0
	for range s.Rows("time_entries") {
		if n++; n == 1 {
			for _, id := range keep(t, s, "time_entries", func(map[string]any) bool { return true }) {
				must(s.Delete("time_entries", id))
			}
			must(s.Put("time_entries", map[string]any{"date": "2026-06-02"}))
		}
	}
	if n != 100 || s.Count("time_entries") != 1 {
		t.Errorf("read %d rows, %d are left", n, s.Count("time_entries"))
	}
}

// What Paymo deletes along with a parent goes, and nothing else.
func TestCascades(t *testing.T) {
	t.Parallel()
	id := func(o map[string]any, name string) int64 { n, _ := o[name].(float64); return int64(n) }
	for _, tt := range []struct {
		parent string
		gone   map[string]string // child → the column that holds the parent's id
	}{
		{"clients", map[string]string{"projects": "client_id", "client_contacts": "client_id"}},
		{"projects", map[string]string{"tasklists": "project_id", "tasks": "project_id", "discussions": "project_id", "files": "project_id",
			"time_entries": "project_id", "subtasks": "project_id", "milestones": "project_id", "comment_threads": "project_id"}},
		{"tasklists", map[string]string{"tasks": "tasklist_id"}},
		{"tasks", map[string]string{"time_entries": "task_id", "subtasks": "task_id", "task_assignments": "task_id"}},
		{"users", map[string]string{"time_entries": "user_id", "task_assignments": "user_id"}},
		{"discussions", map[string]string{"comment_threads": "discussion_id"}},
		{"comment_threads", map[string]string{"comments": "thread_id"}},
		{"project_templates", map[string]string{"project_template_tasklists": "template_id", "project_template_tasks": "template_id"}},
		{"invoices", map[string]string{"invoice_items": "invoice_id", "invoice_payments": "invoice_id"}},
	} {
		s := paymotest.New(paymotest.Config{Entries: 300, Projects: 10, Tasks: 60})
		parents := keep(t, s, tt.parent, func(map[string]any) bool { return true })
		parent := parents[len(parents)/2]
		before := map[string]int{}
		total := 0
		for _, res := range catalog.All() {
			before[res.Table] = s.Count(res.Table)
			total += before[res.Table]
		}
		stay := map[string]int{}
		for child, column := range tt.gone {
			stay[child] = len(keep(t, s, child, func(o map[string]any) bool { return id(o, column) != parent }))
		}
		deleted, err := s.Delete(tt.parent, parent)
		if err != nil {
			t.Errorf("%s: %v", tt.parent, err)
		}
		after := 0
		for _, res := range catalog.All() {
			after += s.Count(res.Table)
		}
		if total-after != deleted || s.Count(tt.parent) != before[tt.parent]-1 {
			t.Errorf("%s: %d rows went, told of %d", tt.parent, total-after, deleted)
		}
		for child, want := range stay {
			if got := s.Count(child); got != want {
				t.Errorf("%s: %d of %d %s are left, want %d", tt.parent, got, before[child], child, want)
			}
		}
		// What hangs on something must not outlive it.
		for _, res := range catalog.All() {
			if res.Table == "time_entries" {
				for raw := range s.Rows(res.Table) {
					if _, err := s.Get("tasks", id(object(t, raw), "task_id")); err != nil {
						t.Fatalf("%s: an entry outlived its task: %v", tt.parent, err)
					}
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{})
	for _, table := range []string{"workflows", "workflow_statuses"} {
		id := keep(t, s, table, func(map[string]any) bool { return true })[0]
		if n, err := s.Delete(table, id); err == nil || n != 0 {
			t.Errorf("%s with children: deleted %d", table, n)
		}
	}
	if _, err := s.Delete("company", 1); err == nil {
		t.Error("the company was deleted")
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: -1})
	get(t, s, "/api/tasks", "where", "nothing=1")
	get(t, s, "/api/tasks")
	getAs(t, s, "wrong", "/api/me")
	got := s.Requests()
	if len(got) != 3 || got[0].Status != 400 || got[0].Query != "where=nothing%3D1" || got[1].Bytes == 0 || got[2].Table != "me" || got[2].Status != 401 {
		t.Errorf("log: %+v", got)
	}
	if c := s.Counts()["tasks"]; c.Requests != 2 || c.Failed != 1 {
		t.Errorf("counts: %+v", c)
	}
	if strings.Contains(fmt.Sprint(got), paymotest.DefaultKey) {
		t.Error("the log holds the key")
	}
	s.ResetLog()
	if len(s.Requests()) != 0 || len(s.Counts()) != 0 {
		t.Error("the log was not reset")
	}
}

// What a deletion took comes back, with everything that hung on it.
func TestRestore(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 2, 9, 30, 0, 0, time.UTC)
	s := paymotest.New(paymotest.Config{Now: func() time.Time { return now }, Entries: 600, Projects: 6, Tasks: 60})
	all := func() map[string]map[string]any {
		rows := map[string]map[string]any{}
		for _, res := range catalog.All() {
			for raw := range s.Rows(res.Table) {
				o := object(t, raw)
				rows[fmt.Sprintf("%s %.0f", res.Table, o["id"])] = o
			}
		}
		return rows
	}
	entries := keep(t, s, "time_entries", func(map[string]any) bool { return true })
	must(0, s.Patch("time_entries", entries[7], map[string]any{"description": "changed"}))
	before := all()
	project := keep(t, s, "projects", func(map[string]any) bool { return true })[1]
	tasks := keep(t, s, "tasks", func(o map[string]any) bool { return o["project_id"] == float64(project) })
	first := must(s.Delete("tasks", tasks[0]))
	gone := must(s.Delete("projects", project))
	if _, err := s.Restore("tasks", tasks[1]); !errors.Is(err, paymotest.ErrNotFound) {
		t.Errorf("restored what went with another: %v", err)
	}
	now = now.Add(time.Hour)
	again := must(s.Put("tasks", map[string]any{"id": tasks[1], "name": "put again"}))
	if n, err := s.Restore("projects", project); err != nil || n != gone-1 {
		t.Errorf("restored %d of %d: %v", n, gone, err)
	}
	if n, err := s.Restore("tasks", tasks[0]); err != nil || n != first {
		t.Errorf("restored %d of %d: %v", n, first, err)
	}
	after := all()
	if len(after) != len(before) {
		t.Errorf("%d rows, %d before", len(after), len(before))
	}
	changed := 0
	for name, want := range before {
		got := after[name]
		if name == fmt.Sprint("tasks ", again) {
			if got["name"] != "put again" {
				t.Errorf("replaced what was there again: %v", got)
			}
			continue
		}
		if got["updated_on"] != want["updated_on"] {
			changed++
			if got["updated_on"] != "2026-06-02T10:30:00Z" {
				t.Errorf("%s: updated %v", name, got["updated_on"])
			}
			got["updated_on"] = want["updated_on"]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if changed != gone+first-1 {
		t.Errorf("%d rows came back, want %d", changed, gone+first-1)
	}
	if _, err := s.Restore("projects", project); !errors.Is(err, paymotest.ErrNotFound) {
		t.Errorf("restored twice: %v", err)
	}
}
