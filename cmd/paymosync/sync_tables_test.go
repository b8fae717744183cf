package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// Between its slices a sync makes room for the service's jobs for the same table, until
// they are done and not for long.
func TestMakeRoom(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	syncer := jobs.NewSyncer(jobs.SyncerConfig{Store: sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)})
	queue, err := jobs.NewService(jobs.ServiceConfig{Pool: pool, Syncer: syncer})
	if err != nil {
		t.Fatal(err)
	}
	job, err := queue.Insert(t.Context(), jobs.SyncArgs{Account: catalog.DefaultAccount, Table: "tasks", Mode: jobs.Incremental}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := tableSync{syncer: syncer, databases: databases{queue: &database{Pool: pool}}}
	took := func(table string) time.Duration {
		began := time.Now()
		s.makeRoom(t.Context(), table)
		return time.Since(began)
	}
	if d := took("users"); d > roomMost/2 {
		t.Errorf("it made room for another table's job for %v", d)
	}
	made := make(chan time.Duration)
	go func() { made <- took("tasks") }()
	select {
	case d := <-made:
		t.Errorf("it made room for a waiting job for %v only", d)
	case <-time.After(2 * roomLook):
	}
	if _, err := queue.JobCancel(t.Context(), job.Job.ID); err != nil {
		t.Fatal(err)
	}
	if d := <-made; d > roomMost/2 {
		t.Errorf("it made room for a job that was over for %v", d)
	}
}

// A backfill that went on with an earlier one tells what both did, and no other does.
func TestRecall(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	s := tableSync{databases: databases{warehouse: &database{Pool: pool}}}
	began := time.Now()
	_, err := pool.Exec(t.Context(), `
		INSERT INTO paymosync.runs (account, table_name, mode, reason, started_at, finished_at, state, inserted, requests, waited_ms)
		VALUES ('default', 'users', 'backfill', 'manual', $1::timestamptz - interval '2 hours', $1::timestamptz - interval '1 hour', 'ok', 5, 6, 0),
			('default', 'clients', 'backfill', 'manual', $1::timestamptz - interval '2 hours', $1::timestamptz + interval '1 minute', 'ok', 70, 8, 9000),
			('default', 'tasks', 'full', 'manual', $1::timestamptz - interval '2 hours', NULL, 'running', 5, 6, 0),
			('default', 'projects', 'backfill', 'manual', $1::timestamptz + interval '1 second', NULL, 'running', 5, 6, 0)`, began)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"users", "clients", "tasks", "projects"} {
		o := synced{Outcome: jobs.Outcome{Table: table, State: sink.StateOK, Inserted: 1, Requests: 2}}
		want := o
		if s.recall(t.Context(), &o, began); table == "clients" {
			want.Inserted, want.Requests, want.Waited, want.WentOn = 70, 8, 9*time.Second, o.WentOn
			if o.WentOn == nil || !o.WentOn.Before(began) {
				t.Errorf("%s went on from %v", table, o.WentOn)
			}
		}
		if o != want {
			t.Errorf("%s: %+v, want %+v", table, o, want)
		}
	}
}

// What a backfill went on from is said, and what its parts wrote is not nothing new.
func TestPrintOutcomesOfBackfill(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out bytes.Buffer
	p := &program{terminal: terminal{out: &out}}
	if err := p.printOutcomes([]synced{{Outcome: jobs.Outcome{Table: "clients", State: sink.StateOK, Inserted: 7}, WentOn: &began}}); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "clients went on from the backfill that began at 2026-01-02T03:04:05Z; the numbers are those of both.\n7 rows new, ") {
		t.Error(text)
	}
}
