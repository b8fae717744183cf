package paymotest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

func TestScopes(t *testing.T) {
	t.Parallel()
	const project = "project_id=5"
	for _, tt := range []struct {
		scopes      paymotest.Scopes
		path, where string
		want        int
	}{
		{paymotest.ScopesAny, "threads", "", 400},
		{paymotest.ScopesAny, "threads", "id>=1", 400},
		{paymotest.ScopesAny, "threads", "project_id>=1", 200},
		{paymotest.ScopesAny, "files", "project_id=null", 200},
		{paymotest.ScopesAny, "invoiceitems", "invoice_id>=1", 200},
		{"", "files", "project_id=null", 200},

		{paymotest.ScopesIn, "threads", "project_id>=1", 400},
		{paymotest.ScopesIn, "threads", "project_id!=1", 400},
		{paymotest.ScopesIn, "threads", "project_id=null", 400},
		{paymotest.ScopesIn, "threads", "project_id in (1,null)", 400},
		{paymotest.ScopesIn, "threads", "project_id in (1,2)", 200},
		{paymotest.ScopesIn, "threads", "project_id>=1 and task_id=4", 200},
		{paymotest.ScopesIn, "threads", project, 200},
		{paymotest.ScopesIn, "bookings", `date_interval in ("2026-01-01","2026-02-01")`, 200},
		{paymotest.ScopesIn, "bookings", `start_date>=2026-01-01 and end_date<2026-02-01`, 200},
		{paymotest.ScopesIn, "bookings", `start_date>=2026-01-01`, 400},
		{paymotest.ScopesIn, "projecttemplatestasks", "template_id in (1,2)", 200},

		{paymotest.ScopesEqual, "threads", project, 200},
		{paymotest.ScopesEqual, "threads", "project_id=null", 400},
		{paymotest.ScopesEqual, "threads", "project_id in (5)", 400},
		{paymotest.ScopesEqual, "threads", "project_id=5 and task_id in (4)", 400},
		{paymotest.ScopesEqual, "threads", "project_id=5 and id in (4)", 200},
		{paymotest.ScopesEqual, "bookings", `date_interval in ("2026-01-01","2026-02-01")`, 200},
		{paymotest.ScopesEqual, "entries", "user_id in (1,2)", 200},
		{paymotest.ScopesEqual, "tasks", "project_id in (1,2)", 200},

		{paymotest.ScopesNone, "invoiceitems", "invoice_id=5", 400},
		{paymotest.ScopesNone, "projecttemplatestasklists", "template_id=5", 400},
		{paymotest.ScopesNone, "comments", "thread_id=5", 200},
		{paymotest.ScopesNone, "comments", "", 400},

		{paymotest.ScopesOpen, "threads", "", 200},
		{paymotest.ScopesOpen, "invoiceitems", "", 200},
		{paymotest.ScopesOpen, "bookings", "id>=1", 200},
		{paymotest.ScopesOpen, "entries", "", 400},
	} {
		s := paymotest.New(paymotest.Config{Scopes: tt.scopes, Entries: 10, Projects: 2, Tasks: 10})
		if r := get(t, s, "/api/"+tt.path, "where", tt.where); r.status != tt.want || r.status != 200 && r.message == "" {
			t.Errorf("%s: %s where %s: %d %s", tt.scopes, tt.path, tt.where, r.status, r.message)
		}
	}
}

// However strict the lists are, an object is served by its id.
func TestScopesLeaveObjects(t *testing.T) {
	t.Parallel()
	for _, scopes := range paymotest.AllScopes() {
		s := paymotest.New(paymotest.Config{Scopes: scopes, Entries: 10, Projects: 4, Tasks: 30})
		for _, res := range catalog.All() {
			if res.Singleton {
				continue
			}
			ids := keep(t, s, res.Table, func(map[string]any) bool { return true })
			if len(ids) == 0 {
				t.Fatalf("no %s", res.Table)
			}
			if r := get(t, s, fmt.Sprintf("%s/%d", res.Path, ids[0])); r.status != http.StatusOK || len(r.rows) != 1 {
				t.Errorf("%s: %s %d: %d", scopes, res.Table, ids[0], r.status)
			}
		}
	}
}
