package paymotest_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// The company at work makes the same changes for the same seed, at its own pace.
func TestLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		run := func() (dump []byte, changed map[string]int) {
			// Times count from the start of the run, so that two runs compare.
			began := time.Now()
			now := func() time.Time { return start.Add(time.Since(began)) }
			s := paymotest.New(paymotest.Config{Seed: 3, Now: now, Until: start.Add(-time.Hour)})
			before := map[string]int{}
			for _, res := range catalog.All() {
				before[res.Table] = s.Count(res.Table)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second+time.Millisecond)
			defer cancel()
			s.Live(ctx, 5)
			changed = map[string]int{}
			for _, res := range catalog.All() {
				for raw := range s.Rows(res.Table) {
					dump = append(dump, raw...)
					o := object(t, raw)
					if at, _ := time.Parse(time.RFC3339, o["updated_on"].(string)); !at.Before(start) {
						changed[res.Table]++
						if at.After(now()) {
							t.Errorf("%s %v is of the future", res.Table, o["id"])
						}
					}
				}
			}
			return dump, changed
		}
		one, changed := run()
		two, _ := run()
		if !bytes.Equal(one, two) {
			t.Error("the same seed worked differently")
		}
		for _, table := range []string{"time_entries", "tasks", "comments", "invoices", "invoice_items", "projects", "task_assignments"} {
			if changed[table] == 0 {
				t.Errorf("nothing happened to %s in %v", table, changed)
			}
		}
	})
}

// At most one timer runs a person, however long the company works.
func TestWorkTimers(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{})
	s.Work(1000)
	running := map[any]int{}
	for raw := range s.Rows("time_entries") {
		if o := object(t, raw); o["start_time"] != nil && o["end_time"] == nil {
			if running[o["user_id"]]++; running[o["user_id"]] > 1 {
				t.Errorf("user %v has two timers", o["user_id"])
			}
		}
	}
}

// Work goes on while lists are read and faults come and go.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: 100, Tasks: 50, Rate: 1000})
	done := make(chan struct{})
	go func() {
		defer close(done)
		rng := rand.New(rand.NewPCG(1, 1))
		for range 50 {
			s.Work(3)
			s.RandomOp(rng)
			if _, _, err := s.MutateField(rng, "invoices"); err != nil {
				t.Error(err)
			}
			id := s.AddFault(paymotest.Fault{Kind: paymotest.FaultRotate, Table: "tasks"})
			s.AddKey("temporary", "Employee")
			s.SetRole("temporary", "Guest")
			s.RevokeKey("temporary")
			s.RemoveFault(id)
		}
	}()
	for range 25 {
		get(t, s, "/api/tasks", "include", "entries,subtasks,project")
		get(t, s, "/api/invoices", "include", "invoiceitems")
		get(t, s, "/api/userstasks", "where", "user_id in (1,2,3)")
		s.Requests()
		s.Counts()
	}
	<-done
}

// Rows are put while the company is at work.
func TestPutBesideWork(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: 50})
	var working sync.WaitGroup
	working.Go(func() { s.Work(100) })
	for range 100 {
		if _, err := s.Put("clients", map[string]any{"name": "new"}); err != nil {
			t.Error(err)
		}
	}
	working.Wait()
}
