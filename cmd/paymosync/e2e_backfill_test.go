package main

import (
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// A backfill reads the days that it is given anew, the last one too, and leaves what lies
// beyond alone.
func TestProgramBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("sync").mustExit(exitOK)
	const entry = `SELECT id FROM paymo.time_entries WHERE start_time IS NOT NULL ORDER BY start_time, id OFFSET $1 LIMIT 1`
	inside, beyond := value[int64](w, entry, 700), value[int64](w, entry, 1500)
	const dayOf = `SELECT to_char(start_time AT TIME ZONE 'UTC' - $2::interval, 'YYYY-MM-DD') FROM paymo.time_entries WHERE id = $1`
	first, last := value[string](w, dayOf, inside, "2 days"), value[string](w, dayOf, inside, "0 days")
	for _, id := range []int64{inside, beyond} {
		if err := w.paymo.PatchQuietly("time_entries", id, map[string]any{"description": "changed without updated_on"}); err != nil {
			t.Fatal(err)
		}
	}
	var outcomes []synced
	if err := json.Unmarshal([]byte(w.run("backfill", "time_entries", "--from", first, "--to", last, "--json").mustExit(exitOK).out), &outcomes); err != nil {
		t.Fatal(err)
	}
	if o := outcomes[0]; len(outcomes) != 1 || o.Table != "time_entries" || o.Mode != jobs.Backfill || o.State != "ok" || o.Updated != 1 || o.Unchanged > 1000 || o.From != first || o.To != last || o.WentOn != nil {
		t.Errorf("%+v", outcomes)
	}
	const changed = `SELECT description = 'changed without updated_on' FROM paymo.time_entries WHERE id = $1`
	if !value[bool](w, changed, inside) || value[bool](w, changed, beyond) {
		t.Error("it did not read these days and nothing else")
	}
	// All tables that can be read so, with an end that is open; the rest is left out.
	w.run("backfill", "--from", "2000-01-01").mustExit(exitOK).mustSay("time_entries", "invoices", "1 changed", "backfill")
	w.mustEqual()
	if tables := value[int](w, `SELECT count(DISTINCT table_name) FROM paymosync.runs WHERE mode = 'backfill'`); tables != len(backfillable()) {
		t.Errorf("%d tables, want %d", tables, len(backfillable()))
	}
}

// A backfill that is interrupted goes on where it was, with the same dates; a table that
// was never read needs no sync before.
func TestProgramBackfillGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Cap: 100})
	slow(w, 200*time.Millisecond)
	args := []string{"backfill", "time_entries", "--from", "2000-01-01", "--to", "2099-12-31"}
	c := w.start(args...)
	within(t, 30*time.Second, "the first rows are in", func() error {
		if n := value[int64](w, `SELECT coalesce(sum(inserted), 0)::bigint FROM paymosync.runs`); n < 300 {
			return fmt.Errorf("%d rows", n)
		}
		return nil
	})
	c.signal(syscall.SIGINT)
	c.wait().mustExit(exitInterrupted).mustSay("interrupted", "a backfill of the same dates goes on")
	before := value[int64](w, `SELECT count(*) FROM paymo.time_entries`)
	if before >= int64(w.paymo.Count("time_entries")) {
		t.Fatalf("it was over with %d rows", before)
	}
	w.paymo.ClearFaults()
	var outcomes []synced
	if err := json.Unmarshal([]byte(w.run(append(args, "--json")...).mustExit(exitOK).out), &outcomes); err != nil {
		t.Fatal(err)
	}
	if o := outcomes[0]; o.Inserted != int64(w.paymo.Count("time_entries")) || o.WentOn == nil {
		t.Errorf("%d rows were in, and it did not go on: %+v", before, o)
	}
	if runs := w.ledger(`true`); len(runs) != 1 {
		t.Errorf("%d runs: %v", len(runs), runs)
	}
}

// What cannot be read by dates is said, with what to do instead.
func TestProgramBackfillUsage(t *testing.T) {
	t.Parallel()
	w := &world{t: t, variables: map[string]string{"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}}
	for _, test := range []struct {
		world *world
		args  []string
		say   string
	}{
		{w, nil, "--from is not given"},
		{w, []string{"--from", "01.02.2024"}, `--from "01.02.2024" is not a day`},
		{w, []string{"--from", "2024-01-01", "--to", "soon"}, `--to "soon" is not a day`},
		{w, []string{"--from", "2024-01-02", "--to", "2024-01-01"}, "lies before --from"},
		{w, []string{"invoice_items", "--from", "2024-01-01"}, "invoice_items come with invoices: backfill invoices, or sync --full invoice_items"},
		{w, []string{"company", "--from", "2024-01-01"}, "company is one row, without a date"},
		{w, []string{"taks", "--from", "2024-01-01"}, "did you mean tasks?"},
		{w.with("SYNC_START_DATE", "2024-06-01"), []string{"time_entries", "--from", "2024-01-01"}, "lies before SYNC_START_DATE, 2024-06-01"},
		{w.with("SYNC_START_DATE", "2024-06-01"), []string{"users", "bookings", "--from", "2024-01-01"}, "nothing older is read of bookings: begin there"},
		{w, []string{"--from", "2999-01-01"}, "--from 2999-01-01 is still to come"},
		{w.with("SYNC_TABLES", "company"), []string{"--from", "2024-01-01"}, "none of the configured tables"},
	} {
		test.world.run(append([]string{"backfill"}, test.args...)...).mustExit(exitConfig).mustSay(test.say)
	}
}

// The last day belongs to the range.
func TestParseDays(t *testing.T) {
	t.Parallel()
	got, err := parseDays("2024-02-28", "2024-02-29")
	want := days{time.Date(2024, 2, 28, 0, 0, 0, 0, time.UTC), time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)}
	if err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := parseDays("2024-02-28", ""); err != nil || !got.before.IsZero() {
		t.Errorf("%v, %v", got, err)
	}
}

// With no table named, those that nothing so old is read of are left out, and it is said.
func TestBackfillLeavesOut(t *testing.T) {
	t.Parallel()
	config := Config{Tables: tableNames(), StartDate: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)}
	early := days{from: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
	requests, left, err := backfillRequests(config, nil, early)
	if want := "Left out: --from 2024-01-01 lies before SYNC_START_DATE, 2024-06-01, and nothing older is read of bookings and time_entries."; err != nil || left != want || len(requests) != len(backfillable())-2 {
		t.Errorf("%d tables, %q, %v", len(requests), left, err)
	}
	if requests, left, err := backfillRequests(config, nil, days{from: config.StartDate}); err != nil || left != "" || len(requests) != len(backfillable()) {
		t.Errorf("%d tables, %q, %v", len(requests), left, err)
	}
}
