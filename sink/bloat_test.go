package sink_test

import (
	"os"
	"testing"

	"github.com/paymosync/paymosync/sink"
)

// Thousands of small syncs a day must not make the database grow by anything but the
// ledger: nothing is made and dropped in the catalogues, and the rows of the bookkeeping
// that are written over and over are pruned where they lie, vacuum or not.
//
//nolint:paralleltest // the transactions of other tests would keep rows from being pruned
func TestManySyncsDoNotBloat(t *testing.T) {
	syncs := 100 // a round
	if os.Getenv("PAYMOSYNC_SOAK") != "" {
		syncs = 1000
	}
	tb := newTable(t, "time_entries")
	tb.merge(tb.fresh(1, 1000)...)
	budget := tb.store.Budget(80)
	rewritten := []string{"paymosync.leases", "paymosync.checkpoints", "paymosync.budgets"}
	for _, table := range rewritten {
		exec(t, tb.pool, `ALTER TABLE `+table+` SET (autovacuum_enabled = off)`)
	}
	sync := func(i int) {
		t.Helper()
		run, err := tb.lease.StartRun(t.Context(), "incremental", "schedule")
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, _, err := budget.Take(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		page := tb.page(tb.record(int64(i%1000+1), map[string]any{"description": "change " + itoa(int64(i)), "updated_on": at("11:00:00")}))
		page.Run = run
		tb.apply(page)
		if err := tb.lease.EndRun(t.Context(), run, sink.Ending{State: sink.StateOK}, sink.Cost{Requests: 3}, sink.Checkpoint{State: sink.StateOK}); err != nil {
			t.Fatal(err)
		}
	}
	sync(0)
	catalogues := func() int64 {
		return value[int64](t, tb.pool, `SELECT pg_relation_size('pg_class') + pg_relation_size('pg_attribute') + pg_relation_size('pg_type') + pg_relation_size('pg_depend')`)
	}
	sizes := func() (all [3]int64) {
		for i, table := range rewritten {
			all[i] = value[int64](t, tb.pool, `SELECT pg_relation_size($1::text::regclass) + pg_indexes_size($1::text::regclass)`, table)
		}
		return all
	}
	before := catalogues()
	// What others look at meanwhile cannot be pruned, so some rounds may make them grow.
	for round := 1; ; round++ {
		had := sizes()
		for i := range syncs {
			sync(i + 1)
		}
		has := sizes()
		t.Logf("round %d: %v have %v bytes, and had %v", round, rewritten, has, had)
		if has == had {
			break
		}
		if round == 10 {
			t.Fatalf("%v grow with every %d syncs: their rows are not pruned", rewritten, syncs)
		}
	}
	if after := catalogues(); after != before {
		t.Errorf("the catalogues grew from %d to %d bytes", before, after)
	}
}
