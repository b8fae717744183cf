package jobs_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// The jobs of a process that has ended are worked by another one, as soon as the ended
// one must have been heard. Those of a process that lives are left to it, however long
// they take.
func TestJobsOfTheDeadAreWorked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	service := w.serve() // no table is due
	began := time.Now()
	abandon := func(table string, attempts int, silent time.Duration, metadata string) int64 {
		t.Helper()
		result, err := service.Insert(t.Context(), jobs.SyncArgs{Account: w.store.Account(), Table: table, Mode: jobs.Full, Reason: jobs.ReasonManual},
			&river.InsertOpts{ScheduledAt: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		exec(w, `
			UPDATE river.river_job
			SET state = 'running', attempt = 1, max_attempts = $2, attempted_at = now() - interval '1 hour', attempted_by = '{another}',
				metadata = $4::jsonb || jsonb_build_object('paymosync:alive_at', now() - $3::interval)
			WHERE id = $1`, result.Job.ID, attempts, silent, metadata)
		return result.Job.ID
	}
	state := func(id int64) string { return query[string](w, `SELECT state FROM river.river_job WHERE id = $1`, id) }
	alive := abandon("users", 5, -time.Hour, "{}")
	tired := abandon("projects", 1, 20*time.Second, "{}")
	unwanted := abandon("tasks", 5, 20*time.Second, `{"cancel_attempted_at": "2026-01-01T00:00:00Z"}`)
	dead := abandon("clients", 5, 20*time.Second, "{}")

	eventually(t, "the job of the dead process is done", func() bool { return state(dead) == "completed" })
	// Where nobody was heard for a while, the others come first to say that they live.
	if took := time.Since(began); took < 14*time.Second {
		t.Errorf("jobs were let go by a process that is heard for %v only", took)
	}
	if w.status("clients").State != sink.StateOK {
		t.Errorf("clients: %+v", w.status("clients"))
	}
	if why := query[string](w, `SELECT errors[1] ->> 'error' FROM river.river_job WHERE id = $1`, dead); why != "the process that worked it was not heard of any more" {
		t.Errorf("the job says %q", why)
	}
	for id, want := range map[int64]string{alive: "running", tired: "discarded", unwanted: "cancelled"} {
		if got := state(id); got != want {
			t.Errorf("job %d is %s, want %s", id, got, want)
		}
	}
}

// A job that is worked says so, for longer than a silent one would be left alone.
func TestJobsSayThatTheyAreWorked(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	release := sync.OnceFunc(func() { close(held) })
	w := wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		<-held
		fake.ServeHTTP(rw, r)
	})
	service := w.serve()
	t.Cleanup(release)
	result, err := service.Insert(t.Context(), jobs.SyncArgs{Account: w.store.Account(), Table: "clients", Mode: jobs.Full, Reason: jobs.ReasonManual}, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job says that it is worked", func() bool {
		return query[bool](w, `SELECT state = 'running' AND coalesce((metadata ->> 'paymosync:alive_at')::timestamptz > attempted_at, false) FROM river.river_job WHERE id = $1`, result.Job.ID)
	})
	release()
	eventually(t, "the job is done", func() bool {
		return query[bool](w, `SELECT state = 'completed' AND errors IS NULL FROM river.river_job WHERE id = $1`, result.Job.ID)
	})
}
