package jobs_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// A row that seems newer in the warehouse is brought back to what it is.
func TestVerifyNewerRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("projects", jobs.Full)
	id := allIDs(w, "projects")[3]
	exec(w, `UPDATE paymo.projects SET updated_on = updated_on + interval '1 day' WHERE id = $1`, id)
	w.mustFind("projects", jobs.RowDifferent, id, "updated_on")
}

// What a lying server leaves out is never extra, and never marked deleted by a repair.
func TestVerifyLies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault paymotest.Fault
	}{
		{"empty", paymotest.Fault{Kind: paymotest.FaultEmpty}},
		{"forget", paymotest.Fault{Kind: paymotest.FaultForget}},
		{"cut", paymotest.Fault{Kind: paymotest.FaultCutList, N: 10}},
		{"cut later", paymotest.Fault{Kind: paymotest.FaultCutList, N: 25}},
		{"denied", paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusForbidden}},
		{"missing", paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusNotFound}},
		{"broken filter", paymotest.Fault{Kind: paymotest.FaultBreakFilter, Field: "id"}},
		{"ignored filter", paymotest.Fault{Kind: paymotest.FaultIgnoreFilter, Field: "id"}},
		{"no ids", paymotest.Fault{Kind: paymotest.FaultNoID}},
		{"html", paymotest.Fault{Kind: paymotest.FaultHTML}},
		{"down", paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusInternalServerError}},
		{"empty nests", paymotest.Fault{Kind: paymotest.FaultEmptyNested}},
		{"rotated", paymotest.Fault{Kind: paymotest.FaultRotate}},
		{"page cap", paymotest.Fault{Kind: paymotest.FaultPageCap}},
		{"paging ignored", paymotest.Fault{Kind: paymotest.FaultIgnorePaging}},
		{"moved", paymotest.Fault{Kind: paymotest.FaultMove}},
		{"repeated", paymotest.Fault{Kind: paymotest.FaultDuplicate}},
		{"truncated", paymotest.Fault{Kind: paymotest.FaultTruncate}},
		{"wrong key", paymotest.Fault{Kind: paymotest.FaultWrongKey}},
		{"words as ids", paymotest.Fault{Kind: paymotest.FaultBadID}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, small())
			tables := []string{"projects", "invoices", "invoice_items", "time_entries", "users", "task_assignments", "comments"}
			for _, table := range append([]string{"projects", "tasks", "comment_threads"}, tables...) {
				w.mustSync(table, jobs.Full)
			}
			w.fake.AddFault(tt.fault)
			for _, table := range tables {
				// The account itself is asked after without the fault.
				before := w.fingerprint(table)
				for _, repair := range []bool{false, true} {
					verified, err := w.syncer.Verify(t.Context(), jobs.VerifyRequest{Resource: resource(t, table), Repair: repair, AcceptDeletes: true})
					if verified.Extra > 0 || verified.Verdict == jobs.VerdictRepaired || verified.Verdict == jobs.VerdictDifferent {
						t.Errorf("%s: %+v, %v", table, verified, err)
					}
					if verified.Verdict == jobs.VerdictEqual && verified.Paymo.Known() != int64(w.fake.Count(table)) {
						t.Errorf("%s: equal with %d rows: %+v", table, verified.Paymo, verified)
					}
				}
				if w.fingerprint(table) != before {
					t.Errorf("%s: rows were written", table)
				}
			}
		})
	}
}

// A table that Paymo never served is unavailable; one that it served is not equal to what
// it does not show.
func TestVerifyDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	fault := w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusForbidden, Table: "invoices"})
	if outcome, err := w.sync("invoices", jobs.Full); err != nil || outcome.State != sink.StateUnavailable {
		t.Fatal(unexpected(outcome, err))
	}
	w.mustVerify("invoices", jobs.VerdictUnavailable)
	w.fake.RemoveFault(fault)
	w.mustSync("invoices", jobs.Full)
	w.mustVerify("invoices", jobs.VerdictEqual)
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusForbidden, Table: "invoices"})
	if verified := w.mustVerify("invoices", jobs.VerdictUnproven); !strings.Contains(verified.Reason, "403") {
		t.Errorf("%+v", verified)
	}
	if verified := w.mustVerify("tasks", jobs.VerdictUnproven); !strings.Contains(verified.Reason, "sync it first") || verified.Requests != 0 {
		t.Errorf("%+v", verified)
	}
}

// More rows than the guard lets go are told, and stay.
func TestVerifyGuard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("tasks", jobs.Full)
	n := 0
	for _, id := range allIDs(w, "tasks") {
		if n == 120 {
			break
		}
		if _, err := w.fake.Delete("tasks", id); err == nil {
			n++
		}
	}
	verified := w.mustVerify("tasks", jobs.VerdictDifferent, repairing)
	if verified.Extra.Known() != int64(n) || verified.Repaired != 0 || !strings.Contains(verified.Reason, "guard stopped") {
		t.Errorf("%+v", verified)
	}
	if w.count("tasks") != w.fake.Count("tasks")+n {
		t.Error("rows were marked deleted")
	}
	verified = w.mustVerify("tasks", jobs.VerdictRepaired, repairing, func(req *jobs.VerifyRequest) { req.AcceptDeletes = true })
	if verified.Extra.Known() != int64(n) || verified.Repaired != int64(n) {
		t.Errorf("%+v", verified)
	}
	w.mustVerify("tasks", jobs.VerdictEqual)
}

// What changes while it is compared is pending: here, between the two readings.
func TestVerifyPending(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(*world){
		"mended": func(w *world) {
			exec(w, `UPDATE paymo.clients SET name = 'as it was' WHERE name = 'spoilt'`)
		},
		"written by another": func(w *world) {
			exec(w, `UPDATE paymo.clients SET city = 'elsewhere', _synced_at = clock_timestamp() WHERE name = 'spoilt'`)
		},
		"deleted": func(w *world) {
			if _, err := w.fake.Delete("clients", query[int64](w, `SELECT id FROM paymo.clients WHERE name = 'spoilt'`)); err != nil {
				w.t.Error(err)
			}
		},
		"changed": func(w *world) {
			// Later than the reply to the first reading, which tells whole seconds.
			begun := time.Now()
			eventually(w.t, "the next second", func() bool { return time.Now().Unix() > begun.Unix() })
			w.patch("clients", query[int64](w, `SELECT id FROM paymo.clients WHERE name = 'spoilt'`), map[string]any{"name": "another"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w *world
			var asked atomic.Int64
			w = wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/api/clients") && asked.Add(1) == 3 {
					happens(w) // the list and its proof are the first two requests
				}
				fake.ServeHTTP(rw, r)
			})
			id := w.put("clients", map[string]any{"name": "as it was", "active": true, "updated_on": time.Now().Add(-time.Hour)})
			asked.Store(-100)
			w.mustSync("clients", jobs.Full)
			exec(w, `UPDATE paymo.clients SET name = 'spoilt' WHERE id = $1`, id)
			asked.Store(0)
			verified := w.verify("clients")
			if verified.Verdict != jobs.VerdictPending || verified.Pending != 1 || verified.Found() != 0 || verified.Unsummed == "" {
				t.Errorf("%+v", verified)
			}
		})
	}
}

// The rate limit is waited for, and so is another process that has the table.
func TestVerifyWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("clients", jobs.Full)
	id := allIDs(w, "clients")[0]
	exec(w, `UPDATE paymo.clients SET name = 'spoilt' WHERE id = $1`, id)
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusTooManyRequests, Table: "clients", Count: 1, Delay: 6 * time.Second})
	var mu sync.Mutex
	var waits []error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := w.store.WithLease(t.Context(), "clients", "another", func(ctx context.Context, _ *sink.Lease) error {
			eventually(t, "two waits", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(waits) >= 2
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "the lease", func() bool {
		return query[bool](w, `SELECT EXISTS (SELECT FROM paymosync.leases WHERE table_name = 'clients' AND owner = 'another')`)
	})
	verified := w.verify("clients", func(req *jobs.VerifyRequest) {
		req.Waiting = func(err error, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, err)
		}
	})
	<-done
	w.mustTell(verified, jobs.RowDifferent, id, "name")
	var limited *paymo.RateLimitError
	var held *sink.HeldError
	if !errors.As(errors.Join(waits...), &limited) || !errors.As(errors.Join(waits...), &held) {
		t.Errorf("it waited for %v", waits)
	}
}

// A repair leaves an unfinished sync of the table as it is, and its candidates to it.
func TestVerifyBesideUnfinishedSync(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("projects", jobs.Full)
	ids := allIDs(w, "projects")
	exec(w, `UPDATE paymosync.checkpoints SET progress = '{"run": 1, "mode": "full"}' WHERE table_name = 'projects'`)
	checkpoint := query[string](w, `SELECT t::text FROM paymosync.checkpoints AS t WHERE table_name = 'projects'`)
	exec(w, `INSERT INTO paymosync.candidates (account, table_name, row_id) VALUES ('default', 'projects', $1)`, ids[0])
	extra := slices.Max(ids) + 1
	w.clone("projects", ids[0], extra)
	exec(w, `UPDATE paymo.projects SET name = 'spoilt' WHERE id = $1`, ids[1])

	verified := w.mustVerify("projects", jobs.VerdictDifferent, repairing)
	if verified.Extra != 1 || verified.Different != 1 || verified.Repaired != 1 || !strings.Contains(verified.Reason, "under way") {
		t.Errorf("%+v", verified)
	}
	if after := query[string](w, `SELECT t::text FROM paymosync.checkpoints AS t WHERE table_name = 'projects'`); after != checkpoint {
		t.Errorf("the checkpoint is %s and was %s", after, checkpoint)
	}
	if n := query[int](w, `SELECT count(*) FROM paymosync.candidates WHERE row_id = $1`, ids[0]); n != 1 {
		t.Error("the sync's candidate is gone")
	}
	if state := query[string](w, `SELECT state || ': ' || sentence FROM paymosync.runs WHERE mode = 'repair'`); state != "degraded: 1 of 2 rows repaired" {
		t.Errorf("the ledger says %s", state)
	}
}

// A key that sees a part of the account says nothing of rows that it does not bring.
func TestVerifyLesserKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("projects", jobs.Full)
	id := slices.Max(allIDs(w, "projects")) + 1
	w.clone("projects", id-1, id)
	w.fake.AddKey("weak", "Employee")
	w.syncer = w.newSyncer("worker-2", withKey("weak"), func(_ *paymo.Config, config *jobs.SyncerConfig) { config.AcceptRole = "Employee" })
	verified := w.verify("projects", repairing)
	if verified.Extra != jobs.Unknown || !strings.Contains(verified.Reason, "the key's role is Employee") {
		t.Errorf("%+v", verified)
	}
	if n := query[int](w, `SELECT count(*) FROM paymo.projects WHERE _deleted_at IS NOT NULL`); n != 0 {
		t.Errorf("%d rows were marked deleted", n)
	}
}

// Rows from before the start date are not compared.
func TestVerifyStartDate(t *testing.T) {
	t.Parallel()
	start := time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)
	w := newWorld(t, small(), func(_ *paymo.Config, config *jobs.SyncerConfig) { config.StartDate = start })
	w.mustSync("time_entries", jobs.Full)
	verified := w.mustVerify("time_entries", jobs.VerdictEqual)
	if verified.Unsummed != "" || verified.Paymo == 0 || verified.Paymo.Known() >= int64(w.fake.Count("time_entries")) {
		t.Errorf("%+v", verified)
	}
	id := slices.Max(allIDs(w, "time_entries")) + 1
	w.clone("time_entries", id-1, id)
	exec(w, `UPDATE paymo.time_entries SET start_time = '2024-01-01', end_time = NULL, date = NULL WHERE id = $1`, id)
	w.mustVerify("time_entries", jobs.VerdictEqual)
	exec(w, `UPDATE paymo.time_entries SET start_time = '2025-10-01' WHERE id = $1`, id)
	w.mustTell(w.mustVerify("time_entries", jobs.VerdictRepaired, repairing), jobs.RowExtra, id, "")
}

// Since a date, older rows make no difference, and newer ones do.
func TestVerifySince(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	since := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	from := func(req *jobs.VerifyRequest) { req.Since = since }
	for _, table := range []string{"time_entries", "bookings", "tasks", "invoices", "company", "invoice_items", "comments", "task_assignments"} {
		all := w.mustVerify(table, jobs.VerdictEqual)
		some := w.mustVerify(table, jobs.VerdictEqual, from)
		if some.Unsummed != "" || some.Paymo != some.Warehouse || some.Paymo > all.Paymo {
			t.Errorf("%s: %+v", table, some)
		}
		whole := table == "company" || table == "invoice_items"
		if whole != (some.Paymo == all.Paymo) {
			t.Errorf("%s: %d of %d rows since then", table, some.Paymo, all.Paymo)
		}
	}
	old := query[int64](w, `SELECT id FROM paymo.time_entries WHERE start_time < '2025-01-01' LIMIT 1`)
	exec(w, `UPDATE paymo.time_entries SET duration = duration + 60 WHERE id = $1`, old)
	w.mustVerify("time_entries", jobs.VerdictEqual, from)
	recent := query[int64](w, `SELECT id FROM paymo.time_entries WHERE start_time > '2025-09-01' LIMIT 1`)
	exec(w, `UPDATE paymo.time_entries SET duration = duration + 60 WHERE id = $1`, recent)
	found := w.mustVerify("time_entries", jobs.VerdictDifferent, from)
	w.mustTell(found, jobs.RowDifferent, recent, "duration")
	if len(found.Sums) != 1 || found.Sums[0].What != "hours" {
		t.Errorf("%+v", found.Sums)
	}
	repaired := w.mustVerify("time_entries", jobs.VerdictRepaired, repairing)
	if repaired.Repaired != 2 || len(repaired.Sums) != 0 {
		t.Errorf("%+v", repaired)
	}
	w.mustEqual("time_entries")
}

// Sums tell what is wrong with them, by month.
func TestVerifySums(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	for table, sum := range map[string]struct{ column, what string }{
		"time_entries": {"duration", "hours"}, "invoices": {"total", "total"},
		"invoice_payments": {"amount", "amount"}, "expenses": {"amount", "amount"},
	} {
		id := query[int64](w, "SELECT max(id) FROM paymo."+table+" WHERE "+sum.column+" IS NOT NULL")
		exec(w, "UPDATE paymo."+table+" SET "+sum.column+" = "+sum.column+" + 3600 WHERE id = $1", id)
		found := w.mustVerify(table, jobs.VerdictDifferent)
		w.mustTell(found, jobs.RowDifferent, id, sum.column)
		if len(found.Sums) != 1 || found.Sums[0].What != sum.what || len(found.Sums[0].Month) != len("2026-01") || found.Sums[0].Paymo == found.Sums[0].Warehouse {
			t.Errorf("%s: %+v", table, found.Sums)
		}
		if r := resource(t, table); r.Listings[0] == catalog.Single {
			t.Errorf("%s is one row", table)
		}
		w.mustVerify(table, jobs.VerdictRepaired, repairing)
		w.mustEqual(table)
	}
}
