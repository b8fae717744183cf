package web

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paymosync/paymosync/sink"
)

func TestRelative(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{
		0: "now", 999 * time.Millisecond: "now", time.Second: "1 second ago", 89 * time.Second: "89 seconds ago", 90 * time.Second: "2 minutes ago",
		3 * time.Minute: "3 minutes ago", 89 * time.Minute: "89 minutes ago", 2 * time.Hour: "2 hours ago", 35 * time.Hour: "35 hours ago",
		36 * time.Hour: "2 days ago", 400 * 24 * time.Hour: "400 days ago", -4 * time.Minute: "in 4 minutes", -time.Second: "in 1 second",
	} {
		if got := relative(age); got != want {
			t.Errorf("%v is %q, want %q", age, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]string{
		0: "0 ms", 850 * time.Millisecond: "850 ms", 1200 * time.Millisecond: "1.2 s", 5 * time.Second: "5 s", 45 * time.Second: "45 s",
		200 * time.Second: "3 min 20 s", 2*time.Hour + 5*time.Minute: "2 h 5 min", 1234 * time.Hour: "1,234 h 0 min",
	} {
		if got := span(took); got != want {
			t.Errorf("%v is %q, want %q", took, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 1_000_000_000: "1,000,000,000"} {
		if got := number(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "paused by an operator": "Paused by an operator.", "GET /api/x: 500": "GET /api/x: 500.", "is it?": "Is it?",
		"time_entries lacks rows": "time_entries lacks rows.", "ärger": "ärger.",
	} {
		if got := sentence(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// A flag is kept whole, and no letter of a text is lost.
func TestWords(t *testing.T) {
	t.Parallel()
	got := words("run sync --full --accept-deletes clients; -- then --x")
	want := []piece{
		{"run sync ", false}, {"--full", true}, {" ", false}, {"--accept-deletes", true}, {" clients; ", false}, {"--", true}, {" then ", false}, {"--x", true}, {"", false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", " ", "--", "a  b", " --a", strings.Repeat("-", 100)} {
		var all strings.Builder
		for _, p := range words(text) {
			all.WriteString(p.Text)
		}
		if all.String() != text {
			t.Errorf("%q became %q", text, all.String())
		}
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	if got := head(strings.Repeat("ä", 240)); got != "" {
		t.Errorf("a text that fits is cut to %q", got)
	}
	if got := head(strings.Repeat("ä", 241)); got != strings.Repeat("ä", 120) {
		t.Errorf("a long one is cut to %q", got)
	}
}

// The chart and its words tell the same.
func TestChart(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	run := func(minutes int, state string, rows int64, took time.Duration) sink.Run {
		r := sink.Run{StartedAt: began.Add(time.Duration(minutes) * time.Minute), State: state, Mode: "incremental", Inserted: rows}
		if took > 0 {
			ended := r.StartedAt.Add(took)
			r.FinishedAt = &ended
		}
		return r
	}
	if newChart("clients", nil) != nil {
		t.Error("no runs make a chart")
	}
	one := newChart("clients", []sink.Run{run(0, "ok", 5, time.Second)})
	if want := "The only run of clients, at 2026-11-27 12:00:00 UTC: 5 rows written. It took 1 s."; one.Label != want || one.Line != "" || len(one.Dots) != 1 {
		t.Errorf("one run: %+v", one)
	}
	c := newChart("clients", []sink.Run{
		run(45, "running", 0, 0), run(30, "failing", 0, 3*time.Second), run(15, "ok", 0, time.Second), run(0, "ok", 1_000_000, 2*time.Second),
	})
	if want := "The last 4 runs of clients, since 2026-11-27 12:00:00 UTC: 1,000,000 rows written, at most 1,000,000 by one run, 0 by the last. They took 2 s on average, at most 3 s. 1 failed."; c.Label != want {
		t.Errorf("the chart says %q", c.Label)
	}
	var kinds []string
	for _, b := range c.Bars {
		kinds = append(kinds, b.Kind)
		if b.X < 0 || b.X+b.Width > c.Width || b.Y < 0 || b.Y+b.Height > c.Height {
			t.Errorf("a bar is outside: %+v", b)
		}
	}
	if diff := cmp.Diff([]string{"rows", "none", "failing", "none"}, kinds); diff != "" {
		t.Error(diff)
	}
	if c.Bars[2].Mark == "" || strings.Count(c.Line, ",") != 3 {
		t.Errorf("the chart is %+v", c)
	}
	// One row is to be seen beside a million, and nothing is none.
	c = newChart("clients", []sink.Run{run(15, "ok", 1, time.Millisecond), run(0, "ok", 1<<60, 1000*time.Hour)})
	if c.Bars[1].Height < 2 || c.Bars[0].Height <= c.Bars[1].Height || c.Bars[0].Height > chartRoom {
		t.Errorf("the bars are %+v", c.Bars)
	}
	var many []sink.Run
	for i := range 100 {
		many = append(many, run(-i, "ok", 1, time.Second))
	}
	if c = newChart("clients", many); len(c.Bars) != chartRuns || c.Bars[0].X < 0 {
		t.Errorf("%d bars, the first at %d", len(c.Bars), c.Bars[0].X)
	}
}
