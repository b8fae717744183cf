package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

func newTestMetrics(t *testing.T, log *slog.Logger) *Metrics {
	t.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return New(Config{Version: "v1.2.3", Tables: []string{"clients", "tasks"}, Log: log})
}

// someOverview has a table that is well, one that is not and one that was never read.
func someOverview() jobs.Overview {
	at := time.Unix(1_800_000_000, 0)
	fresh, full := at.Add(-90*time.Second), at.Add(-time.Hour)
	return jobs.Overview{
		At:      at,
		Account: jobs.AccountOverview{Name: "default", Pinned: true, Identity: sink.Identity{Role: jobs.AdminRole}},
		Budget:  sink.BudgetState{Limit: 5, Share: 80, Period: 5 * time.Second, Left: 3, BlockedUntil: at.Add(20 * time.Second)},
		Tables: []jobs.TableOverview{
			{TableStatus: sink.TableStatus{Table: "clients", State: sink.StateOK, Rows: 12, FreshAsOf: &fresh, FullAt: &full, Drifted: 2}, Age: 90 * time.Second},
			{TableStatus: sink.TableStatus{Table: "tasks", State: sink.StateDegraded, Rows: 7, FreshAsOf: &fresh, FullAt: &full, Quarantined: 3}, Age: 90 * time.Second, Cause: jobs.CauseGuard, Failed: 1},
			{TableStatus: sink.TableStatus{Table: "users", State: sink.StateUnavailable}, Cause: jobs.CauseUnsynced},
		},
		Queue: map[string]int64{"available": 1, "running": 2},
		Hooks: jobs.HooksOverview{Own: []sink.Hook{{Table: "clients"}, {Table: "tasks"}}, Silent: []string{"tasks"}, Lag: sink.Lag{Waiting: 4}},
	}
}

func reader(overview jobs.Overview, err error) Reader {
	return func(context.Context) (jobs.Overview, error) { return overview, err }
}

// scrape is what Prometheus is answered, one series a line, those of Go and of the
// process left out.
func scrape(t *testing.T, m *Metrics) map[string]string {
	t.Helper()
	answer := httptest.NewRecorder()
	m.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("%d: %s", answer.Code, answer.Body)
	}
	series := map[string]string{}
	for line := range strings.Lines(answer.Body.String()) {
		line = strings.TrimSpace(line)
		if at := strings.LastIndex(line, " "); strings.HasPrefix(line, "paymosync_") {
			series[line[:at]] = line[at+1:]
		}
	}
	return series
}

// Names, units and help texts are as Prometheus wants them; those of the process and of
// Go too.
func TestMetricsPassTheLinter(t *testing.T) {
	t.Parallel()
	m := newTestMetrics(t, nil)
	m.Ended(jobs.Outcome{Table: "clients", Mode: jobs.Full, State: sink.StateOK, Inserted: 3, Took: time.Second}, nil)
	now := prometheus.NewRegistry()
	now.MustRegister(snapshot{m.gauges, someOverview(), true})
	problems, err := testutil.GatherAndLint(prometheus.Gatherers{m.registry, now})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	families, err := prometheus.Gatherers{m.registry, now}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, family := range families {
		found[strings.SplitN(family.GetName(), "_", 2)[0]] = true
		if help := family.GetHelp(); !strings.HasSuffix(strings.TrimSpace(help), ".") && strings.HasPrefix(family.GetName(), "paymosync") {
			t.Errorf("%s: its help is no sentence: %q", family.GetName(), help)
		}
	}
	if want := map[string]bool{"paymosync": true, "go": true, "process": true}; !cmp.Equal(found, want) {
		t.Errorf("there are metrics of %v, want %v", found, want)
	}
}

// The gauges tell what the overview tells, and nothing that is not known.
func TestMetricsOfTheOverview(t *testing.T) {
	t.Parallel()
	m := newTestMetrics(t, nil)
	m.Read(reader(someOverview(), nil))
	got := scrape(t, m)
	for name, want := range map[string]string{
		`paymosync_overview_ok`: "1",

		`paymosync_table_freshness_seconds{table="clients"}`:              "90",
		`paymosync_table_freshness_seconds{table="users"}`:                "",
		`paymosync_table_state{state="ok",table="clients"}`:               "1",
		`paymosync_table_state{state="degraded",table="clients"}`:         "0",
		`paymosync_table_state{state="degraded",table="tasks"}`:           "1",
		`paymosync_table_state{state="ok",table="tasks"}`:                 "0",
		`paymosync_table_cause{cause="",table="clients"}`:                 "",
		`paymosync_table_cause{cause="guard_stopped",table="tasks"}`:      "1",
		`paymosync_table_cause{cause="not_synced_yet",table="users"}`:     "1",
		`paymosync_table_rows{table="clients"}`:                           "12",
		`paymosync_table_last_full_timestamp_seconds{table="clients"}`:    "1.7999964e+09",
		`paymosync_table_last_full_timestamp_seconds{table="users"}`:      "",
		`paymosync_table_quarantined_records{table="tasks"}`:              "3",
		`paymosync_table_drifted_fields{table="clients"}`:                 "2",
		`paymosync_table_failed_runs{table="tasks"}`:                      "1",
		`paymosync_account_admin`:                                         "1",
		`paymosync_rate_limit_requests`:                                   "5",
		`paymosync_rate_period_seconds`:                                   "5",
		`paymosync_rate_budget_left_requests`:                             "3",
		`paymosync_rate_blocked_seconds`:                                  "20",
		`paymosync_queue_jobs{state="available"}`:                         "1",
		`paymosync_queue_jobs{state="running"}`:                           "2",
		`paymosync_webhook_hooks`:                                         "2",
		`paymosync_webhook_silent_hooks`:                                  "1",
		`paymosync_webhook_waiting_changes`:                               "4",
		`paymosync_webhook_calls_total{result="noted"}`:                   "0",
		`paymosync_rows_total{outcome="tombstoned",table="tasks"}`:        "0",
		`paymosync_runs_total{mode="full",state="failing",table="tasks"}`: "0",
		`paymosync_paymo_requests_total{status="429"}`:                    "0",
		`paymosync_run_duration_seconds_count{mode="incremental"}`:        "0",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	m.Read(reader(jobs.Overview{Account: jobs.AccountOverview{Name: "default"}, Budget: sink.BudgetState{Share: 80, Left: -1}}, nil))
	got = scrape(t, m)
	for _, name := range []string{"account_admin", "rate_limit_requests", "rate_period_seconds", "rate_budget_left_requests"} {
		if value, ok := got["paymosync_"+name]; ok {
			t.Errorf("before the first sync %s is %s", name, value)
		}
	}
	if got["paymosync_rate_blocked_seconds"] != "0" || got["paymosync_overview_ok"] != "1" {
		t.Errorf("before the first sync: %v", got)
	}
	m.Read(reader(jobs.Overview{Account: jobs.AccountOverview{Pinned: true, Identity: sink.Identity{Role: "Project Manager"}}}, nil))
	if got = scrape(t, m); got["paymosync_account_admin"] != "0" {
		t.Errorf("the key of a project manager: account_admin is %q", got["paymosync_account_admin"])
	}
}

// A database that is away takes its own metrics along and no others, and is told of in
// the log once.
func TestMetricsWithoutADatabase(t *testing.T) {
	t.Parallel()
	var text lockedText
	m := newTestMetrics(t, slog.New(slog.NewTextHandler(&text, nil)))
	said := func(words string) int { return strings.Count(text.String(), words) }
	blind := func(when string) {
		t.Helper()
		got := scrape(t, m)
		if got["paymosync_overview_ok"] != "0" || got[`paymosync_rows_total{outcome="inserted",table="clients"}`] != "4" {
			t.Errorf("%s: %v", when, got)
		}
		for name := range got {
			if strings.HasPrefix(name, "paymosync_table_") || strings.HasPrefix(name, "paymosync_queue_") || strings.HasPrefix(name, "paymosync_rate_blocked") {
				t.Errorf("%s there is %s", when, name)
			}
		}
	}
	m.Ended(jobs.Outcome{Table: "clients", Mode: jobs.Full, State: sink.StateOK, Inserted: 4}, nil)
	blind("before the database is there")
	if said("cannot be read") != 0 {
		t.Errorf("it was not there yet: %s", text.String())
	}
	m.Read(reader(jobs.Overview{}, errors.New("connection refused")))
	blind("without a database")
	blind("still without a database")
	if said("cannot be read") != 1 || said("connection refused") != 1 {
		t.Errorf("the log: %s", text.String())
	}
	m.Read(reader(someOverview(), nil))
	if got := scrape(t, m); got["paymosync_overview_ok"] != "1" || said("can be read again") != 1 {
		t.Errorf("it is back: %v, %s", got, text.String())
	}
	m.Read(nil)
	blind("when the service stops")
}

// A database that does not answer is waited for, and not longer than Prometheus waits;
// those who ask at once share one look.
func TestMetricsWithADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newTestMetrics(t, nil)
		looks := 0 // the looks come one at a time
		m.Read(func(ctx context.Context) (jobs.Overview, error) {
			looks++
			<-ctx.Done()
			return jobs.Overview{}, ctx.Err()
		})
		began := time.Now()
		var scrapes sync.WaitGroup
		for range 5 {
			scrapes.Go(func() {
				if got := scrape(t, m); got["paymosync_overview_ok"] != "0" || got["paymosync_rate_wait_seconds_total"] != "0" {
					t.Errorf("got %v", got)
				}
			})
		}
		scrapes.Wait()
		synctest.Wait()
		if took := time.Since(began); took != lookTime || looks != 1 {
			t.Errorf("%d looks, %v", looks, took)
		}
	})
}

// lockedText collects a log.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
