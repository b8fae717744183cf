package sink_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

func TestDrift(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	drift := func() []sink.DriftField {
		t.Helper()
		fields, err := tb.store.Drift(t.Context())
		tb.must(err)
		for i := range fields {
			if fields[i].FirstSeen.IsZero() || fields[i].LastSeen.Before(fields[i].FirstSeen) {
				t.Errorf("%+v has no time", fields[i])
			}
			fields[i].FirstSeen, fields[i].LastSeen = time.Time{}, time.Time{}
		}
		return fields
	}
	apply := func(tb *table, unknown map[string]string) {
		t.Helper()
		page := tb.page()
		page.Unknown = unknown
		tb.apply(page)
	}
	apply(tb, nil)
	if got := drift(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	apply(tb, map[string]string{"mood": "string", "colour": "object"})
	users := openTable(t, tb.pool, tb.store, "users")
	apply(users, map[string]string{"mood": "number"})
	want := []sink.DriftField{{Table: "tasks", Field: "colour", Type: "object"}, {Table: "tasks", Field: "mood", Type: "string"}, {Table: "users", Field: "mood", Type: "number"}}
	if got := drift(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}

	// Met again, they cost no write: not by this process, and not by another on the same day.
	version := func() string {
		return value[string](t, tb.pool, `SELECT string_agg(xmin::text, ' ' ORDER BY table_name, field) FROM paymosync.drift`)
	}
	before := version()
	apply(tb, map[string]string{"mood": "string"})
	another := func() {
		t.Helper()
		store := sink.New(tb.pool, sinktest.Warehouse, catalog.DefaultAccount)
		tb.must(store.WithLease(t.Context(), "clients", "another process", func(ctx context.Context, lease *sink.Lease) error {
			page := tb.page()
			page.Resource, page.Unknown = lookup(t, "clients"), map[string]string{"mood": "string"}
			_, err := lease.Apply(ctx, page)
			return err
		}))
	}
	if version() != before {
		t.Error("it was written again")
	}
	another()
	before = version()
	another()
	if version() != before {
		t.Error("another process wrote it again")
	}
	exec(t, tb.pool, `UPDATE paymosync.drift SET last_seen = last_seen - interval '2 days', type = 'null' WHERE table_name = 'clients'`)
	another()
	if !value[bool](t, tb.pool, `SELECT last_seen >= first_seen AND type = 'string' FROM paymosync.drift WHERE table_name = 'clients'`) {
		t.Error("what is met days later is not noted")
	}
	if other, err := sink.New(tb.pool, sinktest.Warehouse, "another").Drift(t.Context()); err != nil || len(other) != 0 {
		t.Errorf("another account's: %+v, %v", other, err)
	}
}

// Any number of tables may tell of their fields at once.
func TestDriftOfManyTables(t *testing.T) {
	t.Parallel()
	first := newTable(t, "tasks")
	var group sync.WaitGroup
	for _, tb := range []*table{first, openTable(t, first.pool, first.store, "users"), openTable(t, first.pool, first.store, "clients")} {
		group.Go(func() {
			for range 5 {
				page := sink.Page{Run: tb.run, Resource: tb.resource, Checkpoint: sink.Checkpoint{State: sink.StateOK}, Unknown: map[string]string{"mood": "string"}}
				if _, err := tb.lease.Apply(t.Context(), page); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if fields, err := first.store.Drift(t.Context()); err != nil || len(fields) != 3 {
		t.Errorf("%+v, %v", fields, err)
	}
}

func TestIssues(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	tb.merge(
		tb.record(1, map[string]any{"_issues": `{"due_date": "soon", "price": "much"}`}),
		tb.record(2, map[string]any{"_issues": `{"due_date": "later"}`}),
		tb.record(3, map[string]any{"_issues": `{"due_date": "never"}`}),
		tb.record(4, nil),
	)
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = now() WHERE id = 3`)
	users := openTable(t, tb.pool, tb.store, "users")
	users.merge(users.record(1, map[string]any{"_issues": `{"active": "perhaps"}`}))
	got, err := tb.store.Issues(t.Context(), []*catalog.Resource{lookup(t, "users"), lookup(t, "clients"), tb.resource})
	want := []sink.IssueField{{Table: "users", Field: "active", Rows: 1}, {Table: "tasks", Field: "due_date", Rows: 2}, {Table: "tasks", Field: "price", Rows: 1}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}
