package jobs_test

import (
	"context"
	"errors"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// While PostgreSQL cannot take a page, the request for the next one is sent, and no more.
func TestNextSliceIsAskedForAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 9000})
	least := func() int { return w.requests("time_entries") }
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	if _, err := tx.Exec(t.Context(), `LOCK TABLE paymo.time_entries IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	var outcome jobs.Outcome
	go func() {
		var err error
		outcome, err = w.syncer.Sync(ctx, jobs.Request{Resource: resource(t, "time_entries"), Mode: jobs.Full, Reason: jobs.ReasonManual})
		ended <- err
	}()
	eventually(t, "the next slice is asked for", func() bool { return least() >= 2 })
	eventually(t, "the page waits for the table", func() bool {
		return query[bool](w, `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'paymo.time_entries'::regclass)`)
	})
	if n := least(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}

	// Interrupted then, the run has waited for its request and counted it.
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := outcome.Requests; n != 4 {
		t.Errorf("%d requests are counted, want 4: two for whose key it is, two for the table", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Where the page's transaction was still waiting the lease could not be given back, and ends.
	eventually(t, "the table is free", func() bool {
		_, err := w.syncer.Sync(t.Context(), jobs.Request{Resource: resource(t, "time_entries"), Mode: jobs.Full, Reason: jobs.ReasonManual})
		if _, held := errors.AsType[*sink.HeldError](err); err != nil && !held {
			t.Fatal(err)
		}
		return err == nil
	})
	w.mustEqual("time_entries")
}

// A request ahead of a listing that ends, or begins again in another way, is none too many.
func TestNothingIsAskedForInVain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 9000})
	first := w.mustSync("time_entries", jobs.Full)
	asked := map[string]int{}
	for _, request := range w.fake.Requests() {
		if request.Table == "time_entries" {
			asked[request.Query]++
		}
	}
	for query, times := range asked {
		if times > 1 {
			t.Errorf("%s was asked for %d times", query, times)
		}
	}
	if first.Requests < len(asked) {
		t.Errorf("%d requests are counted, and %d were made", first.Requests, len(asked))
	}
}
