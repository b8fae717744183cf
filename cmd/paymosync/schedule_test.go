package main

import (
	"testing"
	"time"
)

func TestLastTick(t *testing.T) {
	t.Parallel()
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ spec, now, want string }{
		{"*/15 * * * *", "2026-07-01T12:14:59Z", "2026-07-01T12:00:00Z"},
		{"*/15 * * * *", "2026-07-01T12:15:00Z", "2026-07-01T12:15:00Z"},
		{"*/15 * * * *", "2026-07-01T12:15:00.5Z", "2026-07-01T12:15:00Z"},
		{"17 4 * * *", "2026-07-01T02:16:59Z", "2026-06-30T02:17:00Z"},         // 04:17 in Vienna
		{"17 4 * * *", "2026-03-29T05:00:00Z", "2026-03-29T02:17:00Z"},         // the day summer time begins
		{"30 2 * * *", "2026-03-29T12:00:00Z", "2026-03-28T01:30:00Z"},         // skipped that day
		{"30 2 * * *", "2026-10-25T12:00:00Z", "2026-10-25T01:30:00Z"},         // came twice that day
		{"0 0 1 1 *", "2026-07-01T00:00:00Z", "2025-12-31T23:00:00Z"},          // yearly
		{"* * * 1 *", "2026-07-01T00:00:00Z", "2026-01-31T22:59:00Z"},          // the last of many, long ago
		{"0 0 29 2 *", "2026-07-01T00:00:00Z", "2024-02-28T23:00:00Z"},         // leap day
		{"@daily", "2026-07-01T00:00:00Z", "2026-06-30T22:00:00Z"},             // midnight in Vienna
		{"CRON_TZ=UTC @daily", "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z"}, // elsewhere
		{"@every 30s", "2026-07-01T12:00:59.9Z", "2026-07-01T12:00:30Z"},
		{"@every 30s", "2026-07-01T12:01:00Z", "2026-07-01T12:01:00Z"},
		{"@every 24h", "2026-07-01T12:00:00Z", "2026-07-01T00:00:00Z"},
	} {
		t.Run(test.spec+" "+test.now, func(t *testing.T) {
			t.Parallel()
			schedule, err := ParseSchedule(test.spec, vienna)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := schedule.LastTick(at(t, test.now))
			if !ok || !got.Equal(at(t, test.want)) {
				t.Errorf("got %s %t, want %s", got.UTC().Format(time.RFC3339Nano), ok, test.want)
			}
		})
	}
	if tick, ok := (Schedule{}).LastTick(someDay()); ok {
		t.Errorf("a schedule that never comes ticked at %s", tick)
	}
}

// TestLastTickWalk compares with a walk along the ticks.
func TestLastTickWalk(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"*/15 * * * *", "17 4 * * *", "@every 7m", "0 9-17 * * 1-5", "@monthly"} {
		schedule, err := ParseSchedule(spec, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		tick := schedule.Next(someDay())
		for range 200 {
			next := schedule.Next(tick)
			for _, now := range []time.Time{tick, tick.Add(time.Millisecond), next.Add(-time.Second), next.Add(-1)} {
				if got, ok := schedule.LastTick(now); !ok || !got.Equal(tick) {
					t.Fatalf("%s at %s: got %s, want %s", spec, now, got, tick)
				}
			}
			tick = next
		}
	}
}

// TestEveryKeepsStep asks at odd times: the ticks must not depend on them.
func TestEveryKeepsStep(t *testing.T) {
	t.Parallel()
	schedule, err := ParseSchedule("@every 2h", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	want := schedule.Next(someDay())
	for _, ago := range []time.Duration{time.Minute, time.Hour, 119 * time.Minute} {
		if got := schedule.Next(want.Add(-ago)); !got.Equal(want) {
			t.Errorf("%s before: got %s, want %s", ago, got, want)
		}
	}
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}
