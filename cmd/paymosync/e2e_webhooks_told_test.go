package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// serve starts the service and waits until it has its hooks and the syncs of its start are
// over, so that what comes then comes by hooks. Its log is shown where the test fails.
func (w *told) serve(pairs ...string) *child {
	w.t.Helper()
	service := w.with(pairs...).start("serve")
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Log(service.err.String())
		}
	})
	w.installed()
	within(w.t, time.Minute, "the syncs of the start are over", func() error {
		var waiting, done int
		if err := w.pool.QueryRow(w.t.Context(), `
			SELECT count(*) FILTER (WHERE finalized_at IS NULL AND args->>'mode' = 'incremental'), count(*) FILTER (WHERE finalized_at IS NOT NULL)
			FROM river.river_job
			WHERE kind = 'sync'`).Scan(&waiting, &done); err != nil {
			return err
		}
		if waiting > 0 || done == 0 {
			return fmt.Errorf("%d wait, %d are done", waiting, done)
		}
		return nil
	})
	return service
}

// object is the first of a table's objects for which the condition holds.
func (w *told) object(table string, condition func(object map[string]any) bool) map[string]any {
	w.t.Helper()
	for raw := range w.paymo.Rows(table) {
		var object map[string]any
		if err := json.Unmarshal(raw, &object); err != nil {
			w.t.Fatal(err)
		}
		if condition(object) {
			return object
		}
	}
	w.t.Fatalf("%s have none", table)
	return nil
}

// A timer that somebody starts is an entry without an end within seconds, and has its end
// within seconds of it.
func TestProgramWebhooksTimer(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 4, Entries: 200})
	w.run("sync").mustExit(exitOK)
	service := w.serve("SYNC_SCHEDULE", "@every 1h")
	task := w.object("tasks", func(map[string]any) bool { return true })
	syncs := func() int {
		return value[int](w.world, `SELECT count(*) FROM paymosync.runs WHERE table_name = 'time_entries'`)
	}
	before, began := syncs(), time.Now().UTC().Truncate(time.Second)
	id, err := w.paymo.Put("time_entries", map[string]any{
		"task_id": int64(task["id"].(float64)), "project_id": int64(task["project_id"].(float64)), "user_id": w.paymo.AddKey("another", "Employee").UserID,
		"is_bulk": false, "added_manually": false, "billed": false, "invoice_item_id": nil, "description": "on it", "start_time": began, "end_time": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	entry := func(what, condition string) time.Duration {
		t.Helper()
		return within(t, 20*time.Second, what, func() error {
			if n := value[int](w.world, `SELECT count(*) FROM paymo.time_entries WHERE id = $1 AND _deleted_at IS NULL AND start_time = $2 AND `+condition, id, began); n != 1 {
				return fmt.Errorf("%d rows", n)
			}
			return nil
		})
	}
	t.Logf("it runs after %v", entry("the timer runs", "end_time IS NULL"))
	end := began.Add(time.Hour)
	if err := w.paymo.Patch("time_entries", id, map[string]any{"end_time": end, "duration": 3600}); err != nil {
		t.Fatal(err)
	}
	t.Logf("it has stopped after %v", entry("the timer has stopped", "end_time = start_time + interval '1 hour' AND duration = 3600"))
	if n := syncs() - before; n > 0 {
		t.Errorf("%d syncs may have brought it", n)
	}
	service.mustStop()
	w.bury()
	w.mustEqual()
}

// A project that is deleted is marked so at once; what went with it, where Paymo tells of
// it, and else with the next full.
func TestProgramWebhooksCascade(t *testing.T) {
	t.Parallel()
	for name, cascades := range map[string]bool{"told of the project": false, "told of all": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTold(t, paymotest.Config{Seed: 5, Entries: 300, Hooks: paymotest.HookConfig{Cascades: cascades}})
			w.run("sync").mustExit(exitOK)
			service := w.serve("SYNC_SCHEDULE", "@every 1h")
			project := int64(w.object("projects", func(p map[string]any) bool {
				return value[int](w.world, `SELECT least((SELECT count(*) FROM paymo.tasks WHERE project_id = $1), (SELECT count(*) FROM paymo.time_entries WHERE project_id = $1))`, int64(p["id"].(float64))) > 1
			})["id"].(float64))
			tables := []string{"tasklists", "tasks", "time_entries"} // of which Paymo tells
			alive := func(table string) int {
				return value[int](w.world, `SELECT count(*) FROM paymo.`+table+` WHERE project_id = $1 AND _deleted_at IS NULL`, project)
			}
			var before []int
			for _, table := range tables {
				before = append(before, alive(table))
			}
			others := value[int](w.world, `SELECT count(*) FROM paymo.tasks WHERE project_id <> $1 AND _deleted_at IS NULL`, project)
			if _, err := w.paymo.Delete("projects", project); err != nil {
				t.Fatal(err)
			}
			took := within(t, 20*time.Second, "the project is marked deleted", func() error {
				if value[bool](w.world, `SELECT _deleted_at IS NULL FROM paymo.projects WHERE id = $1`, project) {
					return fmt.Errorf("it is not")
				}
				return nil
			})
			t.Logf("it is marked after %v", took)
			if cascades {
				within(t, 30*time.Second, "what went with it is marked deleted", func() error {
					for _, table := range tables {
						if n := alive(table); n > 0 {
							return fmt.Errorf("%d %s are not", n, table)
						}
					}
					return nil
				})
			}
			w.settled(30 * time.Second)
			var after []int
			for _, table := range tables {
				after = append(after, alive(table))
			}
			if !cascades && !slices.Equal(after, before) {
				t.Errorf("of %v there are %v, though Paymo told of the project alone: %v", tables, after, before)
			}
			if n := value[int](w.world, `SELECT count(*) FROM paymo.tasks WHERE project_id <> $1 AND _deleted_at IS NULL`, project); n != others {
				t.Errorf("of %d tasks of other projects there are %d", others, n)
			}
			service.mustStop()
			w.bury()
			w.mustEqual()
		})
	}
}
