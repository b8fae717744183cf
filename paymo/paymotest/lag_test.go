package paymotest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// A stale reply has each changed row as it was before its last change.
func TestStale(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 2, 9, 0, 0, 0, time.UTC)
	s := paymotest.New(paymotest.Config{Now: func() time.Time { return now }})
	entries := keep(t, s, "time_entries", func(map[string]any) bool { return true })
	entry := entries[len(entries)/2]
	invoice := keep(t, s, "invoices", func(map[string]any) bool { return true })[0]
	item := keep(t, s, "invoice_items", func(o map[string]any) bool { return o["invoice_id"] == float64(invoice) })[0]
	for _, text := range []string{"first", "second"} {
		for table, id := range map[string]int64{"time_entries": entry, "invoices": invoice} {
			if err := s.Patch(table, id, map[string]any{"description": text, "notes": text}); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(time.Minute)
	}
	if err := s.PatchQuietly("invoice_items", item, map[string]any{"item": "changed"}); err != nil {
		t.Fatal(err)
	}
	fresh := must(s.Put("clients", map[string]any{"name": "put once"}))
	gone := keep(t, s, "milestones", func(map[string]any) bool { return true })[3]
	must(s.Delete("milestones", gone))

	id := s.AddFault(paymotest.Fault{Kind: paymotest.FaultStale})
	byID := fmt.Sprintf("id=%d and user_id>=1", entry)
	if o := get(t, s, "/api/entries", "where", byID).rows[0]; o["description"] != "first" || o["updated_on"] != "2026-06-02T09:00:00Z" {
		t.Errorf("stale entry in a list: %v", o)
	}
	if o := get(t, s, fmt.Sprint("/api/entries/", entry)).rows[0]; o["description"] != "first" {
		t.Errorf("stale entry by its id: %v", o)
	}
	where := fmt.Sprintf("updated_on>=%d", now.Add(-time.Minute).Unix())
	r := get(t, s, "/api/invoices", "where", where, "include", "invoiceitems")
	if len(r.rows) != 0 {
		t.Errorf("a stale list knows of the last change: %v", r.rows)
	}
	o := get(t, s, "/api/invoices", "where", fmt.Sprintf("id=%d", invoice), "include", "invoiceitems").rows[0]
	if o["notes"] != "first" || o["invoiceitems"].([]any)[0].(map[string]any)["item"] == "changed" {
		t.Errorf("stale invoice with its items: %v", o)
	}
	if get(t, s, fmt.Sprint("/api/clients/", fresh)).status != 200 || get(t, s, fmt.Sprint("/api/milestones/", gone)).status != 404 {
		t.Error("a new row is not there, or a deleted one is")
	}
	s.RemoveFault(id)
	if o := get(t, s, "/api/entries", "where", byID).rows[0]; o["description"] != "second" {
		t.Errorf("after the fault: %v", o)
	}

	// A row that was generated and changed once is served as it was generated.
	was := string(must(s.Get("time_entries", entries[4])))
	must(0, s.Patch("time_entries", entries[4], map[string]any{"description": "changed"}))
	s.AddFault(paymotest.Fault{Kind: paymotest.FaultStale, Table: "time_entries"})
	if r := get(t, s, fmt.Sprint("/api/entries/", entries[4])); r.body != `{"entries":[`+was+`]}` {
		t.Errorf("%s\nwant %s", r.body, was)
	}
}

// A key whose user is demoted sees fewer rows, and no prices, from then on.
func TestDemoted(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{})
	s.AddKey("second", "Admin") // the same user
	tasks := len(get(t, s, "/api/tasks").rows)
	if r := get(t, s, "/api/users"); len(r.rows) < 2 {
		t.Fatalf("%d users", len(r.rows))
	}
	if !s.SetRole(paymotest.DefaultKey, "Employee") {
		t.Fatal("no key")
	}
	r := get(t, s, "/api/tasks")
	if n := len(r.rows); n == 0 || n >= tasks {
		t.Errorf("%d tasks, %d before", n, tasks)
	}
	for _, o := range r.rows {
		if o["price_per_hour"] != nil || o["budget_hours"] != nil || o["name"] == nil {
			t.Errorf("a demoted key sees %v", o)
		}
	}
	if n := len(get(t, s, "/api/invoices").rows); n != 0 {
		t.Errorf("%d invoices", n)
	}
	s.SetRole(paymotest.DefaultKey, "Admin")
	if n := len(get(t, s, "/api/tasks").rows); n != tasks {
		t.Errorf("%d tasks after promotion, %d before", n, tasks)
	}
}
