package paymotest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// Every resource that has created_on can be listed by ranges of it.
func TestCreatedRanges(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Scopes: paymotest.ScopesOpen, RelaxEntries: true, Uncut: true, Entries: 1000})
	from, to := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	tables := 0
	for _, res := range catalog.All() {
		if _, ok := res.Column("created_on"); !ok || res.Singleton {
			continue
		}
		tables++
		want := keep(t, s, res.Table, func(o map[string]any) bool {
			at := o["created_on"].(string)
			return at >= from.Format(time.RFC3339) && at < to.Format(time.RFC3339)
		})
		where := fmt.Sprintf("created_on>=%d and created_on<%d", from.Unix(), to.Unix())
		if got := get(t, s, res.Path, "where", where); !slices.Equal(got.ids(), want) {
			t.Errorf("%s where %s: %d rows, want %d", res.Table, where, len(got.rows), len(want))
		}
	}
	if tables != len(catalog.All())-1 {
		t.Errorf("%d tables have created_on", tables)
	}
}

func TestBookingRanges(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: -1, Tasks: 600})
	const interval = `date_interval in ("2026-01-01","2026-02-01")`
	within := keep(t, s, "bookings", func(o map[string]any) bool {
		return o["start_date"].(string) < "2026-02-01" && o["end_date"].(string) >= "2026-01-01"
	})
	if len(within) < 4 {
		t.Fatalf("%d bookings in the interval", len(within))
	}
	middle := within[len(within)/2]
	stamp := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	recent := keep(t, s, "bookings", func(o map[string]any) bool {
		return slices.Contains(within, int64(o["id"].(float64))) && o["updated_on"].(string) >= stamp.Format(time.RFC3339)
	})
	for where, want := range map[string][]int64{
		interval: within,
		fmt.Sprintf("%s and id>=%d", interval, middle):               within[len(within)/2:],
		fmt.Sprintf("id>=%d and %s", middle, interval):               within[len(within)/2:],
		fmt.Sprintf("%s and updated_on>=%d", interval, stamp.Unix()): recent,
	} {
		if got := get(t, s, "/api/bookings", "where", where).ids(); !slices.Equal(got, want) {
			t.Errorf("where %s: %v, want %v", where, got, want)
		}
	}
}

// A receipt hangs on an expense and on no project.
func TestReceipts(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: -1})
	receipts := keep(t, s, "files", func(o map[string]any) bool {
		_, owned := o["project_id"]
		return o["expense_id"] != nil && !owned
	})
	if len(receipts) == 0 {
		t.Fatal("no receipts")
	}
	if got := get(t, s, "/api/files", "where", "project_id=null").ids(); !slices.Equal(got, receipts) {
		t.Errorf("without a project: %v, want %v", got, receipts)
	}
	projects := keep(t, s, "projects", func(map[string]any) bool { return true })
	lists := []string{"project_id>=1"}
	for _, id := range projects {
		lists = append(lists, fmt.Sprintf("project_id=%d", id))
	}
	for _, where := range lists {
		for _, id := range get(t, s, "/api/files", "where", where).ids() {
			if slices.Contains(receipts, id) {
				t.Errorf("where %s: receipt %d", where, id)
			}
		}
	}
}
