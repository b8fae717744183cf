package jobs_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// backfill asks for everything of a range of dates.
func (w *world) backfill(ctx context.Context, table, from, to string) (jobs.Outcome, error) {
	w.t.Helper()
	req := jobs.Request{Resource: resource(w.t, table), Mode: jobs.Backfill, Reason: jobs.ReasonManual, From: date(w.t, from)}
	if to != "" {
		req.To = date(w.t, to)
	}
	return w.syncer.Sync(ctx, req)
}

func date(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A backfill brings the rows of its dates and leaves the checkpoint as it was.
func TestBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	for table, when := range map[string]string{
		"time_entries": "coalesce(start_time, date::timestamptz)", "tasks": "created_on", "comments": "created_on", "bookings": "end_date::timestamptz",
	} {
		w.mustSync(table, jobs.Full)
		before, err := w.store.Checkpoint(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		inside := " WHERE " + when + " >= '2025-03-01' AND " + when + " < '2025-09-01'"
		gone := query[int64](w, "WITH gone AS (DELETE FROM paymo."+table+inside+" RETURNING id) SELECT count(*) FROM gone")
		if gone == 0 {
			t.Errorf("%s: no row is in the range", table)
		}
		outcome, err := w.backfill(t.Context(), table, "2025-03-01", "2025-09-01")
		if err != nil || outcome.State != sink.StateOK || outcome.Mode != jobs.Backfill || outcome.Inserted != gone {
			t.Errorf("%s: %v, %d rows were gone", table, unexpected(outcome, err), gone)
		}
		w.mustEqual(table)
		after, err := w.store.Checkpoint(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		if !after.Cursor.Equal(before.Cursor) || !after.FullAt.Equal(before.FullAt) || !after.FreshAsOf.Equal(before.FreshAsOf) || after.Backfill != nil {
			t.Errorf("%s: the checkpoint was %+v and is %+v", table, before, after)
		}
	}
}

// A backfill goes on where it was interrupted, also when incrementals came in between.
func TestInterruptedBackfill(t *testing.T) {
	t.Parallel()
	company := paymotest.Config{Seed: 7, Entries: 3000, Cap: 200}
	w := newWorld(t, company)
	w.mustSync("users", jobs.Full)
	w.mustSync("time_entries", jobs.Full)
	exec(w, `DELETE FROM paymo.time_entries`)
	exec(w, `UPDATE paymosync.checkpoints SET cursor = NULL`) // nothing but the backfill is to bring them back
	requests, pieces := 0, 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		w.syncer = w.newSyncer("worker-1", func(client *paymo.Config, _ *jobs.SyncerConfig) {
			client.Transport = &cancelAfter{RoundTripper: client.Transport, left: 8, cancel: cancel}
		})
		outcome, err := w.backfill(ctx, "time_entries", "2000-01-01", "")
		cancel()
		requests += outcome.Requests
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(unexpected(outcome, err))
		}
		if pieces++; pieces > 50 {
			t.Fatal("it does not come to an end")
		}
	}
	w.mustEqual("time_entries")
	if pieces < 3 || requests > 100 {
		t.Errorf("%d pieces, %d requests", pieces, requests)
	}
}

// Windows that are too much for Paymo are halved.
func TestHalvedBackfill(t *testing.T) {
	t.Parallel()
	interval := regexp.MustCompile(`time_interval in \("(\d{4}-\d\d-\d\d)T00:00:00Z","(\d{4}-\d\d-\d\d)T00:00:00Z"\)`)
	refused := 0
	strict := false
	w := wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		if ends := interval.FindStringSubmatch(r.URL.Query().Get("where")); strict && ends != nil {
			if days := date(t, ends[2]).Sub(date(t, ends[1])).Hours() / 24; days > 40 {
				refused++
				answer(rw, http.StatusInternalServerError, `{"message":"Application error"}`)
				return
			}
		}
		fake.ServeHTTP(rw, r)
	})
	w.mustSync("time_entries", jobs.Full)
	exec(w, `DELETE FROM paymo.time_entries`)
	strict = true
	outcome, err := w.backfill(t.Context(), "time_entries", "2023-01-01", "2026-12-31")
	if err != nil || outcome.State != sink.StateOK {
		t.Fatal(unexpected(outcome, err))
	}
	w.mustEqual("time_entries")
	if refused == 0 || refused > 10 {
		t.Errorf("%d requests were refused", refused)
	}
}

// A backfill of a single day reads that day, and does not call a table whole that was
// never read whole.
func TestBackfillOfADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	when := w.fake.Now().UTC().Truncate(24 * time.Hour).Add(-10 * time.Hour)
	for _, at := range []time.Time{when, when.AddDate(0, 0, -1), when.AddDate(0, 0, 1), when.AddDate(0, 0, -4)} {
		w.put("time_entries", map[string]any{"user_id": entryOf(t, w), "start_time": at, "end_time": at.Add(time.Hour)})
	}
	day := when.Format(time.DateOnly)
	outcome, err := w.backfill(t.Context(), "time_entries", day, when.AddDate(0, 0, 1).Format(time.DateOnly))
	if err != nil || outcome.State != sink.StateOK || outcome.Inserted == 0 {
		t.Fatal(unexpected(outcome, err))
	}
	if n := query[int](w, `SELECT count(*) FROM paymo.time_entries WHERE start_time = $1`, when); n != 1 {
		t.Errorf("%d entries of the day", n)
	}
	if status := w.status("time_entries"); status.State != sink.StateUnavailable || status.Reason != sink.Unsynced {
		t.Errorf("the status says %s: %s", status.State, status.Reason)
	}
}

// A window without an end is halved too, and rows without a parent are read as well.
func TestOpenBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("files", jobs.Full)
	exec(w, `DELETE FROM paymo.files`)
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusInternalServerError, Table: "files", Count: 1})
	outcome, err := w.backfill(t.Context(), "files", "2020-01-01", "")
	if err != nil || outcome.State != sink.StateOK {
		t.Fatal(unexpected(outcome, err))
	}
	w.mustEqual("files")
}
