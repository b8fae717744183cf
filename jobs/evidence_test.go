package jobs_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// A denied row is no row that is gone: an empty list of changes is not believed on its
// account.
func TestDenialIsNoEvidence(t *testing.T) {
	t.Parallel()
	w := wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/api/projects/"):
			answer(rw, http.StatusForbidden, `{"message":"Access to project denied"}`)
		case r.URL.Path == "/api/projects" && strings.Contains(r.URL.RawQuery, "updated_on"):
			answer(rw, http.StatusOK, `{"projects":[]}`)
		default:
			fake.ServeHTTP(rw, r)
		}
	})
	w.mustSync("projects", jobs.Full)
	for id := range ids(t, w, "projects", 20) {
		w.patch("projects", id, map[string]any{"name": "changed"})
	}
	if outcome := w.mustSync("projects", jobs.Incremental); outcome.Updated != 20 {
		t.Errorf("%d rows updated", outcome.Updated)
	}
	w.mustEqual("projects")
}

// A table that is listed empty while its rows are denied is not empty.
func TestDeniedWitness(t *testing.T) {
	t.Parallel()
	denied := false
	w := wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		switch {
		case denied && strings.HasPrefix(r.URL.Path, "/api/projects/"):
			answer(rw, http.StatusForbidden, `{"message":"Access to project denied"}`)
		case denied && r.URL.Path == "/api/projects":
			answer(rw, http.StatusOK, `{"projects":[]}`)
		default:
			fake.ServeHTTP(rw, r)
		}
	})
	w.mustSync("projects", jobs.Full)
	rows := w.count("projects")
	denied = true
	outcome, err := w.sync("projects", jobs.Full)
	if err != nil || outcome.State != sink.StateDegraded || w.count("projects") != rows {
		t.Error(unexpected(outcome, err))
	}
}

// A server that breaks down over the filter on updated_on is asked without it.
func TestFilterThatBreaksTheServer(t *testing.T) {
	t.Parallel()
	for table, path := range map[string]string{"clients": "/api/clients", "tasks": "/api/tasks", "time_entries": "/api/entries"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			down := false
			w := wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.RawQuery, "updated_on") || down && r.URL.Path == path {
					answer(rw, http.StatusInternalServerError, `{"message":"Application error"}`)
					return
				}
				fake.ServeHTTP(rw, r)
			})
			w.mustSync(table, jobs.Full)
			// A server that is down says nothing of the filter.
			down = true
			if outcome, err := w.sync(table, jobs.Incremental); err == nil || outcome.State != sink.StateFailing {
				t.Error(unexpected(outcome, err))
			}
			if learned, ok := w.status(table).Capabilities["updated_on filter"]; ok {
				t.Errorf("learned %+v", learned)
			}
			down = false
			w.mustSync(table, jobs.Incremental)
			learned, ok := w.status(table).Capabilities["updated_on filter"]
			if !ok || !contains(learned.Reason, "500") {
				t.Errorf("learned %+v", learned)
			}
			w.mustEqual(table)
		})
	}
}

// A row that PostgreSQL refuses is in quarantine, even where it is the newest: no reason
// to read everything at every sync.
func TestNewestRowInQuarantine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("tasks", jobs.Full)
	exec(w, `ALTER TABLE paymo.tasks ADD CONSTRAINT good CHECK (name <> 'bad')`)
	w.patch("tasks", query[int64](w, `SELECT min(id) FROM paymo.tasks`), map[string]any{
		"name": "bad", "updated_on": time.Now().Add(-2 * time.Minute),
	})
	exec(w, `UPDATE paymo.tasks SET updated_on = updated_on - interval '1 day'`)
	for range 3 {
		outcome, err := w.sync("tasks", jobs.Full)
		if err != nil || outcome.State != sink.StateDegraded {
			t.Fatal(unexpected(outcome, err))
		}
		outcome, err = w.sync("tasks", jobs.Incremental)
		if err != nil || outcome.State != sink.StateDegraded || outcome.Mode != jobs.Incremental {
			t.Error(unexpected(outcome, err))
		}
	}
	// A table that was emptied is read whole nevertheless.
	exec(w, `TRUNCATE paymo.tasks`)
	outcome, err := w.sync("tasks", jobs.Incremental)
	if err != nil || outcome.Mode != jobs.Full {
		t.Error(unexpected(outcome, err))
	}
}
