package paymotest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// keep are the ids of the rows that a test of the whole object accepts.
func keep(t *testing.T, s *paymotest.Server, table string, accept func(o map[string]any) bool) []int64 {
	t.Helper()
	ids := []int64{}
	for raw := range s.Rows(table) {
		if o := object(t, raw); accept(o) {
			ids = append(ids, int64(o["id"].(float64)))
		}
	}
	return ids
}

// Each filter gives the rows that a plain look at the objects gives.
func TestFilter(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{RelaxEntries: true, Uncut: true, Entries: 1000})
	unix := func(stamp string) float64 {
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			t.Fatal(err)
		}
		return float64(at.Unix())
	}
	text := func(o map[string]any, name string) string { v, _ := o[name].(string); return v }
	cut := "2025-06-01T00:00:00Z"
	worked := func(o map[string]any, from, to string) bool {
		at := text(o, "start_time")
		if at == "" {
			at = text(o, "date") + "T00:00:00Z"
		}
		return at >= from && at < to
	}
	users := keep(t, s, "users", func(map[string]any) bool { return true })
	entries := keep(t, s, "time_entries", func(map[string]any) bool { return true })
	clients := keep(t, s, "clients", func(map[string]any) bool { return true })
	clientOf := map[any]any{}
	for raw := range s.Rows("projects") {
		o := object(t, raw)
		clientOf[o["id"]] = o["client_id"]
	}
	type o = map[string]any
	for _, tt := range []struct {
		table, path, where string
		accept             func(o) bool
	}{
		{"projects", "projects", "active=true", func(o o) bool { return o["active"] == true }},
		{"projects", "projects", "active=0 and billable=true", func(o o) bool { return o["active"] == false && o["billable"] == true }},
		{"projects", "projects", "client_id=null", func(o o) bool { return o["client_id"] == nil }},
		{"projects", "projects", "client_id!=null", func(o o) bool { return o["client_id"] != nil }},
		{"projects", "projects", `name like "%shop%"`, func(o o) bool { return strings.Contains(text(o, "name"), "shop") }},
		{"projects", "projects", `name not like "shop"`, func(o o) bool { return !strings.Contains(text(o, "name"), "shop") }},
		{"projects", "projects", fmt.Sprintf("users=%d", users[2]), func(o o) bool { return slices.Contains(o["users"].([]any), any(float64(users[2]))) }},
		{"projects", "projects", fmt.Sprintf("updated_on>=%.0f", unix(cut)), func(o o) bool { return text(o, "updated_on") >= cut }},
		{"projects", "projects", fmt.Sprintf("created_on<%.0f", unix(cut)), func(o o) bool { return text(o, "created_on") < cut }},
		{"projects", "projects", `updated_on>="2000-01-01T00:00:00Z"`, func(o) bool { return false }},
		{"projects", "projects", `updated_on>=2000-01-01`, func(o) bool { return false }},
		{"projects", "projects", "price>=4500", func(o o) bool { n, _ := o["price"].(float64); return n >= 4500 }},
		{"invoices", "invoices", "status=paid", func(o o) bool { return o["status"] == "paid" }},
		{"invoices", "invoices", `status in ("paid","sent")`, func(o o) bool { return o["status"] == "paid" || o["status"] == "sent" }},
		{"invoices", "invoices", `status not in ("paid","sent")`, func(o o) bool { return o["status"] != "paid" && o["status"] != "sent" }},
		{"invoices", "invoices", "date>=2025-01-01 and date<2025-07-01", func(o o) bool { return text(o, "date") >= "2025-01-01" && text(o, "date") < "2025-07-01" }},
		{"tasks", "tasks", "completed_on>=2025-06-01", func(o o) bool { return text(o, "completed_on") >= cut }},
		{"tasks", "tasks", "mytasks=true", func(o o) bool { return slices.Contains(o["users"].([]any), any(float64(users[0]))) }},
		{"time_entries", "entries", fmt.Sprintf("updated_on>=%.0f", unix(cut)), func(o o) bool { return text(o, "updated_on") >= cut }},
		{"time_entries", "entries", fmt.Sprintf("updated_on<%.0f", unix(cut)), func(o o) bool { return text(o, "updated_on") < cut }},
		{"time_entries", "entries", fmt.Sprintf("id>=%d and id<%d", entries[100], entries[200]), func(o o) bool {
			return o["id"].(float64) >= float64(entries[100]) && o["id"].(float64) < float64(entries[200])
		}},
		{"time_entries", "entries", fmt.Sprintf("id in (%d,%d,7)", entries[5], entries[999]), func(o o) bool {
			return o["id"] == float64(entries[5]) || o["id"] == float64(entries[999])
		}},
		{"time_entries", "entries", `time_interval in ("2025-03-01T00:00:00Z","2025-03-04T12:00:00Z")`, func(o o) bool {
			return worked(o, "2025-03-01T00:00:00Z", "2025-03-04T12:00:00Z")
		}},
		{"time_entries", "entries", `time_interval in ("2026-05-29T00:00:00Z","2030-01-01T00:00:00Z")`, func(o o) bool {
			return worked(o, "2026-05-29T00:00:00Z", "2030")
		}},
		{"time_entries", "entries", `time_interval in ("2000-01-01T00:00:00Z","2024-01-01T00:00:00Z")`, func(o o) bool { return worked(o, "2", "2024-01-01T00:00:00Z") }},
		{"time_entries", "entries", fmt.Sprintf("user_id=%d and is_bulk=true", users[3]), func(o o) bool {
			return o["user_id"] == float64(users[3]) && o["is_bulk"] == true
		}},
		{"time_entries", "entries", fmt.Sprintf("client_id=%d", clients[1]), func(o o) bool { return clientOf[o["project_id"]] == float64(clients[1]) }},
		{"time_entries", "entries", "end_time=null", func(o o) bool { return o["start_time"] != nil && o["end_time"] == nil }},
		{"time_entries", "entries", "billed=true", func(o o) bool { return o["billed"] == true }},
		{"time_entries", "entries", `date in ("2025-03-03","2025-03-05")`, func(o o) bool { return o["date"] == "2025-03-03" || o["date"] == "2025-03-05" }},
		{"time_entries", "entries", `description like "stand-up"`, func(o o) bool { return strings.Contains(text(o, "description"), "stand-up") }},
		{"bookings", "bookings", `date_interval in ("2025-01-01","2025-06-01")`, func(o o) bool {
			return text(o, "start_date") < "2025-06-01" && text(o, "end_date") >= "2025-01-01"
		}},
		{"bookings", "bookings", "start_date>=2025-01-01 and end_date<=2025-06-01", func(o o) bool {
			return text(o, "start_date") >= "2025-01-01" && text(o, "end_date") <= "2025-06-01"
		}},
		{"files", "files", fmt.Sprintf("size>2000000 and project_id=%d", keep(t, s, "projects", func(o) bool { return true })[0]), nil},
	} {
		r := get(t, s, "/api/"+tt.path, "where", tt.where)
		if r.status != http.StatusOK {
			t.Errorf("%s where %s: %d %s", tt.table, tt.where, r.status, r.body)
			continue
		}
		if tt.accept == nil {
			continue
		}
		if want := keep(t, s, tt.table, tt.accept); !slices.Equal(r.ids(), want) {
			t.Errorf("%s where %s: %d rows, want %d", tt.table, tt.where, len(r.rows), len(want))
		}
	}
}

// Generated entries and stored ones answer filters alike: a patched entry is
// found by what it was changed to.
func TestFilterStoredEntries(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 5, 12, 0, 0, 0, time.UTC)
	s := paymotest.New(paymotest.Config{RelaxEntries: true, Now: func() time.Time { return now }})
	all := keep(t, s, "time_entries", func(map[string]any) bool { return true })
	changed, removed := all[10], all[11]
	if err := s.Patch("time_entries", changed, map[string]any{"description": "found"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete("time_entries", removed); err != nil {
		t.Fatal(err)
	}
	running, err := s.Put("time_entries", map[string]any{"start_time": now, "end_time": nil, "user_id": 1, "is_bulk": false})
	if err != nil {
		t.Fatal(err)
	}
	bulk, err := s.Put("time_entries", map[string]any{"date": "2026-06-05", "duration": 60, "user_id": 1, "is_bulk": true})
	if err != nil {
		t.Fatal(err)
	}
	for where, want := range map[string][]int64{
		fmt.Sprintf("updated_on>=%d", now.Unix()):      {changed, running, bulk},
		fmt.Sprintf("id in (%d,%d)", changed, removed): {changed},
		"description=found":                            {changed},
		"user_id=1":                                    {running, bulk},
		"user_id=1 and end_time=null":                  {running},
		`time_interval in ("2026-06-05T00:00:00Z","2026-06-05T12:00:00Z")`:             {bulk},
		`time_interval in ("2026-06-05T12:00:00Z","2026-06-06T00:00:00Z")`:             {running},
		fmt.Sprintf("id>=%d and id<=%d", all[9], all[12]):                              {all[9], changed, all[12]},
		fmt.Sprintf("id>%d and id<=%d and updated_on<%d", all[9], all[12], now.Unix()): {all[12]},
	} {
		if got := get(t, s, "/api/entries", "where", where).ids(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", where, got, want)
		}
	}
	open := paymotest.New(paymotest.Config{RelaxEntries: true, BulkOpen: true, Uncut: true})
	plain := paymotest.New(paymotest.Config{RelaxEntries: true, Uncut: true})
	if a, b := len(get(t, open, "/api/entries", "where", "end_time=null").rows), len(get(t, plain, "/api/entries", "where", "end_time=null").rows); a <= b || b == 0 {
		t.Errorf("end_time=null: %d with bulk entries, %d without", a, b)
	}
}

func TestFilterErrors(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{})
	for where, want := range map[string]string{
		"nothing=1":              "Unknown field or reference: `nothing`",
		"image_thumb_large=1":    "Unknown field or reference: `image_thumb_large`",
		"projects.nothing=1":     "Unknown field or reference: `nothing`",
		"tasks.id=1":             "Unknown field or reference: `tasks.id`",
		"time_interval in (1,2)": "Unknown field or reference: `time_interval`",
	} {
		if r := get(t, s, "/api/clients", "where", where); r.status != http.StatusBadRequest || r.message != want {
			t.Errorf("%s: %d %s", where, r.status, r.message)
		}
	}
	if r := get(t, s, "/api/clients", "where", "id=1 or id=2"); r.status != http.StatusBadRequest || r.message == "" {
		t.Errorf("or: %d %s", r.status, r.body)
	}
	if r := get(t, s, "/api/invoices", "where", "token=x"); r.status != http.StatusBadRequest {
		t.Errorf("a secret field can be asked for: %d", r.status)
	}
}

func TestRequiredFilters(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{})
	for _, tt := range []struct {
		path, where string
		want        int
	}{
		{"entries", "", 400},
		{"entries", "id>5", 400},
		{"entries", "updated_on>=5", 400},
		{"entries", "user_id=5", 200},
		{"entries", `time_interval in ("2025-01-01T00:00:00Z","2025-01-02T00:00:00Z") and updated_on>=5`, 200},
		{"bookings", "", 400},
		{"bookings", "start_date>=2025-01-01", 400},
		{"bookings", "start_date>=2025-01-01 and end_date<2025-02-01", 200},
		{"bookings", "user_task_id=5", 200},
		{"bookings", "project_id=5", 200},
		{"userstasks", "id=5", 400},
		{"userstasks", "task_id=5", 200},
		{"threads", "", 400},
		{"threads", "file_id=5", 200},
		{"comments", "user_id=5", 400},
		{"comments", "thread_id in (1,2)", 200},
		{"files", "expense_id=5", 400},
		{"files", "comment_id=5", 200},
		{"invoiceitems", "", 400},
		{"invoiceitems", "invoice_id=5", 200},
		{"projecttemplatestasks", "tasklist_id=5", 400},
		{"projecttemplatestasks", "template_id=5", 200},
	} {
		r := get(t, s, "/api/"+tt.path, "where", tt.where)
		if r.status != tt.want || tt.want == 400 && !strings.HasPrefix(r.message, "Missing required params: ") {
			t.Errorf("%s where %q: %d %s, want %d", tt.path, tt.where, r.status, r.message, tt.want)
		}
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	for _, order := range []paymotest.Order{paymotest.Ascending, paymotest.Descending, paymotest.Shuffled} {
		s := paymotest.New(paymotest.Config{Order: order, RelaxEntries: true, Entries: 300})
		for _, path := range []string{"/api/tasks", "/api/entries"} {
			table := map[string]string{"/api/tasks": "tasks", "/api/entries": "time_entries"}[path]
			if _, err := s.Put(table, map[string]any{"name": "one more"}); err != nil {
				t.Fatal(err)
			}
			var paged []int64
			for page := 0; ; page++ {
				r := get(t, s, path, "page", fmt.Sprint(page), "page_size", "70")
				if len(r.rows) == 0 {
					break
				}
				paged = append(paged, r.ids()...)
			}
			if whole := get(t, s, path).ids(); !slices.Equal(paged, whole) {
				t.Errorf("%s %s: the pages are not the list", order, path)
			}
			sorted := slices.Sorted(slices.Values(paged))
			if want := keep(t, s, table, func(map[string]any) bool { return true }); !slices.Equal(sorted, want) {
				t.Errorf("%s %s: %d rows, want %d", order, path, len(sorted), len(want))
			}
			slices.Reverse(sorted)
			if order == paymotest.Descending && !slices.Equal(paged, sorted) || order == paymotest.Shuffled && slices.IsSorted(paged) {
				t.Errorf("%s: not in that order", path)
			}
		}
		if r := get(t, s, "/api/tasks", "page", "1"); len(r.rows) != 301 {
			t.Errorf("page alone: %d rows", len(r.rows))
		}
		if r := get(t, s, "/api/tasks", "page", "x", "page_size", "5"); r.status != http.StatusBadRequest {
			t.Errorf("page=x: %d", r.status)
		}
	}
}

func TestCap(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Cap: 50})
	if n := len(get(t, s, "/api/tasks").rows); n != 50 {
		t.Errorf("a list is cut at %d", n)
	}
	if n := len(get(t, s, "/api/tasks", "page", "1", "page_size", "200").rows); n != 50 {
		t.Errorf("a page is cut at %d", n)
	}
	s = paymotest.New(paymotest.Config{Cap: 50, Uncut: true})
	if n := len(get(t, s, "/api/tasks").rows); n != 300 {
		t.Errorf("an uncut list has %d", n)
	}
	// Nested lists are filled up to the cap and empty after it, without a marker.
	r := get(t, s, "/api/projects", "include", "tasks")
	filled, empty := 0, 0
	for _, o := range r.rows {
		n := len(o["tasks"].([]any))
		if filled += n; n == 0 {
			empty++
		} else if empty > 0 {
			t.Errorf("project %v has tasks after an empty one", o["id"])
		}
	}
	if filled == 0 || filled > 50 || empty == 0 {
		t.Errorf("%d tasks in the lists, %d lists empty", filled, empty)
	}
}

func TestInclude(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: 200})
	sub := func(o map[string]any, key string) map[string]any { v, _ := o[key].(map[string]any); return v }

	r := get(t, s, "/api/invoices", "include", "invoiceitems,client.name,invoicepayments.amount")
	items := 0
	for _, o := range r.rows {
		for _, it := range o["invoiceitems"].([]any) {
			items++
			if it.(map[string]any)["invoice_id"] != o["id"] {
				t.Errorf("invoice %v has an item of another", o["id"])
			}
		}
		if c := sub(o, "client"); len(c) != 2 || c["name"] == nil || c["id"] != o["client_id"] {
			t.Errorf("client.name gives %v", c)
		}
	}
	if items != s.Count("invoice_items") {
		t.Errorf("%d items, want %d", items, s.Count("invoice_items"))
	}

	r = get(t, s, "/api/projecttemplates", "include", "projecttemplatestasklists.projecttemplatestasks")
	nested := 0
	for _, o := range r.rows {
		for _, list := range o["projecttemplatestasklists"].([]any) {
			nested += len(list.(map[string]any)["projecttemplatestasks"].([]any))
		}
	}
	if nested != s.Count("project_template_tasks") {
		t.Errorf("%d tasks of templates, want %d", nested, s.Count("project_template_tasks"))
	}

	if o := get(t, s, "/api/tasks", "include", "name,complete").rows[0]; len(o) != 3 {
		t.Errorf("naming fields gives %v", o)
	}
	if o := get(t, s, "/api/tasks", "include", "*,thread").rows[0]; len(o) < 20 || sub(o, "thread")["task_id"] != o["id"] {
		t.Errorf("*,thread gives %v", o)
	}
	one := get(t, s, fmt.Sprintf("/api/tasks/%.0f", get(t, s, "/api/tasks").rows[0]["id"]), "include", "entries.id,project,user,workflowstatus")
	if o := one.rows[0]; sub(o, "project")["id"] != o["project_id"] || sub(o, "workflowstatus")["id"] != o["status_id"] {
		t.Errorf("a single task: %s", one.body)
	}
	r = get(t, s, "/api/clients", "include", "projects", "where", "projects.active=true")
	if len(r.rows) != s.Count("clients") {
		t.Errorf("a dotted condition filtered the parents: %d", len(r.rows))
	}
	for _, o := range r.rows {
		for _, p := range o["projects"].([]any) {
			if p.(map[string]any)["active"] != true {
				t.Errorf("client %v shows an inactive project", o["id"])
			}
		}
	}
	thread := get(t, s, "/api/threads", "where", fmt.Sprintf("project_id=%.0f", get(t, s, "/api/projects").rows[0]["id"]), "include", "comments")
	if len(thread.rows) == 0 || len(thread.rows[0]["comments"].([]any)) == 0 {
		t.Errorf("threads with comments: %s", thread.body)
	}
	for _, include := range []string{"nothing", "client.nothing", "name.x", "pdf_link"} {
		if r := get(t, s, "/api/invoices", "include", include); r.status != http.StatusBadRequest || !strings.Contains(r.message, "Unknown field or reference") {
			t.Errorf("include %s: %d %s", include, r.status, r.body)
		}
	}
	if r := get(t, s, "/api/users", "include", "theme"); r.status != http.StatusBadRequest {
		t.Errorf("include of a field that cannot be named: %d", r.status)
	}
}
