package paymotest

import (
	"slices"
	"strings"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// viewer is who asks. Only an Admin sees everything.
type viewer struct {
	admin    bool
	guest    bool
	user     int64
	projects map[int64]bool
	clients  map[int64]bool
}

func newViewer(v *view, user *row) viewer {
	role := user.value("type").text
	w := viewer{admin: role == "Admin", guest: role == "Guest", user: user.id}
	if w.admin {
		return w
	}
	w.projects, w.clients = map[int64]bool{}, map[int64]bool{}
	for _, p := range v.table("projects").rows {
		if p.raw != nil && (p.holds("users", w.user) || p.holds("managers", w.user)) {
			w.projects[p.id] = true
			w.clients[int64(p.value("client_id").num)] = true
		}
	}
	return w
}

// barred reports whether the viewer sees nothing of a resource: an empty list, not an error.
func (w viewer) barred(res *catalog.Resource) bool {
	if w.admin {
		return false
	}
	for _, money := range []string{"invoice", "estimate", "expenses", "recurring_profile", "reports", "webhooks"} {
		if strings.HasPrefix(res.Table, money) {
			return true
		}
	}
	return w.guest && slices.Contains([]string{"time_entries", "bookings", "task_assignments"}, res.Table)
}

// visible reports whether the viewer sees a row.
func (q *query) visible(t *table, r ref) bool {
	w := q.viewer
	if t.res.Table == "webhooks" && q.ownsHook != nil && !q.ownsHook(r.row.id) {
		return false
	}
	if w.admin {
		return true
	}
	if w.barred(t.res) {
		return false
	}
	field := func(name string) int64 {
		if r.row == nil {
			return int64(t.value(r, name).num)
		}
		return int64(q.value(t, r.row, name).num)
	}
	switch t.res.Table {
	case "users":
		return r.row.id == w.user
	case "clients":
		return w.clients[r.row.id]
	case "client_contacts":
		return w.clients[field("client_id")]
	case "projects":
		return w.projects[r.row.id]
	case "time_entries", "task_assignments", "bookings":
		return field("user_id") == w.user
	case "comments":
		thread, ok := q.view.table("comment_threads").find(field("thread_id"))
		return ok && w.projects[int64(thread.row.value("project_id").num)]
	}
	if _, ok := t.res.Column("project_id"); ok {
		return w.projects[field("project_id")]
	}
	return true
}
