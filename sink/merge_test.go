package sink_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func wantCounts(t *testing.T, got sink.Result, inserted, updated, unchanged, quarantined int64) {
	t.Helper()
	if got.Inserted != inserted || got.Updated != updated || got.Unchanged != unchanged || got.Quarantined != quarantined {
		t.Errorf("%+v, want %d inserted, %d updated, %d unchanged, %d quarantined", got, inserted, updated, unchanged, quarantined)
	}
}

func TestMergeCountsAndWritesWhatDiffers(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	first := []catalog.Record{
		tb.record(1, map[string]any{"name": "one", "price": "1.50", "updated_on": at("10:00:00")}),
		tb.record(2, map[string]any{"name": "two", "users": "[1, 2]", "updated_on": at("10:00:00"), "_extra": `{"mood": "good"}`}),
	}
	wantCounts(t, tb.merge(first...), 2, 0, 0, 0)
	tb.want(1, `name, price, users, _extra, _issues`, `{"name":"one","price":1.50,"users":null,"_extra":null,"_issues":null}`)
	tb.want(2, `name, users, _extra`, `{"name":"two","users":[1, 2],"_extra":{"mood": "good"}}`)
	written := tb.row(1, `_synced_at`)

	second := []catalog.Record{
		tb.record(1, map[string]any{"name": "one", "price": "1.5", "updated_on": at("10:00:00")}), // the same number
		tb.record(2, map[string]any{"name": "zwei", "users": "[1,2]", "updated_on": at("10:00:00"), "_extra": `{"mood":"good"}`}),
		tb.record(3, map[string]any{"name": "three", "updated_on": at("10:00:00")}),
	}
	wantCounts(t, tb.merge(second...), 1, 1, 1, 0)
	tb.want(1, `_synced_at`, written)
	tb.want(2, `name`, `{"name":"zwei"}`)

	// What Paymo knows no more goes, and what will not convert is told.
	wantCounts(t, tb.merge(tb.record(2, map[string]any{"due_date": nil, "_issues": `{"due_date": "soon"}`})), 0, 1, 0, 0)
	tb.want(2, `name, due_date, _extra, _issues`, `{"name":"zwei","due_date":null,"_extra":null,"_issues":{"due_date": "soon"}}`)
	wantCounts(t, tb.merge(), 0, 0, 0, 0)
}

func TestAbsentIsNotNull(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	tb.merge(tb.record(1, map[string]any{"name": "one", "description": "long", "price": "7"}))
	wantCounts(t, tb.merge(tb.record(1, map[string]any{"name": "one"})), 0, 0, 1, 0)
	tb.want(1, `name, description, price`, `{"name":"one","description":"long","price":7}`)
	wantCounts(t, tb.merge(tb.record(1, map[string]any{"name": "uno", "price": nil})), 0, 1, 0, 0)
	tb.want(1, `name, description, price`, `{"name":"uno","description":"long","price":null}`)
	// An absent column of one record does not follow another of the page.
	tb.merge(tb.record(1, map[string]any{"description": "longer"}), tb.record(2, map[string]any{"name": "two"}))
	tb.want(1, `name, description`, `{"name":"uno","description":"longer"}`)
	tb.want(2, `name, description`, `{"name":"two","description":null}`)
}

func TestVolatileColumns(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	tb.merge(tb.record(1, map[string]any{"name": "one", "files_count": "1"}))
	moved := tb.record(1, map[string]any{"name": "one", "files_count": "2"})
	wantCounts(t, tb.merge(moved), 0, 0, 1, 0)
	tb.want(1, `files_count`, `{"files_count":1}`)
	full := tb.page(moved)
	full.Volatile = true
	wantCounts(t, tb.apply(full), 0, 1, 0, 0)
	tb.want(1, `files_count`, `{"files_count":2}`)
	// Where something else changed they come along.
	wantCounts(t, tb.merge(tb.record(1, map[string]any{"name": "uno", "files_count": "3"})), 0, 1, 0, 0)
	tb.want(1, `name, files_count`, `{"name":"uno","files_count":3}`)
}

func TestTombstoneIsLifted(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	record := tb.record(1, map[string]any{"name": "one"})
	tb.merge(record)
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = now(), _synced_at = now()`)
	before := tb.now()
	wantCounts(t, tb.merge(record), 0, 1, 0, 0)
	tb.want(1, `name, _deleted_at`, `{"name":"one","_deleted_at":null}`)
	if !value[bool](t, tb.pool, `SELECT _synced_at >= $1 FROM paymo.tasks`, before) {
		t.Error("the lift was not noted in _synced_at")
	}
}

// A page that was asked for before does not bring a row back, not in a newer version either.
func TestTombstoneStays(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	version := func(updated string) catalog.Record {
		return tb.record(1, map[string]any{"name": updated, "updated_on": updated})
	}
	tb.merge(version(at("10:00:00")))
	late := tb.page(version(at("11:00:00")))
	late.RequestedAt = tb.now()
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = clock_timestamp(), _synced_at = clock_timestamp()`)
	if result := tb.apply(late); result.Updated > 0 || !slices.Equal(result.Stale, []int64{1}) {
		t.Errorf("a page of before: %+v", result)
	}
	tb.want(1, `_deleted_at IS NULL AS lives`, `{"lives":false}`)
	wantCounts(t, tb.merge(version(at("11:00:00"))), 0, 1, 0, 0)
	tb.want(1, `_deleted_at IS NULL AS lives`, `{"lives":true}`)
}

func TestDuplicatesInAPage(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	name := func(name, updated string) catalog.Record {
		return tb.record(1, map[string]any{"name": name, "updated_on": updated})
	}
	wantCounts(t, tb.merge(name("old", at("10:00:00")), name("new", at("11:00:00")), name("older", at("09:00:00"))), 1, 0, 0, 0)
	tb.want(1, `name`, `{"name":"new"}`)
	tb.merge(name("first", at("12:00:00")), name("second", at("12:00:00")))
	tb.want(1, `name`, `{"name":"second"}`)
}

// A page that was requested before the row was last written may not turn it back.
func TestWhichVersionWins(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	version := func(name string, updated any) catalog.Record {
		return tb.record(1, map[string]any{"name": name, "updated_on": updated})
	}
	early := tb.now()
	tb.merge(version("webhook", at("10:00:00")), tb.record(2, map[string]any{"name": "two", "updated_on": at("10:00:00")}))

	late := tb.page(version("older", at("09:00:00")), tb.record(2, map[string]any{"name": "two", "updated_on": at("10:00:00")}),
		tb.record(3, map[string]any{"name": "new"}))
	late.RequestedAt = early
	result := tb.apply(late)
	wantCounts(t, result, 1, 0, 2, 0)
	if len(result.Stale) > 0 { // it was overtaken, and answers nothing newer
		t.Errorf("stale: %v", result.Stale)
	}
	outdated := tb.apply(tb.page(version("older", at("09:00:00"))))
	if !slices.Equal(outdated.Stale, []int64{1}) {
		t.Errorf("stale: %v", outdated.Stale)
	}
	tb.want(1, `name`, `{"name":"webhook"}`)

	// The same second tells nothing; neither does a row without a time.
	for _, updated := range []any{at("10:00:00"), nil} {
		late = tb.page(version("another", updated))
		late.RequestedAt = early
		if result := tb.apply(late); !slices.Equal(result.Stale, []int64{1}) {
			t.Errorf("updated_on %v: %+v", updated, result)
		}
	}
	late = tb.page(version("newer", at("10:00:01")))
	late.RequestedAt = early
	wantCounts(t, tb.apply(late), 0, 1, 0, 0)
	tb.want(1, `name`, `{"name":"newer"}`)

	// An older version is one of a server that lags behind, however late it was asked for.
	if result := tb.merge(version("lagging", at("08:00:00"))); !slices.Equal(result.Stale, []int64{1}) {
		t.Errorf("%+v", result)
	}
	tb.want(1, `name`, `{"name":"newer"}`)

	// A wrong row can always be mended.
	repair := tb.page(version("mended", at("08:00:00")))
	repair.Force = true
	wantCounts(t, tb.apply(repair), 0, 1, 0, 0)
	tb.want(1, `name, updated_on`, `{"name":"mended","updated_on":"2026-03-04T08:00:00+00:00"}`)
}

// A page of rows that are equal writes no row and next to nothing to the log. The log
// is the whole server's, so that no other test may run meanwhile.
//
//nolint:paralleltest // see above
func TestEqualPageWritesNothing(t *testing.T) {
	tb := newTable(t, "time_entries")
	records := make([]catalog.Record, 10_000)
	for i := range records {
		records[i] = tb.record(int64(i+1), map[string]any{
			"description": fmt.Sprintf("row %d", i), "duration": itoa(int64(i)), "billed": "false",
			"start_time": at("08:00:00"), "end_time": at("09:00:00"), "date": nil, "updated_on": at("09:00:00"),
		})
	}
	log := func() int64 {
		return value[int64](t, tb.pool, `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint`)
	}
	start := log()
	wantCounts(t, tb.merge(records...), 10_000, 0, 0, 0)
	first := log() - start
	fingerprint := func() string {
		return value[string](t, tb.pool, `SELECT md5(string_agg(id || ':' || xmin || ':' || ctid::text, ',' ORDER BY id)) FROM paymo.time_entries`)
	}
	before := fingerprint()

	// The server itself may write to the log at any time: the least of some tries counts.
	least := int64(1 << 62)
	for range 5 {
		start = log()
		page := tb.page(records...)
		page.Volatile = true
		wantCounts(t, tb.apply(page), 0, 0, 10_000, 0)
		least = min(least, log()-start)
	}
	if fingerprint() != before {
		t.Error("rows were written")
	}
	t.Logf("%d bytes of WAL for 10,000 new rows, %d for the same again", first, least)
	if least > first/20 {
		t.Errorf("%d bytes of WAL for equal rows, %d for new ones", least, first)
	}
}

// Every column of every table takes a value of its kind and gives it back.
func TestEveryTableTakesARecord(t *testing.T) {
	t.Parallel()
	samples := map[catalog.Kind][2]string{ // as it is sent, as row_to_json gives it back
		catalog.Text:     {`a "quoted" \ {text}, ünïcode 💡`, `"a \"quoted\" \\ {text}, ünïcode 💡"`},
		catalog.Integer:  {"9223372036854775807", "9223372036854775807"},
		catalog.Decimal:  {"12345678901234567890.10", "12345678901234567890.10"},
		catalog.Boolean:  {"true", "true"},
		catalog.Datetime: {"2026-03-04T05:06:07.123456Z", `"2026-03-04T05:06:07.123456+00:00"`},
		catalog.Date:     {"2024-02-29", `"2024-02-29"`},
		catalog.JSON:     {`{"a":[1,null,"x"]}`, `{"a": [1, null, "x"]}`},
	}
	first := newTable(t, "users")
	for _, resource := range catalog.All() { //nolint:paralleltest // they share a database
		t.Run(resource.Table, func(t *testing.T) {
			tb := first
			if resource.Table != "users" {
				tb = openTable(t, first.pool, first.store, resource.Table)
			}
			values := map[string]any{}
			for _, column := range resource.Stored() {
				if column.Name != "id" {
					values[column.Name] = samples[column.Kind][0]
				}
			}
			record := newRecord(t, resource, 77, values)
			wantCounts(t, tb.merge(record), 1, 0, 0, 0)
			for _, column := range resource.Stored() {
				if column.Name == "id" {
					continue
				}
				got := tb.row(77, `"`+column.Name+`" AS v`)
				if want := `{"v":` + samples[column.Kind][1] + `}`; got != want {
					t.Errorf("%s: %s, want %s", column.Name, got, want)
				}
			}
			page := tb.page(record)
			page.Volatile = true
			wantCounts(t, tb.apply(page), 0, 0, 1, 0)
			// The same with nothing but an id, and with nulls.
			wantCounts(t, tb.merge(newRecord(t, resource, 78, nil)), 1, 0, 0, 0)
			for name := range values {
				values[name] = nil
			}
			wantCounts(t, tb.merge(newRecord(t, resource, 77, values)), 0, 1, 0, 0)
		})
	}
}

// Requested at is compared at the database's precision: a row written in the
// transaction that follows is newer.
func TestRequestedJustBefore(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	page := tb.page(tb.record(1, map[string]any{"name": "one"}))
	tb.merge(tb.record(1, map[string]any{"name": "another"}))
	if result := tb.apply(page); !slices.Equal(result.Stale, []int64{1}) {
		t.Errorf("%+v", result)
	}
	if page.RequestedAt.Location() == time.UTC {
		page.RequestedAt = page.RequestedAt.In(time.FixedZone("east", 3*3600))
	}
	if result := tb.apply(page); !slices.Equal(result.Stale, []int64{1}) {
		t.Errorf("in another zone: %+v", result)
	}
}

// A database's clock that was set back leaves rows behind that were written later than
// now. A page mends them all the same.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	tb.merge(tb.record(1, map[string]any{"name": "one"}), tb.record(2, map[string]any{"name": "two"}))
	exec(t, tb.pool, `UPDATE paymo.tasks SET _synced_at = clock_timestamp() + interval '1 hour'`)
	result := tb.merge(tb.record(1, map[string]any{"name": "uno"}), tb.record(2, map[string]any{"name": "two"}))
	if result.Updated != 1 || result.Unchanged != 1 || len(result.Stale) != 0 {
		t.Errorf("%+v", result)
	}
	tb.want(1, `name, _synced_at <= clock_timestamp() AS mended`, `{"name":"uno","mended":true}`)
	// From then on it orders pages again.
	late := tb.page(tb.record(1, map[string]any{"name": "late"}))
	tb.merge(tb.record(1, map[string]any{"name": "eins"}))
	if result := tb.apply(late); !slices.Equal(result.Stale, []int64{1}) {
		t.Errorf("a late page: %+v", result)
	}
}
