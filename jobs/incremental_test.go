package jobs_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// An incremental brings what was made and what was changed, in every table, and
// nothing else.
func TestIncrementalBringsChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	for _, table := range readable() {
		r := resource(t, table)
		w.mustSync(table, jobs.Full)
		want := int64(1)
		if !r.Singleton {
			var like map[string]any
			for object := range w.fake.Rows(table) {
				like = decode(t, object)
			}
			delete(like, "id")
			delete(like, "created_on")
			delete(like, "updated_on")
			w.put(table, like)
			want = 2
		}
		changed := map[string]any{}
		for _, column := range r.Stored() {
			if column.Kind == catalog.Text && !column.Has(catalog.PII) && !slices.Contains(r.Together, column.Name) {
				changed[column.Name] = "changed \u0000 a little"
				break
			}
		}
		if len(changed) == 0 {
			changed["seq"] = 77
			if _, ok := r.Column("seq"); !ok {
				changed = map[string]any{"amount": 12.25}
			}
		}
		w.patch(table, query[int64](w, "SELECT min(id) FROM paymo."+table), changed)
		if r.Listings[0] == catalog.WithParent { // it follows the rows that it comes with
			for id := range w.objects(r.Embedded.Parent) {
				w.patch(r.Embedded.Parent, id, nil)
			}
			w.mustSync(r.Embedded.Parent, jobs.Incremental)
		}
		w.fake.ResetLog()
		outcome := w.mustSync(table, jobs.Incremental)
		if written := outcome.Inserted + outcome.Updated; written != want || outcome.Mode != jobs.Incremental {
			t.Errorf("%s: a sync (%s) wrote %d rows, want %d", table, outcome.Mode, written, want)
		}
		if n := w.requests(table); n > 2 {
			t.Errorf("%s: %d requests", table, n)
		}
		w.mustEqual(table)
	}
}

// All tables together, with nothing new.
func TestIdleSyncIsCheap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	for _, table := range readable() {
		w.mustSync(table, jobs.Full)
	}
	w.fake.ResetLog()
	for _, table := range readable() {
		w.mustSync(table, jobs.Incremental)
	}
	total := 0
	for _, count := range w.fake.Counts() {
		total += int(count.Requests)
	}
	t.Logf("%d requests for %d tables", total, len(readable()))
	if total > 40 {
		t.Errorf("%d requests", total)
	}
}

// A timer that runs is read at every sync, also when updated_on says nothing of it.
func TestRunningTimers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("time_entries", jobs.Full)
	user := entryOf(t, w)
	id := w.put("time_entries", map[string]any{
		"start_time": w.fake.Now().Add(-time.Hour), "end_time": nil, "user_id": user,
		"updated_on": time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), "description": "at work",
	})
	outcome := w.mustSync("time_entries", jobs.Incremental)
	if outcome.Inserted != 1 {
		t.Errorf("%d rows inserted", outcome.Inserted)
	}
	w.mustEqual("time_entries")
	w.patch("time_entries", id, map[string]any{"end_time": w.fake.Now(), "duration": 3600})
	w.mustSync("time_entries", jobs.Incremental)
	w.mustEqual("time_entries")
}

// Bulk entries are no running timers, where the server does not tell them apart.
func TestBulkEntriesAreNoTimers(t *testing.T) {
	t.Parallel()
	company := small()
	company.BulkOpen = true
	w := newWorld(t, company)
	w.mustSync("time_entries", jobs.Full)
	w.change("time_entries")
	w.mustSync("time_entries", jobs.Incremental)
	w.mustEqual("time_entries")
}

// An entry that becomes a bulk one has no times any more, and the other way round.
func TestBulkAndTimedEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	id := w.put("time_entries", map[string]any{
		"start_time": w.fake.Now().Add(-time.Hour), "end_time": w.fake.Now(), "duration": 3600, "user_id": entryOf(t, w),
	})
	w.mustSync("time_entries", jobs.Full)
	w.patch("time_entries", id, map[string]any{"date": "2026-03-04", "is_bulk": true})
	if err := w.fake.Unset("time_entries", id, "start_time", "end_time"); err != nil {
		t.Fatal(err)
	}
	w.mustSync("time_entries", jobs.Incremental)
	w.mustEqual("time_entries")
	w.patch("time_entries", id, map[string]any{"start_time": "2026-03-04T10:00:00Z", "end_time": "2026-03-04T11:00:00Z"})
	if err := w.fake.Unset("time_entries", id, "date"); err != nil {
		t.Fatal(err)
	}
	w.mustSync("time_entries", jobs.Incremental)
	w.mustEqual("time_entries")
}

// Of the company only what the catalogue names is stored: the rest may be secret.
func TestCompanyIsAnAllowList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	id := w.companyID()
	w.patch("company", id, map[string]any{"new_payment_gateway": "unheard of", "name": "Renamed & Sons"})
	w.mustSync("company", jobs.Full)
	w.mustEqual("company")
	row := query[string](w, `SELECT row_to_json(c)::text FROM paymo.company AS c`)
	for _, word := range []string{"unheard of", paymotest.Canary} {
		if contains(row, word) {
			t.Errorf("%q is stored", word)
		}
	}
	// Elsewhere what is unknown is kept, unless it smells of a secret.
	user := entryOf(t, w)
	w.patch("users", user, map[string]any{"favourite_tea": "Assam", "api_token": "s3cret", "nested": map[string]any{"link": "x", "kept": 1.50}})
	w.mustSync("users", jobs.Full)
	w.mustEqual("users")
	if extra := query[string](w, `SELECT _extra::text FROM paymo.users WHERE id = $1`, user); contains(extra, "s3cret") || !contains(extra, "Assam") {
		t.Errorf("_extra is %s", extra)
	}
}

// What is learned of the server is shown.
func TestLearnedCapabilityIsShown(t *testing.T) {
	t.Parallel()
	for kind, reason := range map[paymotest.FaultKind]string{
		paymotest.FaultIgnoreFilter: "which is older than was asked for",
		paymotest.FaultBreakFilter:  "which is new enough",
	} {
		w := newWorld(t, small())
		w.mustSync("tasks", jobs.Full)
		w.change("tasks")
		w.fake.AddFault(paymotest.Fault{Kind: kind, Table: "tasks"})
		w.mustSync("tasks", jobs.Incremental)
		w.mustEqual("tasks")
		learned, ok := w.status("tasks").Capabilities["updated_on filter"]
		if !ok || learned.Works || !contains(learned.Reason, reason) || learned.Since.IsZero() {
			t.Errorf("%s: learned %+v", kind, learned)
		}
		// The next one does not ask in vain, a full asks again.
		w.change("tasks")
		w.fake.ResetLog()
		w.mustSync("tasks", jobs.Incremental)
		w.mustEqual("tasks")
		for _, request := range w.fake.Requests() {
			if request.Table == "tasks" && contains(request.Query, "updated_on") {
				t.Errorf("%s: asked again with %s", kind, request.Query)
			}
		}
		w.fake.ClearFaults()
		w.mustSync("tasks", jobs.Full)
		if learned, ok := w.status("tasks").Capabilities["updated_on filter"]; ok {
			t.Errorf("%s: still %+v", kind, learned)
		}
	}
}

// Reading begins where SYNC_START_DATE says.
func TestStartDate(t *testing.T) {
	t.Parallel()
	start := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	w := newWorld(t, small(), func(_ *paymo.Config, config *jobs.SyncerConfig) { config.StartDate = start })
	w.mustSync("time_entries", jobs.Full)
	within := func(object map[string]any, begin time.Time) bool {
		text, ok := object["start_time"].(string)
		if !ok {
			text = object["date"].(string)
		}
		return text[:10] >= begin.Format(time.DateOnly)
	}
	must, may := 0, 0
	for object := range w.fake.Rows("time_entries") {
		if fields := decode(t, object); within(fields, start) {
			must++
			id := fields["id"].(json.Number).String()
			if !query[bool](w, `SELECT EXISTS (SELECT 1 FROM paymo.time_entries WHERE id = $1::bigint)`, id) {
				t.Errorf("entry %s is missing", id)
			}
		} else if within(fields, start.AddDate(0, 0, -1)) { // days are read a day wider
			may++
		}
	}
	if n := w.count("time_entries"); n < must || n > must+may || must == 0 || must == w.fake.Count("time_entries") {
		t.Errorf("%d entries, want %d to %d", n, must, must+may)
	}
	// Later syncs keep to it and are as good.
	w.change("time_entries")
	w.mustSync("time_entries", jobs.Incremental)
	w.mustSync("time_entries", jobs.Full)
}

// The cursor stays behind what the server has said, and moves with the whole listing
// alone.
func TestCursor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	checkpoint := func() sink.Checkpoint {
		cp, err := w.store.Checkpoint(t.Context(), "tasks")
		if err != nil {
			t.Fatal(err)
		}
		return cp
	}
	w.mustSync("tasks", jobs.Full)
	newest := query[time.Time](w, `SELECT max(updated_on) FROM paymo.tasks`)
	first := checkpoint()
	if !first.Cursor.Equal(newest.Add(-time.Minute)) {
		t.Errorf("the cursor is %s, the newest row of %s", first.Cursor, newest)
	}
	if first.FreshAsOf.IsZero() || first.FreshAsOf.After(time.Now()) || first.FullAt.IsZero() {
		t.Errorf("%+v", first)
	}

	// A row from the future does not drag it along.
	id := w.put("tasks", map[string]any{"name": "from the future", "updated_on": w.fake.Now().Add(48 * time.Hour)})
	before := w.fake.Now().Add(time.Second)
	w.mustSync("tasks", jobs.Incremental)
	second := checkpoint()
	if second.Cursor.After(before.Add(-time.Minute)) || second.Cursor.Before(first.Cursor) {
		t.Errorf("the cursor is %s, now is %s", second.Cursor, before)
	}
	w.patch("tasks", id, map[string]any{"name": "back"})
	w.mustSync("tasks", jobs.Incremental)
	w.mustEqual("tasks")

	// A failure moves nothing.
	third := checkpoint()
	w.change("tasks")
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultTruncate, Table: "tasks"})
	if outcome, err := w.sync("tasks", jobs.Incremental); err == nil {
		t.Error(unexpected(outcome, err))
	}
	failed := checkpoint()
	if !failed.Cursor.Equal(third.Cursor) || !failed.FreshAsOf.Equal(third.FreshAsOf) || !failed.FullAt.Equal(third.FullAt) || failed.State != sink.StateFailing {
		t.Errorf("%+v after a failure, %+v before", failed, third)
	}
	w.fake.ClearFaults()
	w.mustSync("tasks", jobs.Incremental)
	w.mustEqual("tasks")
	if w.status("tasks").State != sink.StateOK {
		t.Error("the table did not recover")
	}
}

// Rows that become visible a little late, with a time before the newest, are found.
func TestOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("tasks", jobs.Full)
	newest := query[time.Time](w, `SELECT max(updated_on) FROM paymo.tasks`)
	w.put("tasks", map[string]any{"name": "late", "updated_on": newest.Add(-59 * time.Second)})
	w.mustSync("tasks", jobs.Incremental)
	w.mustEqual("tasks")
}

// Lists longer than a reply are read whole in any order, whether they are cut or not.
func TestLongLists(t *testing.T) {
	t.Parallel()
	for _, order := range []paymotest.Order{paymotest.Ascending, paymotest.Descending, paymotest.Shuffled} {
		for _, uncut := range []bool{false, true} {
			t.Run(string(order)+", uncut "+strconv.FormatBool(uncut), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, paymotest.Config{Seed: 3, Tasks: 6000, Entries: 20_000, Order: order, Uncut: uncut})
				for _, table := range []string{"tasks", "time_entries"} {
					w.mustSync(table, jobs.Full)
					w.mustEqual(table)
					first := w.requests(table)
					w.change(table)
					w.mustSync(table, jobs.Full)
					w.mustEqual(table)
					least := w.fake.Count(table)/catalog.PageCap + 1
					t.Logf("%s: %d and %d requests, %d would do", table, first, w.requests(table)-first, least)
					if first > 3*least+14 {
						t.Errorf("%s: %d requests", table, first)
					}
				}
			})
		}
	}
}

// A server that does not heed ranges is read by pages, twice.
func TestPagesWhereRangesAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 3, Tasks: 2700, Order: paymotest.Shuffled})
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultIgnoreFilter, Field: "id", Table: "tasks"})
	w.mustSync("tasks", jobs.Full)
	w.mustEqual("tasks")
	asked := map[string]int{}
	for _, request := range w.fake.Requests() {
		if request.Table == "tasks" && contains(request.Query, "page=") {
			asked[request.Query]++
		}
	}
	if len(asked) < 6 {
		t.Errorf("the pages asked for: %v", asked)
	}
	for page, times := range asked {
		if times != 2 {
			t.Errorf("%s was asked for %d times", page, times)
		}
	}
}
