package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// verify verifies a table and returns what was found.
func (w *world) verify(table string, options ...func(*jobs.VerifyRequest)) jobs.Verified {
	w.t.Helper()
	req := jobs.VerifyRequest{Resource: resource(w.t, table)}
	for _, option := range options {
		option(&req)
	}
	verified, err := w.syncer.Verify(w.t.Context(), req)
	if err != nil {
		w.t.Fatalf("verify %s: %v", table, err)
	}
	return verified
}

func repairing(req *jobs.VerifyRequest) { req.Repair = true }

// mustVerify verifies a table, which must come to the verdict.
func (w *world) mustVerify(table, verdict string, options ...func(*jobs.VerifyRequest)) jobs.Verified {
	w.t.Helper()
	verified := w.verify(table, options...)
	if verified.Verdict != verdict {
		w.t.Fatalf("verify %s: want %s, got %+v", table, verdict, verified)
	}
	return verified
}

// synced is a world in which every table was read whole, and none is being verified.
func synced(t testing.TB, company paymotest.Config) *world {
	t.Helper()
	w := newWorld(t, company)
	for _, table := range readable() {
		w.mustSync(table, jobs.Full)
	}
	return w
}

// bookkeeping tells whether checkpoints, runs or candidates were written.
func (w *world) bookkeeping() string {
	w.t.Helper()
	text := ""
	for _, table := range []string{"checkpoints", "runs", "candidates", "quarantine", "drift"} {
		text += query[string](w, "SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM paymosync."+table+" AS t")
	}
	return text
}

// written tells whether anything was written.
func (w *world) written() string {
	w.t.Helper()
	text := w.bookkeeping()
	for _, table := range readable() {
		text += w.fingerprint(table)
	}
	return text
}

// mustFind verifies a table that differs in one row, without and with a repair.
func (w *world) mustFind(table, kind string, id int64, column string) {
	w.t.Helper()
	before := w.bookkeeping() + w.fingerprint(table)
	found := w.mustVerify(table, jobs.VerdictDifferent)
	if w.bookkeeping()+w.fingerprint(table) != before {
		w.t.Errorf("%s: a verification wrote", table)
	}
	w.mustTell(found, kind, id, column)
	repaired := w.mustVerify(table, jobs.VerdictRepaired, repairing)
	w.mustTell(repaired, kind, id, column)
	if repaired.Repaired != 1 || !repaired.Rows[0].Repaired {
		w.t.Errorf("%s: %+v", table, repaired)
	}
	w.mustEqual(table)
	w.mustVerify(table, jobs.VerdictEqual)
}

// mustTell fails the test unless the one row was found.
func (w *world) mustTell(found jobs.Verified, kind string, id int64, column string) {
	w.t.Helper()
	if found.Found() != 1 || len(found.Rows) != 1 || found.Rows[0].ID != id || found.Rows[0].Kind != kind {
		w.t.Fatalf("%s: want row %d to be %s, got %+v", found.Table, id, kind, found)
	}
	var columns []string
	for _, c := range found.Rows[0].Columns {
		columns = append(columns, c.Name)
	}
	if column != "" && (len(columns) != 1 || columns[0] != column) {
		w.t.Fatalf("%s: want row %d to differ in %s, got %v", found.Table, id, column, columns)
	}
}

// spoil gives a column of a row another value.
func (w *world) spoil(table string, id int64, c catalog.Column) {
	w.t.Helper()
	name := pgx.Identifier{c.Name}.Sanitize()
	value := map[catalog.Kind]string{
		catalog.Text: `coalesce(NAME, '') || ' spoilt'`, catalog.Integer: `coalesce(NAME, 0) + 1`,
		catalog.Decimal: `coalesce(NAME, 0) + 0.01`, catalog.Boolean: `NOT coalesce(NAME, false)`,
		catalog.Datetime: `coalesce(NAME, now()) - interval '1 second'`, catalog.Date: `coalesce(NAME, current_date) - 1`,
		catalog.JSON: `jsonb_build_array(NAME, 'spoilt')`,
	}[c.Kind]
	exec(w, "UPDATE paymo."+table+" SET "+name+" = "+replace(value, "NAME", name)+" WHERE id = $1", id)
}

// served are the columns that Paymo tells of a row.
func (w *world) served(table string, id int64) []catalog.Column {
	w.t.Helper()
	object, err := w.fake.Get(table, id)
	if err != nil {
		w.t.Fatal(err)
	}
	fields := decode(w.t, object)
	return slices.DeleteFunc(resource(w.t, table).Stored(), func(c catalog.Column) bool {
		_, ok := fields[c.Name]
		return !ok || c.Name == "id"
	})
}

func anyOf[T any](rng *rand.Rand, values []T) T { return values[rng.IntN(len(values))] }

// allIDs are the ids of a table's live rows.
func allIDs(w *world, table string) []int64 {
	w.t.Helper()
	return query[[]int64](w, "SELECT array_agg(id ORDER BY id) FROM paymo."+table+" WHERE _deleted_at IS NULL")
}

// Every table is found equal, and nothing is written.
func TestVerifyEqual(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	before := w.written()
	for _, table := range readable() {
		verified := w.mustVerify(table, jobs.VerdictEqual)
		if rows := jobs.Count(w.fake.Count(table)); verified.Paymo != rows || verified.Warehouse != rows || verified.Requests == 0 || verified.Unsummed != "" {
			t.Errorf("%s: %+v", table, verified)
		}
	}
	if w.written() != before {
		t.Error("a verification wrote")
	}
}

// Whatever is wrong in the warehouse is found and mended: a random column of each table,
// a row that is lost, one that is marked deleted, one that nobody knows, other unknown
// fields.
func TestVerifyWarehouse(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	rng := rand.New(rand.NewPCG(1, 2))
	for _, table := range readable() {
		ids := allIDs(w, table)
		id := anyOf(rng, ids)
		c := anyOf(rng, w.served(table, id))
		w.spoil(table, id, c)
		w.mustFind(table, jobs.RowDifferent, id, c.Name)

		id = anyOf(rng, ids)
		exec(w, "UPDATE paymo."+table+` SET _extra = coalesce(_extra, '{}') || '{"spoilt": 1}' WHERE id = $1`, id)
		w.mustFind(table, jobs.RowDifferent, id, "_extra")

		id = anyOf(rng, ids)
		exec(w, "UPDATE paymo."+table+` SET _deleted_at = now() WHERE id = $1`, id)
		w.mustFind(table, jobs.RowDeleted, id, "")

		id = anyOf(rng, ids)
		exec(w, "DELETE FROM paymo."+table+" WHERE id = $1", id)
		w.mustFind(table, jobs.RowMissing, id, "")

		if table == "company" {
			continue // it is the one that the key opens, whatever else is there
		}
		id = slices.Max(ids) + 1
		w.clone(table, slices.Max(ids), id)
		w.mustFind(table, jobs.RowExtra, id, "")
		if n := query[int](w, "SELECT count(*) FROM paymo."+table+" WHERE id = $1 AND _deleted_at IS NOT NULL", id); n != 1 {
			t.Errorf("%s: the row that nobody knows is not marked deleted", table)
		}
		// Its tombstone taken away, it is found again.
		exec(w, "UPDATE paymo."+table+` SET _deleted_at = NULL WHERE id = $1`, id)
		w.mustFind(table, jobs.RowExtra, id, "")
	}
	if n := query[int](w, `SELECT count(*) FROM paymosync.candidates`); n != 0 {
		t.Errorf("%d candidates are left", n)
	}
	if n := query[int](w, `SELECT count(*) FROM paymosync.runs WHERE mode = 'repair' AND state <> 'ok'`); n != 0 {
		t.Errorf("%d repairs are not ok", n)
	}
}

// clone copies a row of the warehouse.
func (w *world) clone(table string, from, to int64) {
	w.t.Helper()
	exec(w, fmt.Sprintf(`
		INSERT INTO paymo.%[1]s
		SELECT (jsonb_populate_record(t, jsonb_build_object('id', $2::bigint, '_deleted_at', NULL))).*
		FROM paymo.%[1]s AS t
		WHERE id = $1`, table), from, to)
}

// Each column of some tables, in turn.
func TestVerifyEachColumn(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"time_entries", "projects", "invoice_items"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, small())
			if table == "invoice_items" {
				w.mustSync("invoices", jobs.Full)
			}
			w.mustSync(table, jobs.Full)
			id := allIDs(w, table)[0]
			for _, c := range w.served(table, id) {
				w.spoil(table, id, c)
				w.mustFind(table, jobs.RowDifferent, id, c.Name)
			}
		})
	}
}

// A field that changes in Paymo without any other sign is found and brought.
func TestVerifyPaymo(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	rng := rand.New(rand.NewPCG(3, 4))
	for _, table := range readable() {
		for range 3 {
			id, field, err := w.fake.MutateField(rng, table)
			if err != nil {
				t.Fatal(err)
			}
			w.mustFind(table, jobs.RowDifferent, id, field)
		}
	}
}

// Many differences at once, of all kinds and on both sides, are all found and mended.
func TestVerifyManyDifferences(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	rng := rand.New(rand.NewPCG(9, 10))
	for _, table := range readable() {
		ids := allIDs(w, table)
		if len(ids) < 10 {
			continue
		}
		rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		want := map[int64]bool{}
		for i, id := range ids[:len(ids)/3] {
			switch want[id] = true; i % 3 {
			case 0:
				w.spoil(table, id, anyOf(rng, w.served(table, id)))
			case 1:
				exec(w, "UPDATE paymo."+table+` SET _deleted_at = now() WHERE id = $1`, id)
			case 2:
				exec(w, "DELETE FROM paymo."+table+" WHERE id = $1", id)
			}
		}
		for range 5 {
			id, _, err := w.fake.MutateField(rng, table)
			if err != nil {
				t.Fatal(err)
			}
			want[id] = true
		}
		for i := range int64(5) {
			id := slices.Max(ids) + 1 + i
			w.clone(table, query[int64](w, "SELECT max(id) FROM paymo."+table), id)
			want[id] = true
		}
		found := w.verify(table, repairing)
		if found.Verdict != jobs.VerdictRepaired || found.Found() != int64(len(want)) || found.Repaired != found.Found() || found.Extra != 5 || len(found.Rows) > 20 {
			t.Errorf("%s: %d differences: %+v", table, len(want), found)
		}
		w.mustEqual(table)
	}
}

func replace(text, old, by string) string { return strings.ReplaceAll(text, old, by) }
