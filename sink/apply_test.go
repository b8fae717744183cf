package sink_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// A record that PostgreSQL refuses is put aside, and all the others land.
func TestRefusedRecordsAreQuarantined(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	refused := map[int64]map[string]any{
		7:   {"name": "a\x00b"},                             // U+0000 in a text
		100: {"name": "n", "due_date": "2026-02-30"},        // no such day
		101: {"name": "n", "priority": "1e40"},              // no bigint
		450: {"name": "n", "users": `["\u0000"]`},           // U+0000 in jsonb
		451: {"name": "n", "users": `[1`},                   // no JSON
		999: {"name": "n", "_extra": `{"a": "\ud800"}`},     // half a pair
		998: {"name": "bytes \xff\xfe"},                     // no UTF-8
		500: {"name": "n", "budget_hours": "1e200000"},      // beyond numeric
		501: {"name": "n", "completed_on": "300000-01-01Z"}, // beyond timestamptz
		502: {"name": "n", "billable": "maybe"},
	}
	var records []catalog.Record
	for id := int64(1); id <= 1000; id++ {
		values := refused[id]
		if values == nil {
			values = map[string]any{"name": fmt.Sprint("task ", id)}
		}
		records = append(records, tb.record(id, values))
	}
	result := tb.merge(records...)
	wantCounts(t, result, int64(1000-len(refused)), 0, 0, int64(len(refused)))
	if n := value[int](t, tb.pool, `SELECT count(*) FROM paymo.tasks`); n != 1000-len(refused) {
		t.Errorf("%d rows", n)
	}
	for id := range refused {
		if tb.row(id, "id") != "none" {
			t.Errorf("row %d is there", id)
		}
		problem, err := one[string](t, tb.pool, `SELECT problem FROM paymosync.quarantine WHERE payload LIKE '%"id":"' || $1::text || '"%'`, itoa(id))
		if err != nil || !strings.Contains(problem, "SQLSTATE 22") {
			t.Errorf("row %d: %q, %v", id, problem, err)
		}
	}
	for _, payload := range value[[]string](t, tb.pool, `SELECT array_agg(payload) FROM paymosync.quarantine`) {
		if !json.Valid([]byte(payload)) {
			t.Errorf("no JSON: %s", payload)
		}
	}

	// Met again, they are the same records.
	wantCounts(t, tb.merge(records...), 0, 0, int64(1000-len(refused)), int64(len(refused)))
	if n := value[int](t, tb.pool, `SELECT count(*) FROM paymosync.quarantine`); n != len(refused) {
		t.Errorf("%d records in quarantine", n)
	}
	if n := value[int](t, tb.pool, `SELECT count(*) FROM paymosync.quarantine WHERE last_seen > first_seen`); n != len(refused) {
		t.Errorf("%d records were seen again", n)
	}
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	page := tb.page(tb.record(1, map[string]any{"name": "one"}))
	page.Rejects = []catalog.Reject{
		{Payload: `{"name":"no id"}`, Problem: "the id is missing"},
		{Payload: `{"id":"x"}`, Problem: "the id is a word"},
		{Payload: `{"name":"no id"}`, Problem: "the id is missing"}, // twice in a page
	}
	wantCounts(t, tb.apply(page), 1, 0, 0, 3)
	left, err := tb.lease.ForgetQuarantine(t.Context(), time.Time{})
	if err != nil || left != 2 {
		t.Fatalf("%d left, %v", left, err)
	}
	began := tb.now()
	again := tb.page()
	again.Rejects = page.Rejects[:1]
	tb.apply(again)
	if left, err = tb.lease.ForgetQuarantine(t.Context(), began); err != nil || left != 1 {
		t.Errorf("%d left, %v", left, err)
	}
	// Another table's are its own.
	other := openTable(t, tb.pool, tb.store, "users")
	if left, err = other.lease.ForgetQuarantine(t.Context(), tb.now()); err != nil || left != 0 {
		t.Errorf("%d left of users, %v", left, err)
	}
	if left, err = tb.lease.ForgetQuarantine(t.Context(), tb.now()); err != nil || left != 0 {
		t.Errorf("%d left in the end, %v", left, err)
	}
}

// Rows, checkpoint, counts and quarantine are committed together or not at all.
func TestApplyIsAtomic(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{"paymo.tasks", "paymosync.quarantine", "paymosync.checkpoints", "paymosync.runs"} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t, "tasks")
			exec(t, tb.pool, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`)
			exec(t, tb.pool, `CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON `+broken+` FOR EACH ROW EXECUTE FUNCTION refuse()`)
			page := tb.page(tb.record(1, map[string]any{"name": "one"}), tb.record(2, map[string]any{"billable": "maybe"}))
			page.Rejects = []catalog.Reject{{Payload: "{}", Problem: "the id is missing"}}
			page.Checkpoint.Cursor = time.Now()
			page.Cost = sink.Cost{Requests: 1}
			result, err := tb.lease.Apply(t.Context(), page)
			var pg *pgconn.PgError
			if !errors.As(err, &pg) || !strings.Contains(err.Error(), "merge a page into tasks") || result.Inserted != 0 || sink.Temporary(err) {
				t.Fatalf("%+v, %v", result, err)
			}
			var counts []int
			for _, what := range []string{
				`paymo.tasks`, `paymosync.quarantine`, `paymosync.checkpoints`, `paymosync.runs WHERE inserted > 0 OR requests > 0`,
			} {
				counts = append(counts, value[int](t, tb.pool, `SELECT count(*) FROM `+what))
			}
			if !slices.Equal(counts, []int{0, 0, 0, 0}) {
				t.Errorf("rows, quarantine, checkpoints and counts: %v", counts)
			}
			exec(t, tb.pool, `DROP TRIGGER refuse ON `+broken)
			wantCounts(t, tb.apply(page), 1, 0, 0, 2)
			cp, err := tb.store.Checkpoint(t.Context(), "tasks")
			if err != nil || cp.Cursor.IsZero() {
				t.Errorf("%+v, %v", cp, err)
			}
			run, err := tb.store.Run(t.Context(), tb.run)
			if err != nil || run.Inserted != 1 || run.Quarantined != 2 || run.Requests != 1 {
				t.Errorf("%+v, %v", run, err)
			}
		})
	}
}

func TestTemporary(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	_, err := one[int](t, tb.pool, `SELECT 1/0`)
	if sink.Temporary(err) {
		t.Errorf("%v is taken to pass", err)
	}
	for code, want := range map[string]bool{
		"40001": true, "40P01": true, "57P01": true, "53300": true, "08006": true, "55P03": true, "25006": true, "25P03": true, "58030": true,
		"42P01": false, "23505": false, "22003": false, "P0001": false, "25P02": false,
	} {
		err := fmt.Errorf("merge: %w", &pgconn.PgError{Code: code})
		if got := sink.Temporary(err); got != want {
			t.Errorf("%s: %t", code, got)
		}
	}
	if sink.Temporary(errors.New("other")) || sink.Temporary(nil) {
		t.Error("what is not of PostgreSQL is taken to pass")
	}
}
