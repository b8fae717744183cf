package jobs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// While the company works on, a sync is never wrong about it and misses nothing; what
// is made between two requests is no sign of lists that are cut.
func TestSyncWhileTheCompanyWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Tasks: 2600, Entries: 3000})
	ctx, cancel := context.WithCancel(t.Context())
	working := make(chan struct{})
	go func() {
		defer close(working)
		w.fake.Live(ctx, 200)
	}()
	tables := []string{"users", "projects", "tasks", "time_entries", "invoices"}
	for round := range 6 {
		for _, table := range tables {
			mode := jobs.Incremental
			if round == 3 {
				mode = jobs.Full
			}
			w.mustSync(table, mode)
		}
	}
	cancel()
	<-working
	for _, table := range tables {
		w.mustSync(table, jobs.Full) // deletions are found by fulls
		w.mustEqual(table)
	}
	if query[int](w, `SELECT max(page_cap) FROM paymosync.checkpoints`) != 0 {
		t.Error("a limit was learned that there is not")
	}
}

// Rows that are gone cost an incremental little, however new they were.
func TestDeletedRowsCostLittle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("tasks", jobs.Full)
	newest := query[int64](w, `SELECT id FROM paymo.tasks ORDER BY updated_on DESC, id DESC LIMIT 1`)
	lowest, highest := query[int64](w, `SELECT min(id) FROM paymo.tasks`), query[int64](w, `SELECT max(id) FROM paymo.tasks`)
	for _, id := range []int64{newest, lowest, highest} {
		if _, err := w.fake.Delete("tasks", id); err != nil && !strings.Contains(err.Error(), "no such row") {
			t.Fatal(err)
		}
	}
	w.fake.ResetLog()
	w.mustSync("tasks", jobs.Incremental)
	if n := w.requests("tasks"); n > 1+5 {
		t.Errorf("%d requests", n)
	}
	w.mustSync("tasks", jobs.Full)
	w.mustEqual("tasks")
}

// ids are the first ids of a table of the fake.
func ids(t *testing.T, w *world, table string, n int) map[int64]bool {
	t.Helper()
	found := map[int64]bool{}
	for object := range w.fake.Rows(table) {
		if len(found) == n {
			break
		}
		id, err := decode(t, object)["id"].(interface{ Int64() (int64, error) }).Int64()
		if err != nil {
			t.Fatal(err)
		}
		found[id] = true
	}
	return found
}

// Nothing is wrong with a table that Paymo has no rows for.
func TestEmptyTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: -1, Invoices: -1})
	for _, table := range []string{"users", "invoices", "time_entries"} {
		w.mustSync(table, jobs.Full)
		w.mustSync(table, jobs.Incremental)
		w.mustSync(table, jobs.Full)
		w.mustEqual(table)
	}
	w.put("time_entries", map[string]any{"start_time": w.fake.Now(), "end_time": nil, "user_id": query[int64](w, `SELECT min(id) FROM paymo.users`)})
	w.mustSync("time_entries", jobs.Incremental)
	w.mustEqual("time_entries")
}

// hourly is a schedule.
type hourly struct{}

func (hourly) Next(now time.Time) time.Time { return now.Add(time.Hour) }

// The service syncs every table when it starts, and stops when it is told to.
func TestService(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	tables := []string{"users", "projects", "tasks", "time_entries"}
	var scheduled []jobs.TableSchedule
	for _, table := range tables {
		scheduled = append(scheduled, jobs.TableSchedule{Resource: resource(t, table), Schedule: hourly{}})
	}
	service, err := jobs.NewService(jobs.ServiceConfig{Pool: w.pool, Syncer: w.syncer, Tables: scheduled, Full: hourly{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := service.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		eventually(t, table+" is synced", func() bool { return w.status(table).State == sink.StateOK })
	}
	// A table that there is not is no reason to try again.
	if _, err := service.Insert(ctx, jobs.SyncArgs{Account: "default", Table: "nothing", Mode: jobs.Full}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job is cancelled", func() bool {
		return query[bool](w, `SELECT EXISTS (SELECT 1 FROM river.river_job WHERE args->>'table' = 'nothing' AND state = 'cancelled')`)
	})
	eventually(t, "the jobs are complete", func() bool {
		return query[int](w, `SELECT count(*) FROM river.river_job WHERE kind = 'sync' AND state = 'completed'`) >= len(tables)
	})
	cancel()
	<-service.Stopped()
	for _, table := range tables {
		w.mustEqual(table)
	}
	if output := query[string](w, `SELECT metadata->'output'->>'state' FROM river.river_job WHERE args->>'table' = 'tasks' LIMIT 1`); output != sink.StateOK {
		t.Errorf("the job's output says %q", output)
	}
}
