package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// scrape is what a service answers Prometheus: values by name and labels, as they are
// written.
type scrape map[string]float64

// scrape asks for the metrics.
func (w *world) scrape() (scrape, error) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.variables["HTTP_ADDR"]+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s, %w", res.Status, text, err)
	}
	if key := w.variables["PAYMO_API_KEY"]; strings.Contains(string(text), key) {
		w.t.Error("the metrics hold the key")
	}
	return parseScrape(string(text))
}

func parseScrape(text string) (scrape, error) {
	found := scrape{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		at := strings.LastIndex(line, " ")
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		found[line[:at]] = value
	}
	return found, nil
}

// lacks tells what a scrape has otherwise than it should.
func (s scrape) lacks(want scrape) error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch got, ok := s[name]; {
		case math.IsNaN(want[name]) && ok:
			problems = append(problems, fmt.Errorf("%s is %v, and should not be there", name, got))
		case !math.IsNaN(want[name]) && (!ok || got != want[name]):
			problems = append(problems, fmt.Errorf("%s is %v (%v), want %v", name, got, ok, want[name]))
		}
	}
	return errors.Join(problems...)
}

// sum adds up all series of a metric.
func (s scrape) sum(metric string) float64 {
	var sum float64
	for name, value := range s {
		if strings.HasPrefix(name, metric+"{") {
			sum += value
		}
	}
	return sum
}

// awaitScrape waits until the metrics are as wanted, where NaN is for a series that must
// not be there, and the condition holds.
func (w *world) awaitScrape(what string, want scrape, condition func(scrape) error) scrape {
	w.t.Helper()
	var found scrape
	within(w.t, 2*time.Minute, what, func() (err error) {
		if found, err = w.scrape(); err != nil {
			return err
		}
		if condition != nil {
			err = condition(found)
		}
		return errors.Join(found.lacks(want), err)
	})
	return found
}

// mustAlert holds which alerts Prometheus raises by the rules when what was scraped goes
// on as between two scrapes for an hour: name and table of each.
func mustAlert(t *testing.T, before, after scrape, alerts ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("promtool is missing, it is in Debian's package prometheus: ", err)
		}
		t.Skip("the alerts are not looked at without promtool, which is in Debian's package prometheus: ", err)
	}
	rules, err := filepath.Abs(filepath.Join(repository, "prometheus-rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	text := "rule_files: [" + strconv.Quote(rules) + "]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n"
	series := func(name string, value, step float64) {
		metric, labels, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
		labels = strings.Trim(`job="paymosync",instance="a",`+labels, ",")
		text += fmt.Sprintf("      - {series: '%s{%s}', values: '%g+%gx60'}\n", metric, labels, value, step)
	}
	series("up", 1, 0)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		metric, _, _ := strings.Cut(name, "{")
		switch {
		case !strings.HasPrefix(name, "paymosync_") || strings.Contains(metric, "duration"):
		case strings.HasSuffix(metric, "_total"):
			series(name, after[name], after[name]-before[name])
		default:
			series(name, after[name], 0)
		}
	}
	text += "    promql_expr_test:\n      - eval_time: 1h\n        expr: sum by (alertname, table) (ALERTS{alertstate=\"firing\"})\n        exp_samples:\n"
	for _, alert := range alerts {
		text += fmt.Sprintf("          - {labels: '{%s}', value: 1}\n", alert)
	}
	file := filepath.Join(t.TempDir(), "scraped.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("the alerts are not %q: %v\n%s\nof\n%s", alerts, err, out, text)
	}
}

// What a running service tells Prometheus is what is so: of a table that fails, when it
// is well again, and while the database is away. By the rules that table, and nothing
// else, raises an alert, which ends.
func TestProgramMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 10}).with("SYNC_TABLES", "clients,projects,users", "SYNC_SCHEDULE", "@every 1s")
	g := newGate(w)
	g.open()
	broken := w.paymo.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusInternalServerError, Table: "clients"})
	missing := math.NaN()
	users, clients := float64(w.paymo.Count("users")), float64(w.paymo.Count("clients"))
	service := w.start("serve")

	runs := func(least float64) func(scrape) error {
		return func(s scrape) error {
			if n := s.sum("paymosync_runs_total"); n < least {
				return fmt.Errorf("%v runs ended, want %v", n, least)
			}
			if n := s[`paymosync_paymo_requests_total{status="500"}`]; n < 1 {
				return fmt.Errorf("%v requests failed", n)
			}
			return nil
		}
	}
	failing := scrape{
		"paymosync_overview_ok":                                        1,
		"paymosync_account_admin":                                      1,
		`paymosync_table_state{state="failing",table="clients"}`:       1,
		`paymosync_table_state{state="ok",table="clients"}`:            0,
		`paymosync_table_state{state="ok",table="users"}`:              1,
		`paymosync_table_state{state="failing",table="users"}`:         0,
		`paymosync_table_state{state="ok",table="projects"}`:           1,
		`paymosync_table_cause{cause="paymo_error",table="clients"}`:   1,
		`paymosync_table_freshness_seconds{table="clients"}`:           missing,
		`paymosync_table_last_full_timestamp_seconds{table="clients"}`: missing,
		`paymosync_table_rows{table="clients"}`:                        0,
		`paymosync_table_rows{table="users"}`:                          users,
		`paymosync_rows_total{outcome="inserted",table="users"}`:       users,
		`paymosync_runs_total{mode="full",state="ok",table="users"}`:   1,
		`paymosync_rows_total{outcome="inserted",table="clients"}`:     0,
		`paymosync_runs_total{mode="full",state="ok",table="clients"}`: 0,
		`paymosync_table_state{state="ok",table="tasks"}`:              missing, // it is not synced
		`paymosync_rate_blocked_seconds`:                               0,
		`paymosync_table_quarantined_records{table="users"}`:           0,
		`paymosync_table_drifted_fields{table="users"}`:                0,
		`paymosync_table_failed_runs{table="users"}`:                   0,
	}
	before := w.awaitScrape("a table fails", failing, runs(3))
	after := w.awaitScrape("more runs end", failing, runs(before.sum("paymosync_runs_total")+1))
	if n := after[`paymosync_table_failed_runs{table="clients"}`]; n < 1 {
		t.Errorf("clients failed %v times", n)
	}
	if age := after[`paymosync_table_freshness_seconds{table="users"}`]; age < 0 || age > 120 {
		t.Errorf("users is %v s old", age)
	}
	if at := after[`paymosync_table_last_full_timestamp_seconds{table="users"}`]; math.Abs(float64(time.Now().Unix())-at) > 300 {
		t.Errorf("the full of users began at %v", at)
	}
	if after["paymosync_paymo_reply_bytes_total"] < 1000 || after["paymosync_paymo_request_duration_seconds_count"] < 5 || after["process_open_fds"] < 1 || after["go_goroutines"] < 1 || after.sum("paymosync_build_info") != 1 {
		t.Errorf("requests and process: %v", after)
	}
	for _, metric := range regexp.MustCompile(`paymosync_\w+`).FindAllString(readFile(t, "prometheus-rules.yml"), -1) {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(after)), func(name string) bool { return name == metric || strings.HasPrefix(name, metric+"{") }) {
			t.Errorf("the rules ask for %s, which is not there", metric)
		}
	}
	mustAlert(t, before, after, `alertname="PaymosyncTableFailing",table="clients"`)

	w.paymo.RemoveFault(broken)
	well := scrape{
		"paymosync_overview_ok":                                      1,
		`paymosync_table_state{state="failing",table="clients"}`:     0,
		`paymosync_table_state{state="ok",table="clients"}`:          1,
		`paymosync_table_cause{cause="paymo_error",table="clients"}`: missing,
		`paymosync_table_rows{table="clients"}`:                      clients,
		`paymosync_table_failed_runs{table="clients"}`:               0,
		`paymosync_rows_total{outcome="inserted",table="clients"}`:   clients,
	}
	before = w.awaitScrape("the table is well", well, nil)
	after = w.awaitScrape("more runs end", well, runs(before.sum("paymosync_runs_total")+1))
	if age, ok := after[`paymosync_table_freshness_seconds{table="clients"}`]; !ok || age > 120 {
		t.Errorf("clients is %v s old (%v)", age, ok)
	}
	mustAlert(t, before, after)

	g.close()
	after = w.awaitScrape("the database is away", scrape{
		"paymosync_overview_ok":                                    0,
		"paymosync_account_admin":                                  missing,
		`paymosync_table_state{state="ok",table="users"}`:          missing,
		`paymosync_rows_total{outcome="inserted",table="clients"}`: clients,
	}, nil)
	mustAlert(t, after, after, `alertname="PaymosyncOverviewUnreadable"`)
	g.open()
	w.awaitScrape("the database is back", scrape{"paymosync_overview_ok": 1, `paymosync_table_rows{table="users"}`: users}, nil)
	service.mustStop()
}
