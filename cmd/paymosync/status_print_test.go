package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// mustBeGolden holds a text to the one that is kept in testdata; -update keeps it anew.
func mustBeGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *updateReadme {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s is another (-want +got); with -update it is kept so:\n%s", path, diff)
	}
}

// everyState is a status with a table in every state, and more that are ok.
func everyState(more int) statusReport {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { t := now.Add(d); return &t }
	s := statusReport{Overview: jobs.Overview{
		At:      now,
		Account: jobs.AccountOverview{Pinned: true, Identity: sink.Identity{BaseURL: "https://app.paymoapp.com", CompanyID: 4470017, UserID: 4100006, Role: "Admin"}},
		Budget:  sink.BudgetState{Limit: 5, Share: 80, Period: 5100 * time.Millisecond, Left: 3},
		Queue:   map[string]int64{"available": 1, "pending": 1, "retryable": 1, "running": 4, "scheduled": 1},
	}}
	found := jobs.Freshness{AtOnce: "changes that move updated_on", Nightly: "deletions"}
	add := func(table, state, reason string, cause jobs.Cause) {
		t := tableReport{
			Table: table, State: state, Reason: reason, Cause: cause, Rows: 1234567, FreshAsOf: at(-14*time.Minute - 32*time.Second), LastFull: at(-8 * time.Hour),
			LastRun: &runReport{Mode: "incremental", State: state, StartedAt: now.Add(-14 * time.Minute)}, NextRun: at(28 * time.Second), Found: found,
		}
		if state == sink.StatePaused {
			t.NextRun = nil
		}
		s.tables = append(s.tables, t)
	}
	add("users", sink.StateOK, "", "")
	add("clients", sink.StateDegraded, "listing incomplete: 3 rows are not listed, and there", jobs.CauseIncomplete)
	add("projects", sink.StateFailing, "the API key was refused", jobs.CauseKeyRefused)
	add("invoices", sink.StateFailing, "the API key was refused", jobs.CauseKeyRefused)
	add("expenses", sink.StateUnavailable, "Paymo answers 403: not in the plan, or not permitted to this key", jobs.CauseNotServed)
	add("tasks", sink.StatePaused, "paused by an operator since 2026-03-01T11:00:00Z; before that it was ok", jobs.CausePaused)
	add("project_template_tasklists", sink.StateUnavailable, "not synced yet", jobs.CauseUnsynced)
	s.tables[6].FreshAsOf, s.tables[6].LastRun, s.tables[6].LastFull, s.tables[6].Rows = nil, nil, nil, 0
	s.tables[0].LastRun.State = sink.RunRunning
	for i := range more {
		add(fmt.Sprintf("table_%d", i), sink.StateOK, "", "")
	}
	return s
}

// What status prints, in a pipe and on terminals of usual widths.
func TestStatusPage(t *testing.T) {
	t.Parallel()
	for _, width := range []int{0, 60, 100, 160} {
		mustBeGolden(t, fmt.Sprintf("status/page-%d", width), everyState(2).page(look{width: width}))
	}
}

// The head says what is not known, and what is wrong.
func TestStatusHead(t *testing.T) {
	t.Parallel()
	s := everyState(0)
	for want, change := range map[string]func(*statusReport){
		"account  not known yet: the first sync asks":                                                    func(s *statusReport) { s.Account = jobs.AccountOverview{} },
		"account  user 4100006, role Employee, not Admin: it may see fewer":                              func(s *statusReport) { s.Account.Role = "Employee" },
		"; company not known: the key may not ask":                                                       func(s *statusReport) { s.Account.CompanyID = 0 },
		"budget   not known: ":                                                                           func(s *statusReport) { s.Budget = sink.BudgetState{Share: 80, Left: -1} },
		"budget   4 requests per 5s (80% of Paymo's 5)\n":                                                func(s *statusReport) { s.Budget.Left = -1 },
		"budget   in use: none of 4 requests per 5s is free, the next one is in 1.2s (80% of Paymo's 5)": func(s *statusReport) { s.Budget.Left, s.Budget.Wait = 0, 1200*time.Millisecond },
		"budget   spent: Paymo takes no request for another 12s":                                         func(s *statusReport) { s.Budget.BlockedUntil = s.At.Add(12 * time.Second) },
		"queue    empty\n": func(s *statusReport) { s.Queue = map[string]int64{} },
		"queue    not known: DATABASE_URL is not set\n": func(s *statusReport) { s.Queue = nil },
	} {
		changed := s
		change(&changed)
		if head := changed.head(look{}); !strings.Contains(head, want) {
			t.Errorf("got\n%swant %q", head, want)
		}
	}
}

// A screen holds no more lines than there are, and what is not well comes first.
func TestStatusScreen(t *testing.T) {
	t.Parallel()
	mustBeGolden(t, "status/screen-100x30", strings.Join(everyState(28).screen(look{width: 100}, 30), "\n")+"\n")
	for _, more := range []int{0, 5, 28} {
		s := everyState(more)
		for height := range 80 {
			for _, width := range []int{1, 20, 60, 100} {
				lines := s.screen(look{width: width, colour: true}, height)
				if len(lines) > height {
					t.Errorf("%d lines on %d for %d tables", len(lines), height, len(s.tables))
				}
				shown := strings.Join(lines, "\n")
				if whole := height > 70 && width == 100; whole && strings.Contains(shown, "more") {
					t.Errorf("on %d lines something is left out of %d tables:\n%s", height, len(s.tables), shown)
				}
				if width == 100 && height > 20 && !strings.Contains(shown, "projects, invoices") {
					t.Errorf("on %d lines the failing tables are not told of:\n%s", height, shown)
				}
			}
		}
	}
}

// Columns become short, then go, so that no line is wider than the terminal; and the
// name of the table stays.
func TestColumnsFit(t *testing.T) {
	t.Parallel()
	s := everyState(3)
	for width := 1; width < 160; width++ {
		for _, colour := range []bool{false, true} {
			lines := s.rows(look{width: width, colour: colour}, s.tables)
			if len(lines) != len(s.tables)+1 {
				t.Fatalf("%d lines", len(lines))
			}
			for _, line := range lines {
				if n := text.StringWidthWithoutEscSequences(line); n > width {
					t.Errorf("%d columns wide on a terminal of %d: %q", n, width, line)
				}
			}
			if !strings.HasPrefix(lines[0], "TABLE"[:min(5, width)]) && !colour {
				t.Errorf("on a terminal of %d: %q", width, lines[0])
			}
		}
	}
}
