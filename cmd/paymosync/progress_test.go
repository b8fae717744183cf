package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/sink"
)

// TestBoardFits holds every line of the board to the terminal's width, and its columns
// to each other.
func TestBoardFits(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := &progress{out: &bytes.Buffer{}, board: &board{}, tables: 25, started: now.Add(-100 * time.Second)}
	for _, table := range []string{"time_entries", "project_template_tasklists", "tasks", "users"} {
		p.begin(table)
	}
	p.moment("time_entries", jobs.Moment{Rows: 1, Requests: 1, Left: 1, Known: true})
	p.running[0].first, p.running[0].known = now.Add(-90*time.Second), now.Add(-90*time.Second)
	p.moment("time_entries", jobs.Moment{Rows: 1_234_567, Requests: 700, Left: 0.25, Known: true})
	p.waiting("tasks", &paymo.RateLimitError{Wait: 7 * time.Second}, 7*time.Second)
	p.waiting("users", &sink.HeldError{Table: "users", Owner: strings.Repeat("host ", 20)}, time.Second)
	p.pace(3 * time.Second)
	p.running[2].until, p.paced[0] = now.Add(7*time.Second), now.Add(3*time.Second)
	for width := 1; width <= 200; width++ {
		for _, colour := range []bool{false, true} {
			lines := p.lines(newLayout(width, 24, colour), now)
			for _, line := range lines {
				if n := text.StringWidthWithoutEscSequences(line); n > max(1, width-1) {
					t.Errorf("%d columns wide on a terminal of %d: %q", n, width, line)
				}
			}
			full, sum := text.StringWidthWithoutEscSequences(lines[0]), text.StringWidthWithoutEscSequences(lines[4])
			if full != sum {
				t.Errorf("on a terminal of %d the columns end at %d and %d:\n%s\n%s", width, full, sum, lines[0], lines[4])
			}
		}
	}
	lines := strings.Join(p.lines(newLayout(100, 24, false), now), "\n")
	for _, text := range []string{"1,234,567 rows", "13,717/s", "30s left", "tasks                       waiting 7s for Paymo's rate limit",
		"users                       waiting: it is being synced by host", "0 of 25 tables", "700 requests", "after 1m40s", "waiting 3s for Paymo's rate limit: 1 request"} {
		if !strings.Contains(lines, text) {
			t.Errorf("the board does not say %q:\n%s", text, lines)
		}
	}
	if n := len(p.lines(newLayout(80, 4, false), now)); n != 3 {
		t.Errorf("%d lines on a terminal of 4", n)
	}
}

// TestProgressInPipe holds the progress to lines, one for each thing that happens.
func TestProgressInPipe(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newProgress(&out, 1)
	p.begin("tasks")
	for range 3 {
		p.waiting("tasks", &sink.HeldError{Table: "tasks", Owner: "another"}, time.Second)
	}
	p.waiting("tasks", &paymo.RateLimitError{Wait: 7 * time.Second}, 7*time.Second)
	p.waiting("other", errors.New("not shown"), time.Second)
	p.end(jobs.Outcome{Table: "tasks", State: sink.StateDegraded, Reason: "a reason", Inserted: 1200, Tombstoned: 7, Requests: 1, Took: time.Second})
	p.stop()
	const want = `tasks: waiting: it is being synced by another
tasks: waiting 7s for Paymo's rate limit
tasks: degraded, 1,200 new, 0 changed, 7 deleted, 0 unchanged, 1 request, 1.0s: a reason
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
