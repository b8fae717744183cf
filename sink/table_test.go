package sink_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// table is a table of a warehouse, with the lease on it for as long as the test runs.
type table struct {
	t        testing.TB
	pool     *pgxpool.Pool
	store    *sink.Store
	lease    *sink.Lease
	resource *catalog.Resource
	run      int64
}

func lookup(t testing.TB, name string) *catalog.Resource {
	t.Helper()
	r, ok := catalog.Lookup(name)
	if !ok {
		t.Fatalf("no table %s", name)
	}
	return r
}

func newTable(t testing.TB, name string) *table {
	t.Helper()
	pool := sinktest.Database(t)
	return openTable(t, pool, sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount), name)
}

func openTable(t testing.TB, pool *pgxpool.Pool, store *sink.Store, name string) *table {
	t.Helper()
	tb := &table{t: t, pool: pool, store: store, resource: lookup(t, name)}
	leased, done, end := make(chan error, 1), make(chan struct{}), make(chan error, 1)
	go func() {
		end <- store.WithLease(context.Background(), name, "the test", func(_ context.Context, lease *sink.Lease) error {
			tb.lease = lease
			leased <- nil
			<-done
			return nil
		})
	}()
	select {
	case err := <-leased:
		if err != nil {
			t.Fatal(err)
		}
	case err := <-end:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(done)
		if err := <-end; err != nil {
			t.Error(err)
		}
	})
	var err error
	if tb.run, err = tb.lease.StartRun(t.Context(), "full", "manual"); err != nil {
		t.Fatal(err)
	}
	return tb
}

// at is a time of a day in 2026, as Paymo writes it.
func at(clock string) string { return "2026-03-04T" + clock + "Z" }

// record makes a record: a text is set, nil is null, and what is not named is absent.
func (tb *table) record(id int64, values map[string]any) catalog.Record {
	tb.t.Helper()
	return newRecord(tb.t, tb.resource, id, values)
}

func newRecord(t testing.TB, resource *catalog.Resource, id int64, values map[string]any) catalog.Record {
	t.Helper()
	record := catalog.Record{ID: id}
	known := 0
	for _, column := range resource.Stored() {
		value := catalog.Value{}
		switch v, named := values[column.Name]; {
		case column.Name == "id":
			value = catalog.Value{Text: itoa(id), State: catalog.Set}
		case !named:
		case v == nil:
			value.State = catalog.Null
		default:
			value = catalog.Value{Text: v.(string), State: catalog.Set}
		}
		if _, named := values[column.Name]; named {
			known++
		}
		if column.Name == "updated_on" && value.State == catalog.Set {
			updated, err := time.Parse(time.RFC3339, value.Text)
			if err != nil {
				t.Fatal(err)
			}
			record.Updated = updated
		}
		record.Values = append(record.Values, value)
	}
	for name, text := range map[string]*string{"_extra": &record.Extra, "_issues": &record.Issues} {
		if v, named := values[name]; named {
			known++
			*text = v.(string)
		}
	}
	if known != len(values) {
		t.Fatalf("%s has no such columns: %v", resource.Table, values)
	}
	return record
}

// now is the database's clock.
func (tb *table) now() time.Time {
	tb.t.Helper()
	now, err := tb.store.Now(tb.t.Context())
	if err != nil {
		tb.t.Fatal(err)
	}
	return now
}

// page is a page that is requested now, and may empty columns.
func (tb *table) page(records ...catalog.Record) sink.Page {
	tb.t.Helper()
	return sink.Page{
		Run: tb.run, Resource: tb.resource, Records: records, RequestedAt: tb.now(),
		Checkpoint: sink.Checkpoint{State: sink.StateOK}, MayBlank: true,
	}
}

// apply applies a page, which must succeed.
func (tb *table) apply(page sink.Page) sink.Result {
	tb.t.Helper()
	result, err := tb.lease.Apply(tb.t.Context(), page)
	if err != nil {
		tb.t.Fatal(err)
	}
	return result
}

// merge applies a page of these records.
func (tb *table) merge(records ...catalog.Record) sink.Result {
	tb.t.Helper()
	return tb.apply(tb.page(records...))
}

// row is a row as JSON writes it, null for none.
func (tb *table) row(id int64, columns string) string {
	tb.t.Helper()
	row, err := one[string](tb.t, tb.pool, "SELECT row_to_json(r)::text FROM (SELECT "+columns+" FROM paymo."+
		pgx.Identifier{tb.resource.Table}.Sanitize()+" WHERE id = $1) AS r", id)
	if err != nil {
		return "none"
	}
	return row
}

func (tb *table) want(id int64, columns, row string) {
	tb.t.Helper()
	if got := tb.row(id, columns); got != row {
		tb.t.Errorf("row %d is %s, want %s", id, got, row)
	}
}

func one[T any](t testing.TB, pool *pgxpool.Pool, sql string, arguments ...any) (T, error) {
	t.Helper()
	var value T
	err := pool.QueryRow(t.Context(), sql, arguments...).Scan(&value)
	return value, err
}

// value reads one value, which there must be.
func value[T any](t testing.TB, pool *pgxpool.Pool, sql string, arguments ...any) T {
	t.Helper()
	v, err := one[T](t, pool, sql, arguments...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func exec(t testing.TB, pool *pgxpool.Pool, sql string, arguments ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, arguments...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}
