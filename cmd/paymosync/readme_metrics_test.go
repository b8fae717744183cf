package main

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/cmd/paymosync/metrics"
	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// metricsTable lists the metrics that a service serves when all is known, but for those
// of Go and of the process.
func metricsTable(t *testing.T) string {
	t.Helper()
	m := metrics.New(metrics.Config{Version: "dev", Tables: []string{"clients"}, Log: slog.New(slog.DiscardHandler)})
	at := time.Now()
	m.Read(func(context.Context) (jobs.Overview, error) {
		return jobs.Overview{
			At: at, Account: jobs.AccountOverview{Pinned: true}, Budget: sink.BudgetState{Limit: 5, Share: 80, Left: 3},
			Tables: []jobs.TableOverview{{TableStatus: sink.TableStatus{Table: "clients", FreshAsOf: &at, FullAt: &at}, Cause: jobs.CauseGuard}},
			Queue:  map[string]int64{"running": 1},
		}, nil
	})
	answer := httptest.NewRecorder()
	m.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	text := answer.Body.String()
	help, labels := map[string]string{}, map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^# HELP (paymosync_\w+) (.*)$`).FindAllStringSubmatch(text, -1) {
		help[match[1]] = match[2]
		series := regexp.MustCompile(`(?m)^` + match[1] + `(?:_count)?(?:\{(.*)\})? `).FindStringSubmatch(text)
		var names []string
		for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(series[1], -1) {
			names = append(names, codeOf(label[1]))
		}
		labels[match[1]] = strings.Join(names, ", ")
	}
	table := markdownRow("metric", "type", "labels", "meaning") + markdownRow("---", "---", "---", "---")
	for _, name := range slices.Sorted(maps.Keys(help)) {
		kind := regexp.MustCompile(`(?m)^# TYPE ` + name + ` (\w+)$`).FindStringSubmatch(text)[1]
		table += markdownRow(codeOf(name), kind, labels[name], prose(help[name]))
	}
	return table
}
