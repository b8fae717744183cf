package jobs_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// planned plans syncs of the tables over connections that cannot write, and fails the test
// where anything in the database changed meanwhile.
func (w *world) planned(mode jobs.Mode, tables ...string) jobs.Plan {
	w.t.Helper()
	settings := w.pool.Config().Copy()
	settings.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	pool, err := pgxpool.NewWithConfig(w.t.Context(), settings)
	if err != nil {
		w.t.Fatal(err)
	}
	defer pool.Close()
	requests := make([]jobs.Request, len(tables))
	for i, table := range tables {
		requests[i] = jobs.Request{Resource: resource(w.t, table), Mode: mode, Reason: jobs.ReasonManual}
	}
	before, asked := sinktest.Written(w.t, w.pool), len(w.fake.Requests())
	plan, err := jobs.MakePlan(w.t.Context(), jobs.PlanConfig{
		Store:     sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount),
		StartDate: w.syncer.StartDate,
		FullDue:   w.syncer.FullDue,
	}, requests)
	if err != nil {
		w.t.Fatalf("plan: %v", err)
	}
	after := sinktest.Written(w.t, w.pool)
	for table := range after {
		if before[table] != after[table] {
			w.t.Errorf("planning changed %s", table)
		}
	}
	if len(before) != len(after) || len(before) < 40 {
		w.t.Errorf("there were %d tables and are %d", len(before), len(after))
	}
	if n := len(w.fake.Requests()); n != asked {
		w.t.Errorf("planning asked Paymo %d times", n-asked)
	}
	return plan
}

// asked are the requests that the fake had since the last reset, by table and in order.
func (w *world) asked() map[string][]string {
	w.t.Helper()
	asked := map[string][]string{}
	for _, request := range w.fake.Requests() {
		asked[request.Path] = append(asked[request.Path], request.Query)
	}
	return asked
}

// plannedFor are the planned requests, in the form of asked.
func plannedFor(plan jobs.Plan) map[string][]string {
	planned := map[string][]string{}
	for range plan.Asked {
		for _, request := range plan.Identity {
			planned[request.Path] = append(planned[request.Path], request.Query)
		}
	}
	for _, table := range plan.Tables {
		for _, request := range table.Planned {
			planned[request.Path] = append(planned[request.Path], request.Query)
		}
	}
	return planned
}

// compare holds a plan against what was asked, request by request.
func compare(t testing.TB, plan jobs.Plan, asked map[string][]string) {
	t.Helper()
	planned := plannedFor(plan)
	paths := slices.Sorted(maps.Keys(asked))
	for path := range planned {
		if _, ok := asked[path]; !ok {
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		if !slices.Equal(planned[path], asked[path]) {
			t.Errorf("%s: planned\n\t%s\nasked\n\t%s", path, strings.Join(planned[path], "\n\t"), strings.Join(asked[path], "\n\t"))
		}
	}
}

func count(asked map[string][]string) int {
	n := 0
	for _, queries := range asked {
		n += len(queries)
	}
	return n
}

// loaded is a world in which all tables were read, with a syncer that asks anew whose key
// it is.
func loaded(t testing.TB, company paymotest.Config, options ...func(*paymo.Config, *jobs.SyncerConfig)) *world {
	t.Helper()
	w := newWorld(t, company, options...)
	for _, table := range readable() {
		w.mustSync(table, jobs.Full)
	}
	w.syncer = w.newSyncer("worker-2", options...)
	w.fake.ResetLog()
	return w
}
