package jobs_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// big is a company whose tasks and entries fill several replies.
func big() paymotest.Config { return paymotest.Config{Seed: 7, Tasks: 6000, Entries: 9000} }

// What a page that could not be committed was to say of the checkpoint is forgotten:
// neither the progress nor the cursor may be ahead of the rows.
func TestRefusedCommitMovesNothing(t *testing.T) {
	t.Parallel()
	for name, company := range map[string]paymotest.Config{"one page": small(), "several pages": big()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, company)
			exec(w, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF (SELECT count(*) FROM paymo.tasks) + (SELECT count(*) FROM fresh) > 2500 OR `+onePage(name)+` THEN
					RAISE EXCEPTION 'the disk has a mood';
				END IF;
				RETURN NULL;
			END $$`)
			exec(w, `CREATE TRIGGER refuse AFTER INSERT ON paymo.tasks REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION refuse()`)
			outcome, err := w.sync("tasks", jobs.Incremental)
			if err == nil || outcome.State != sink.StateFailing {
				t.Fatal(unexpected(outcome, err))
			}
			cp, err := w.store.Checkpoint(t.Context(), "tasks")
			if err != nil {
				t.Fatal(err)
			}
			if !cp.Cursor.IsZero() || !cp.FullAt.IsZero() {
				t.Errorf("the checkpoint moved: cursor %s, full %s", cp.Cursor, cp.FullAt)
			}
			exec(w, `DROP TRIGGER refuse ON paymo.tasks`)
			w.mustSync("tasks", jobs.Incremental)
			w.mustEqual("tasks")
		})
	}
}

func onePage(name string) string {
	if name == "one page" {
		return "true"
	}
	return "false"
}

// A sync that is interrupted while a page is being committed reads that page again.
func TestInterruptedCommitLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, big())
	blocker, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blocker.Exec(t.Context(), `LOCK TABLE paymo.tasks IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := w.syncer.Sync(ctx, jobs.Request{Resource: resource(t, "tasks"), Mode: jobs.Incremental, Reason: jobs.ReasonManual})
		ended <- err
	}()
	eventually(t, "a page waits to be written", func() bool {
		return query[int](w, `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'paymo.tasks'::regclass`) > 0
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("the sync ended with %v", err)
	}
	if err := blocker.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.count("tasks"); n != 0 {
		t.Fatalf("%d rows were committed", n)
	}
	w.mustSync("tasks", jobs.Incremental)
	w.mustEqual("tasks")
}

// Killed again and again after some requests, a sync goes on where it was and ends
// with what Paymo has, for little more than the requests of one that is left alone.
func TestInterruptedSyncGoesOn(t *testing.T) {
	t.Parallel()
	const seed = 42
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for _, table := range []string{"tasks", "time_entries"} { //nolint:paralleltest // they share the random numbers
		t.Run(table, func(t *testing.T) {
			alone := newWorld(t, big())
			alone.mustSync(table, jobs.Full)
			w := newWorld(t, big())
			interruptions, last := 0, 0
			for {
				var transport *cancelAfter
				ctx, cancel := context.WithCancel(t.Context())
				syncer := w.newSyncer("worker-1", func(c *paymo.Config, _ *jobs.SyncerConfig) {
					// Two requests are spent on whose key it is; those for a page that is being merged
					// and for the next one may be in vain.
					transport = &cancelAfter{RoundTripper: c.Transport, left: 3 + random.IntN(3), cancel: cancel}
					c.Transport = transport
				})
				outcome, err := syncer.Sync(ctx, jobs.Request{Resource: resource(t, table), Mode: jobs.Full, Reason: jobs.ReasonManual})
				cancel()
				if err == nil {
					if outcome.State != sink.StateOK {
						t.Fatal(unexpected(outcome, err))
					}
					break
				}
				if !errors.Is(err, context.Canceled) || !outcome.Unfinished && outcome.State != sink.RunInterrupted {
					t.Fatal(unexpected(outcome, err))
				}
				if n := w.count(table); n < last {
					t.Fatalf("%d rows, and %d before", n, last)
				} else {
					last = n
				}
				if interruptions++; interruptions > 100 {
					t.Fatal("no end")
				}
			}
			w.mustEqual(table)
			least, spent := alone.requests(table), w.requests(table)
			t.Logf("%d interruptions, %d requests instead of %d", interruptions, spent, least)
			if interruptions == 0 || spent > least+2*interruptions+2 {
				t.Errorf("%d interruptions cost %d requests instead of %d", interruptions, spent, least)
			}
			runs := query[int](w, `SELECT count(*) FROM paymosync.runs WHERE table_name = $1`, table)
			state := query[string](w, `SELECT string_agg(DISTINCT state, ',') FROM paymosync.runs WHERE table_name = $1`, table)
			if runs != 1 || state != sink.StateOK {
				t.Errorf("the ledger has %d runs in state %s", runs, state)
			}
		})
	}
}

// Interrupted at any moment, not only between requests.
func TestInterruptedAtAnyMoment(t *testing.T) {
	t.Parallel()
	const seed = 43
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t, big())
	w.mustSync("users", jobs.Full) // asks whose key it is, so that the rest is all about tasks
	for range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(120*time.Millisecond))), cancel)
		_, err := w.syncer.Sync(ctx, jobs.Request{Resource: resource(t, "tasks"), Mode: jobs.Full, Reason: jobs.ReasonManual})
		timer.Stop()
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	w.mustSync("tasks", jobs.Full)
	w.mustEqual("tasks")
}

// A job that works for long enough hands itself back and is gone on with.
func TestHandBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, big())
	request := jobs.Request{Resource: resource(t, "time_entries"), Mode: jobs.Full, Reason: jobs.ReasonSchedule, Work: 1}
	rounds := 0
	for {
		outcome, err := w.syncer.Sync(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if !outcome.Unfinished {
			break
		}
		if !w.status("time_entries").Unfinished {
			t.Error("the status does not say that there is more to read")
		}
		if rounds++; rounds > 100 {
			t.Fatal("no end")
		}
	}
	if rounds < 3 {
		t.Errorf("it handed itself back %d times", rounds)
	}
	w.mustEqual("time_entries")
	if runs := query[int](w, `SELECT count(*) FROM paymosync.runs`); runs != 1 {
		t.Errorf("the ledger has %d runs", runs)
	}
	counted := query[int](w, `SELECT requests FROM paymosync.runs`)
	if made := w.requests("time_entries") + w.requests("me") + w.requests("company"); counted != made {
		t.Errorf("the ledger says %d requests, %d were made", counted, made)
	}
}

// A rate limit costs time and no data; its wait is told to who may wait.
func TestRateLimitGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, big(), func(c *paymo.Config, _ *jobs.SyncerConfig) { c.MaxWait = time.Nanosecond })
	w.mustSync("tasks", jobs.Full) // a first load would wait in place
	w.fake.ResetLog()
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusTooManyRequests, Delay: time.Second, Table: "tasks", Skip: 2, Count: 1})
	outcome, err := w.sync("tasks", jobs.Full)
	wait, ok := jobs.RetryIn(err)
	if !ok || wait <= 0 || wait > 2*time.Second || !outcome.Unfinished {
		t.Fatal(unexpected(outcome, err))
	}
	before := w.requests("tasks")
	eventually(t, "the rate limit is over", func() bool {
		outcome, err = w.sync("tasks", jobs.Full)
		_, limited := jobs.RetryIn(err)
		return !limited
	})
	if err != nil || outcome.State != sink.StateOK {
		t.Fatal(unexpected(outcome, err))
	}
	if before == 0 {
		t.Error("nothing was read before the limit")
	}
	w.mustEqual("tasks")
	if runs := query[int](w, `SELECT count(*) FROM paymosync.runs WHERE table_name = 'tasks'`); runs != 2 {
		t.Errorf("the ledger has %d runs", runs)
	}
}
