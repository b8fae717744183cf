package sink_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/paymosync/paymosync/migrations"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// When the warehouse moves to another schema, each schema is told by whether it was
// the last to be read whole: never is one fresh by what went into the other.
func TestStatusOfTwoSchemas(t *testing.T) {
	t.Parallel()
	const other = `Paymo's "other" one`
	pool := sinktest.Database(t)
	if _, err := migrations.Up(t.Context(), pool, other); err != nil {
		t.Fatal(err)
	}
	first := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	second := sink.New(pool, other, catalog.DefaultAccount)
	resource := lookup(t, "clients")
	save := func(store *sink.Store, change func(*sink.Checkpoint)) {
		t.Helper()
		err := store.WithLease(t.Context(), "clients", "the test", func(ctx context.Context, lease *sink.Lease) error {
			cp, err := lease.Checkpoint(ctx)
			if err != nil {
				return err
			}
			change(&cp)
			return lease.SaveCheckpoint(ctx, cp)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// want compares what the program and the view tell of both schemas.
	want := func(when, wantFirst, wantSecond string) {
		t.Helper()
		for _, schema := range []struct {
			store *sink.Store
			view  string
			want  string
		}{{first, `paymo._sync_status`, wantFirst}, {second, `"Paymo's ""other"" one"._sync_status`, wantSecond}} {
			statuses, err := schema.store.Status(t.Context(), []*catalog.Resource{resource}, 1)
			if err != nil {
				t.Fatal(err)
			}
			s := statuses[0]
			told := fmt.Sprintf("%s: %s, %t, %t", s.State, s.Reason, s.FreshAsOf != nil, s.FullAt != nil)
			if told != schema.want {
				t.Errorf("%s: of %s the program tells %q, want %q", when, schema.view, told, schema.want)
			}
			told = value[string](t, pool, `
				SELECT format('%s: %s, ', state, reason) || (fresh_as_of IS NOT NULL)::text || ', ' || (last_full IS NOT NULL)::text
				FROM `+schema.view+`
				WHERE "table" = 'clients'`)
			if told != schema.want {
				t.Errorf("%s: %s tells %q, want %q", when, schema.view, told, schema.want)
			}
		}
	}
	const (
		nothing   = "unavailable: not synced yet, false, false"
		elsewhere = "unavailable: another schema was synced last, not this one, false, false"
		whole     = "ok: , true, true"
	)
	complete := func(store *sink.Store) func(cp *sink.Checkpoint) {
		return func(cp *sink.Checkpoint) {
			cp.State, cp.Reason, cp.Layout = sink.StateOK, "", store.Layout(resource)
			cp.FullAt, cp.FreshAsOf = time.Now(), time.Now()
		}
	}
	progress := func(cp *sink.Checkpoint) { cp.Progress = []byte(`{}`) }

	want("before the first sync", nothing, nothing)
	save(first, complete(first))
	want("when the first is whole", whole, elsewhere)
	save(second, progress)
	want("while the second is being read", whole, elsewhere)
	// Doubt keeps the layout from moving, but the rows are the second one's.
	save(second, func(cp *sink.Checkpoint) {
		cp.State, cp.Reason, cp.FreshAsOf = sink.StateDegraded, "in doubt", time.Now()
	})
	want("when the second is in doubt", elsewhere, "degraded: in doubt, true, true")
	save(second, complete(second))
	want("when the second is whole", elsewhere, whole)
	err := second.WithLease(t.Context(), "clients", "the test", func(ctx context.Context, lease *sink.Lease) error {
		return lease.ResetCheckpoint(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	want("when the second was reset", elsewhere, "ok: , true, false")
	save(second, progress)
	want("while it is being read again", elsewhere, "ok: , true, false")
	save(first, complete(first))
	want("back in the first", whole, elsewhere)
}

// The last run is told of each table, however many there were.
func TestStatusTellsTheLastRun(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	exec(t, pool, `
		INSERT INTO paymosync.runs (account, table_name, mode, reason, state, sentence, started_at)
		SELECT a.name, t.name, 'full', 'schedule', 'ok', n::text, now() - make_interval(mins => n)
		FROM unnest('{default, another}'::text[]) AS a (name), unnest('{clients, tasks}'::text[]) AS t (name), generate_series(1, 50) AS n
		WHERE a.name <> 'default' OR n > length(t.name)`)
	statuses, err := store.Status(t.Context(), []*catalog.Resource{lookup(t, "clients"), lookup(t, "users"), lookup(t, "tasks")}, 1)
	if err != nil {
		t.Fatal(err)
	}
	clients, users, tasks := statuses[0].LastRun(), statuses[1].LastRun(), statuses[2].LastRun()
	if clients == nil || clients.Sentence != "8" || users != nil || tasks == nil || tasks.Sentence != "6" {
		t.Errorf("%+v, %+v, %+v", clients, users, tasks)
	}
}
