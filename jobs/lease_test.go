package jobs_test

import (
	"context"
	"errors"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// A sync whose table is locked waits for it, and another process is told who waits
// rather than waiting too.
func TestSyncOfALockedTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("clients", jobs.Full)
	w.patch("clients", query[int64](w, `SELECT min(id) FROM paymo.clients`), map[string]any{"name": "new name"})
	locker, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer locker.Rollback(context.WithoutCancel(t.Context()))
	if _, err := locker.Exec(t.Context(), `LOCK TABLE paymo.clients IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	type end struct {
		outcome jobs.Outcome
		err     error
	}
	ended := make(chan end, 1)
	go func() {
		outcome, err := w.sync("clients", jobs.Incremental)
		ended <- end{outcome, err}
	}()
	eventually(t, "the page waits for its table", func() bool {
		return query[bool](w, `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'paymo.clients'::regclass AND NOT granted)`)
	})
	request := jobs.Request{Resource: resource(t, "clients"), Mode: jobs.Incremental, Reason: jobs.ReasonManual}
	_, err = w.newSyncer("worker-2").Sync(t.Context(), request)
	var held *sink.HeldError
	if !errors.As(err, &held) || held.Owner != "worker-1" {
		t.Errorf("the other one got %v", err)
	}
	if err := locker.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if end := <-ended; end.err != nil || end.outcome.State != sink.StateOK || end.outcome.Updated != 1 {
		t.Error(unexpected(end.outcome, end.err))
	}
	w.mustEqual("clients")
}
