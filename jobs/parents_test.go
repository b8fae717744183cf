package jobs_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
)

// byUserAlone lists entries user by user and in no other way.
func byUserAlone(refuse ...string) handler {
	return func(fake http.Handler, w http.ResponseWriter, r *http.Request) {
		where := r.URL.Query().Get("where")
		if r.URL.Path == "/api/entries" {
			refused := !strings.Contains(where, "user_id")
			for _, word := range refuse {
				refused = refused || strings.Contains(where, word)
			}
			if refused {
				answer(w, http.StatusBadRequest, `{"message":"Unknown field or reference: x"}`)
				return
			}
		}
		fake.ServeHTTP(w, r)
	}
}

// hire makes a user with an entry.
func (w *world) hire() {
	w.t.Helper()
	user := w.put("users", map[string]any{"name": "new", "type": "Employee", "email": "new@example.com"})
	at := w.fake.Now().UTC().Add(-10 * time.Minute).Format(time.RFC3339)
	w.put("time_entries", map[string]any{"user_id": user, "start_time": at, "end_time": at, "updated_on": "2020-01-01T00:00:00Z"})
}

// Rows of parents that the warehouse does not know yet are found, in both modes.
func TestRowsOfNewParents(t *testing.T) {
	t.Parallel()
	w := wrapped(t, small(), byUserAlone())
	w.mustSync("users", jobs.Full)
	w.mustSync("time_entries", jobs.Full)
	w.hire()
	if outcome := w.mustSync("time_entries", jobs.Incremental); outcome.Inserted != 1 || outcome.Mode != jobs.Incremental {
		t.Errorf("the %s inserted %d rows", outcome.Mode, outcome.Inserted)
	}
	w.mustEqual("time_entries")
	w.hire()
	if outcome := w.mustSync("time_entries", jobs.Full); outcome.Inserted != 1 {
		t.Errorf("the full inserted %d rows", outcome.Inserted)
	}
	w.mustEqual("time_entries")
}

// Where Paymo does not list the parents, the cursor does not pass what it knows of them.
func TestCursorOfUnlistedParents(t *testing.T) {
	t.Parallel()
	denied := false
	entries := byUserAlone()
	w := wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		if denied && r.URL.Path == "/api/users" {
			answer(rw, http.StatusForbidden, `{"message":"Access denied"}`)
			return
		}
		entries(fake, rw, r)
	})
	w.mustSync("users", jobs.Full)
	denied = true
	exec(w, `UPDATE paymosync.checkpoints SET fresh_as_of = '2024-05-06T07:08:09Z' WHERE table_name = 'users'`)
	w.mustSync("time_entries", jobs.Full)
	w.mustEqual("time_entries")
	checkpoint, err := w.store.Checkpoint(t.Context(), "time_entries")
	if err != nil {
		t.Fatal(err)
	}
	if known := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC); checkpoint.Cursor.After(known) || !checkpoint.FreshAsOf.Equal(known) {
		t.Errorf("cursor %s, fresh as of %s", checkpoint.Cursor, checkpoint.FreshAsOf)
	}
}

// A filter that is refused when rows are listed by their parents is struck off.
func TestRefusedFilterByParent(t *testing.T) {
	t.Parallel()
	w := wrapped(t, small(), byUserAlone("time_interval", "updated_on"))
	w.mustSync("users", jobs.Full)
	w.mustSync("time_entries", jobs.Full)
	for range 2 {
		w.change("time_entries")
		w.mustSync("time_entries", jobs.Incremental)
		w.mustEqual("time_entries")
	}
	if learned, ok := w.status("time_entries").Capabilities["updated_on filter"]; !ok || !contains(learned.Reason, "400") {
		t.Errorf("learned %+v", learned)
	}
}
