package jobs_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// provoked is a way to bring a table into a state, by a cause.
type provoked struct {
	table  string // "": clients
	state  string
	words  string // that the reason holds
	advice string // that the advice holds
	world  func(t *testing.T) *world
	do     func(w *world)
}

// faulty meets a fault in a full, after the table was read well where it is known before.
func faulty(known bool, table string, faults ...paymotest.Fault) func(w *world) {
	return func(w *world) {
		if known {
			w.mustSync(table, jobs.Full)
		}
		for _, fault := range faults {
			w.fake.AddFault(fault)
		}
		w.syncer = w.newSyncer("worker-2", impatient)
		_, _ = w.sync(table, jobs.Full)
	}
}

func status(n int, table string) paymotest.Fault {
	return paymotest.Fault{Kind: paymotest.FaultStatus, N: n, Table: table}
}

func plain(t *testing.T) *world {
	t.Helper()
	return newWorld(t, small())
}

// keyFails makes a Syncer whose key cannot be had.
func keyFails(err error) func(w *world) {
	return func(w *world) {
		w.syncer = w.newSyncer("worker-2", func(c *paymo.Config, _ *jobs.SyncerConfig) {
			c.Key = func(context.Context) (string, error) { return "", err }
		})
		_, _ = w.sync("clients", jobs.Full)
	}
}

// obstructed puts a trigger on the table that lets nothing be written.
func obstructed(words, code string) func(w *world) {
	return func(w *world) {
		exec(w, `CREATE FUNCTION paymo.obstruct() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN RAISE EXCEPTION '`+words+`' USING ERRCODE = '`+code+`'; END $$`)
		exec(w, `CREATE TRIGGER obstruct BEFORE INSERT OR UPDATE ON paymo.clients FOR EACH ROW EXECUTE FUNCTION paymo.obstruct()`)
		_, _ = w.sync("clients", jobs.Full)
	}
}

// provocations are a way into every state, by every cause that a table's state can have.
func provocations() map[jobs.Cause]provoked {
	return map[jobs.Cause]provoked{
		jobs.CauseCutShort: {state: sink.StateDegraded, words: "listing cut short", advice: "sync --full clients",
			do: faulty(false, "clients", paymotest.Fault{Kind: paymotest.FaultCutList, Table: "clients", N: 1})},
		jobs.CauseEmptied: {state: sink.StateDegraded, words: "Paymo lists no rows", advice: "verify clients",
			do: faulty(true, "clients", paymotest.Fault{Kind: paymotest.FaultEmpty, Table: "clients"})},
		jobs.CauseIncomplete: {state: sink.StateDegraded, table: "tasks", words: "listing incomplete", advice: "nothing was deleted",
			do: faulty(true, "tasks", paymotest.Fault{Kind: paymotest.FaultForget, Table: "tasks", N: 7})},
		jobs.CauseUnstable: {state: sink.StateDegraded, table: "tasks", words: "listing unstable", advice: "sync --full tasks",
			do: faulty(false, "tasks", paymotest.Fault{Kind: paymotest.FaultIgnoreFilter, Table: "tasks", Field: "id"},
				paymotest.Fault{Kind: paymotest.FaultPageCap, Table: "tasks", N: 60}, paymotest.Fault{Kind: paymotest.FaultRotate, Table: "tasks"})},
		jobs.CauseStale: {state: sink.StateDegraded, words: "stale versions", advice: "verify --repair clients",
			do: func(w *world) {
				w.mustSync("clients", jobs.Full)
				w.patch("clients", w.some("clients", "true"), map[string]any{"name": "new"})
				w.mustSync("clients", jobs.Incremental)
				w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStale, Table: "clients"})
				_, _ = w.sync("clients", jobs.Full)
			}},
		jobs.CauseGuard: {state: sink.StateDegraded, table: "tasks", words: "guard stopped", advice: "sync --full --accept-deletes tasks",
			do: func(w *world) {
				w.mustSync("tasks", jobs.Full)
				for _, id := range liveIDs(w, "tasks")[:100] {
					w.remove("tasks", id)
				}
				_, _ = w.sync("tasks", jobs.Full)
			}},
		jobs.CauseUndecided: {state: sink.StateDegraded, table: "tasks", words: "does not say that they are gone", advice: "verify tasks",
			world: func(t *testing.T) *world {
				t.Helper()
				return wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
					if contains(r.URL.RawQuery, "in%20%28") || len(r.URL.Path) > len("/api/tasks") && contains(r.URL.Path, "/api/tasks/") {
						answer(rw, http.StatusForbidden, `{"message":"Access denied"}`)
						return
					}
					fake.ServeHTTP(rw, r)
				})
			},
			do: func(w *world) {
				_, _ = w.sync("tasks", jobs.Full)
				w.remove("tasks", w.some("tasks", "true"))
				_, _ = w.sync("tasks", jobs.Full)
			}},
		jobs.CauseHidden: {state: sink.StateDegraded, words: "sees a part of the account", advice: "Admin",
			do: func(w *world) {
				w.fake.AddKey("manager", "Project Manager")
				w.syncer = w.newSyncer("worker-2", withKey("manager"))
				w.mustSync("clients", jobs.Full)
				w.remove("clients", w.some("clients", "true"))
				_, _ = w.sync("clients", jobs.Full)
			}},
		jobs.CauseLate: {state: sink.StateDegraded, table: "tasks", words: "late rows", advice: "nothing now",
			do: func(w *world) {
				w.mustSync("tasks", jobs.Full)
				w.mustSync("tasks", jobs.Incremental)
				exec(w, `DELETE FROM paymo.tasks WHERE id = $1`, w.some("tasks", "true"))
				exec(w, `UPDATE paymosync.checkpoints SET cursor = now() + interval '1 minute' WHERE table_name = 'tasks'`)
				exec(w, `UPDATE paymo.tasks SET updated_on = now() + interval '2 minutes' WHERE id = (SELECT max(id) FROM paymo.tasks)`)
				_, _ = w.sync("tasks", jobs.Full)
			}},
		jobs.CauseStuck: {state: sink.StateDegraded, words: "stuck cursor", advice: "cache",
			world: func(t *testing.T) *world {
				t.Helper()
				still, company := time.Now(), small()
				company.Now = func() time.Time { return still }
				return newWorld(t, company)
			},
			do: func(w *world) {
				w.mustSync("clients", jobs.Full)
				w.mustSync("clients", jobs.Incremental)
				exec(w, `UPDATE paymosync.checkpoints SET read_at = read_at - interval '1 hour'`)
				_, _ = w.sync("clients", jobs.Incremental)
			}},
		jobs.CauseBlank: {state: sink.StateDegraded, table: "invoices", words: "prices are blank", advice: "rights back",
			do: faulty(true, "invoices", paymotest.Fault{Kind: paymotest.FaultBlank, Table: "invoices"})},
		jobs.CauseParentDenied: {state: sink.StateDegraded, table: "comment_threads", words: "of its projects were denied", advice: "let the key's user see them",
			world: func(t *testing.T) *world {
				t.Helper()
				company := small()
				company.Scopes = paymotest.ScopesEqual
				return newWorld(t, company)
			},
			do: func(w *world) {
				w.mustSync("users", jobs.Full)
				w.mustSync("projects", jobs.Full)
				fault := status(http.StatusForbidden, "comment_threads")
				fault.Where = strconv.FormatInt(w.some("projects", "true"), 10)
				w.fake.AddFault(fault)
				_, _ = w.sync("comment_threads", jobs.Full)
			}},
		jobs.CauseParentDoubted: {state: sink.StateDegraded, table: "invoice_items", words: "its invoices may not be all there", advice: "read by first",
			do: func(w *world) {
				w.mustSync("invoices", jobs.Full)
				exec(w, `UPDATE paymosync.checkpoints SET capabilities = '{"whole listing": {"works": false, "reason": "listing incomplete"}}' WHERE table_name = 'invoices'`)
				_, _ = w.sync("invoice_items", jobs.Full)
			}},
		jobs.CauseNested: {state: sink.StateDegraded, table: "invoice_items", words: "may leave such lists empty", advice: "by hand",
			do: func(w *world) {
				w.mustSync("invoices", jobs.Full)
				w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultEmptyNested, Table: "invoices"})
				w.fake.AddFault(status(http.StatusForbidden, "invoice_items"))
				_, _ = w.sync("invoice_items", jobs.Full)
			}},
		jobs.CauseQuarantine: {state: sink.StateDegraded, words: "in quarantine", advice: "quarantine list clients",
			do: faulty(false, "clients", paymotest.Fault{Kind: paymotest.FaultNoID, Table: "clients"})},
		jobs.CauseWithdrawn: {state: sink.StateDegraded, words: "where it used to answer", advice: "plan",
			do: faulty(true, "clients", status(http.StatusForbidden, "clients"))},
		jobs.CauseRole: {state: sink.StateFailing, words: "role is Employee now", advice: "ACCEPT_ROLE",
			do: func(w *world) {
				w.mustSync("clients", jobs.Full)
				w.fake.SetRole(paymotest.DefaultKey, "Employee")
				w.syncer = w.newSyncer("worker-2")
				_, _ = w.sync("clients", jobs.Full)
			}},
		jobs.CauseIdentity: {state: sink.StateFailing, words: "belongs to another Paymo", advice: "PAYMO_BASE_URL",
			do: func(w *world) {
				w.mustSync("clients", jobs.Full)
				w.fake.AddCompanyKey("theirs", "Admin", 2)
				w.syncer = w.newSyncer("worker-2", withKey("theirs"))
				_, _ = w.sync("clients", jobs.Full)
			}},
		jobs.CauseKeyRefused: {state: sink.StateFailing, words: "the API key was refused", advice: "into Vault",
			do: faulty(true, "clients", status(http.StatusUnauthorized, ""))},
		jobs.CauseDenied: {state: sink.StateFailing, words: "Paymo denies this key", advice: "user is active",
			do: faulty(true, "clients", status(http.StatusForbidden, "me"))},
		jobs.CauseKeyMissing: {state: sink.StateFailing, words: "get the API key", advice: "paymosync check",
			do: keyFails(errors.New("there is no such secret"))},
		jobs.CauseVault: {state: sink.StateFailing, words: "vault cannot be reached", advice: "unsealed",
			do: keyFails(unreachableError{})},
		jobs.CauseDatabase: {state: sink.StateFailing, words: "could not extend file", advice: "room",
			do: obstructed("could not extend file", "53100")},
		jobs.CauseWriteRefused: {state: sink.StateFailing, words: "nobody writes here", advice: "triggers",
			do: obstructed("nobody writes here", "P0001")},
		jobs.CauseUnreachable: {state: sink.StateFailing, words: "refused", advice: "DNS",
			do: func(w *world) {
				closed := httptest.NewServer(http.NotFoundHandler())
				closed.Close()
				w.url = closed.URL
				w.syncer = w.newSyncer("worker-2", impatient)
				_, _ = w.sync("clients", jobs.Full)
			}},
		jobs.CauseRedirect: {state: sink.StateFailing, words: "not followed", advice: "PAYMO_BASE_URL",
			do: faulty(false, "clients", paymotest.Fault{Kind: paymotest.FaultRedirect, Table: "clients"})},
		jobs.CauseServer: {state: sink.StateFailing, words: "answered 500", advice: "wait",
			do: faulty(false, "clients", status(http.StatusInternalServerError, "clients"))},
		jobs.CauseRejected: {state: sink.StateFailing, words: "answered 400", advice: "sync clients",
			do: faulty(false, "clients", status(http.StatusBadRequest, "me"))},
		jobs.CauseReply: {state: sink.StateFailing, words: "not JSON", advice: "sync clients",
			do: faulty(false, "clients", paymotest.Fault{Kind: paymotest.FaultHTML, Table: "clients"})},
		jobs.CauseUnsynced: {state: sink.StateUnavailable, words: "not synced yet", advice: "sync clients",
			do: func(*world) {}},
		jobs.CauseNotServed: {state: sink.StateUnavailable, words: "not in the plan", advice: "SYNC_TABLES",
			do: faulty(false, "clients", status(http.StatusForbidden, "clients"))},
		jobs.CauseElsewhere: {state: sink.StateUnavailable, words: "another schema", advice: "WAREHOUSE_SCHEMA",
			do: func(w *world) {
				w.mustSync("clients", jobs.Full)
				exec(w, `UPDATE paymosync.checkpoints SET schema_name = 'elsewhere'`)
			}},
		jobs.CausePaused: {state: sink.StatePaused, words: "before that it was ok", advice: "resume clients",
			do: func(w *world) {
				w.mustSync("clients", jobs.Full)
				if _, err := w.store.Pause(w.t.Context(), "clients"); err != nil {
					w.t.Fatal(err)
				}
				w.fake.ResetLog()
				if outcome, err := w.sync("clients", jobs.Full); err != nil || outcome.State != sink.StatePaused || w.requests("clients") != 0 {
					w.t.Error(unexpected(outcome, err))
				}
			}},
		jobs.CauseParentPaused: {state: sink.StatePaused, table: "invoice_items", words: "its invoices, with which it comes, are paused", advice: "paymosync resume",
			do: func(w *world) {
				w.mustSync("invoices", jobs.Full)
				w.mustSync("invoice_items", jobs.Full)
				if _, err := w.store.Pause(w.t.Context(), "invoices"); err != nil {
					w.t.Fatal(err)
				}
				if outcome, err := w.sync("invoice_items", jobs.Full); err != nil || outcome.State != sink.StatePaused || outcome.Cause != jobs.CauseParentPaused {
					w.t.Error(unexpected(outcome, err))
				}
				if viewed := query[string](w, `SELECT state || ': ' || reason FROM paymo._sync_status WHERE "table" = 'invoice_items'`); viewed != "paused: its invoices, with which it comes, are paused by an operator" {
					w.t.Errorf("the view says %s", viewed)
				}
			}},
		jobs.CauseLayout: {state: sink.StateFailing, words: "does not exist", advice: "migrate status",
			do: func(w *world) {
				exec(w, `ALTER TABLE paymo.clients DROP COLUMN name CASCADE`)
				_, _ = w.sync("clients", jobs.Full)
			}},
		jobs.CauseTable: {state: sink.StateFailing, words: "no table", advice: "WAREHOUSE_SCHEMA",
			do: func(w *world) {
				exec(w, `DROP TABLE paymo.clients CASCADE`)
				_, _ = w.sync("clients", jobs.Full)
			}},
	}
}

// Every state that a table can have, by every cause, is provoked; it says what is wrong,
// and what to do.
func TestEveryState(t *testing.T) {
	t.Parallel()
	provocations := provocations()
	elsewhere := map[jobs.Cause]string{
		jobs.CauseRateLimit: "the table keeps its state meanwhile: TestCausesOfRuns",
		jobs.CauseParents:   "the run does not begin: TestCausesOfRuns",
		jobs.CauseOther:     "nothing is known that leads to it",
	}
	for _, cause := range jobs.Causes() {
		p, ok := provocations[cause]
		if !ok {
			if elsewhere[cause] == "" {
				t.Errorf("%s: nothing provokes it", cause)
			}
			continue
		}
		t.Run(string(cause), func(t *testing.T) {
			t.Parallel()
			if p.table == "" {
				p.table = "clients"
			}
			if p.world == nil {
				p.world = plain
			}
			w := p.world(t)
			p.do(w)
			tables := []string{p.table}
			if cause == jobs.CauseParentPaused {
				tables = append(tables, "invoices")
			}
			got := w.overview(tables...)
			t.Logf("%s: %s\n→ %s", got.State, got.Reason, got.Advice)
			if got.State != p.state || got.Cause != cause || !strings.Contains(got.Reason, p.words) || !strings.Contains(got.Advice, p.advice) {
				t.Errorf("%s by %q, want %s by %q; it lacks %q or %q", got.State, got.Cause, p.state, cause, p.words, p.advice)
			}
			if run := got.LastRun(); run != nil && got.State == sink.StateFailing && cause != jobs.CauseTable && jobs.Cause(run.Cause) != cause {
				t.Errorf("the ledger names %q", run.Cause)
			}
		})
	}
}

// overview is where the first of the tables stands, with what to do about it.
func (w *world) overview(tables ...string) jobs.TableOverview {
	w.t.Helper()
	var scheduled []jobs.TableSchedule
	for _, table := range tables {
		scheduled = append(scheduled, jobs.TableSchedule{Resource: resource(w.t, table), Schedule: hourly{}})
	}
	overview, err := jobs.ReadOverview(w.t.Context(), jobs.OverviewConfig{
		Pool: w.pool, Store: w.store, Full: hourly{}, Runs: 5,
		Tables: scheduled,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return overview.Tables[0]
}

// Causes that leave a table as it is are told of its run.
func TestCausesOfRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("clients", jobs.Full)
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusTooManyRequests, Delay: time.Minute, Table: "clients"})
	w.syncer = w.newSyncer("worker-2", impatient)
	_, err := w.sync("clients", jobs.Incremental)
	if got := w.overview("clients"); got.State != sink.StateOK || jobs.Cause(got.LastRun().Cause) != jobs.CauseRateLimit || jobs.CauseOf(err) != jobs.CauseRateLimit {
		t.Errorf("%s, %+v, %v", got.State, got.LastRun(), err)
	}
	w = newWorld(t, small())
	if _, err := w.sync("invoice_items", jobs.Full); jobs.CauseOf(err) != jobs.CauseParents {
		t.Errorf("%s by %v", jobs.CauseOf(err), err)
	}
	if jobs.CauseOf(errors.New("something else")) != jobs.CauseOther || jobs.CauseOf(nil) != "" {
		t.Error("an unknown error and none")
	}
}
