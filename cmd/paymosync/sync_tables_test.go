package main

import (
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
	s := tableSync{syncer: syncer, pool: pool}
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
