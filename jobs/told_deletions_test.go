package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// A deletion that Paymo confirms is one in the table, with all that Paymo tells of.
func TestToldDeletion(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"tasks", "clients", "time_entries"} { // listed by ids, hidden by lists, with a filter
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			l := listen(newWorld(t, small()), table)
			id := l.some(table, "true")
			l.remove(table, id)
			before := l.tombstones(table)
			if merged := l.tell(gone(table, id)); merged.Changes > 0 || l.tombstones(table) != before {
				t.Errorf("merged %+v", merged)
			}
			l.mustAsk(table, 1)
			if brought := l.bring(table, true); brought.Changes != 1 || brought.Tombstoned != 1 || len(brought.Lags) != 1 || !l.dead(table, id) {
				t.Errorf("brought %+v", brought)
			}
			l.mustWait("brought", 0, 1)
			// Looked at again, and told again, there is nothing left to ask.
			if brought := l.bring(table, false); brought.Changes != 1 || brought.Requests > 0 || brought.Tombstoned > 0 {
				t.Errorf("looked at again %+v", brought)
			}
			l.mustWait("looked at again", 0, 0)
			l.fake.ResetLog()
			l.tell(gone(table, id))
			if brought := l.bring(table, true); brought.Changes != 1 || brought.Requests > 0 || brought.Tombstoned > 0 {
				t.Errorf("brought again %+v", brought)
			}
		})
	}
}

// A deletion that Paymo does not confirm is none, whoever told of it.
func TestFalseDeletion(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"tasks", "clients", "time_entries"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			l := listen(newWorld(t, small()), table)
			id := l.some(table, "true")
			before := l.fingerprint(table)
			l.tell(gone(table, id), gone(table, 999_999_999))
			if brought := l.bring(table, true); brought.Changes != 2 || brought.Requests == 0 || brought.Tombstoned > 0 {
				t.Errorf("brought %+v", brought)
			}
			if l.fingerprint(table) != before || l.tombstones(table) > 0 {
				t.Error("rows were written")
			}
			// It is asked for once more: Paymo may have answered from before.
			l.mustWait("brought", 0, 2)
			// So is it where the row was read again: that may have been asked before it was gone.
			l.tell(l.sent(table, id, nil))
			if brought := l.bring(table, true); brought.Changes != 2 || brought.Tombstoned > 0 || l.fingerprint(table) != before {
				t.Errorf("read again %+v", brought)
			}
			l.mustWait("read again", 0, 2)
			if brought := l.bring(table, false); brought.Changes != 2 || brought.Requests == 0 || brought.Tombstoned > 0 || l.fingerprint(table) != before {
				t.Errorf("looked at again %+v", brought)
			}
			l.mustWait("looked at again", 0, 0)
		})
	}
}

// A deletion that Paymo does not confirm at first, because it answers from before, is
// confirmed later; and what a page of before brings back is marked again.
func TestDeletionThatIsConfirmedLate(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	early, back := l.some("tasks", "true"), query[int64](l.world, `SELECT max(id) FROM paymo.tasks`)
	l.tell(gone("tasks", early))
	l.bring("tasks", true)
	l.remove("tasks", early)
	l.remove("tasks", back)
	l.tell(gone("tasks", back))
	l.bring("tasks", true)
	exec(l.world, `UPDATE paymo.tasks SET _deleted_at = NULL WHERE id = $1`, back)
	l.mustWait("told", 0, 2)
	if brought := l.bring("tasks", false); brought.Tombstoned != 2 || !l.dead("tasks", early) || !l.dead("tasks", back) {
		t.Errorf("looked at again %+v", brought)
	}
	l.mustWait("looked at again", 0, 0)
	l.mustEqual("tasks")
}

// Many deletions that are told at once, false ones among them, end right.
func TestManyDeletions(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	var told []jobs.Told
	deleted := 0
	for i, id := range liveIDs(l.world, "tasks")[10:160] {
		if i%2 == 0 {
			l.remove("tasks", id)
			deleted++
		}
		told = append(told, gone("tasks", id))
	}
	l.tell(told...)
	if brought := l.bring("tasks", true); brought.Changes != len(told) || brought.Tombstoned != int64(deleted) {
		t.Errorf("brought %+v, want %d of %d", brought, deleted, len(told))
	}
	if got := l.tombstones("tasks"); got != deleted {
		t.Errorf("%d are marked deleted, want %d", got, deleted)
	}
	l.mustEqual("tasks")
}

// What is told in disorder ends right: of an object that is gone the insert comes last.
func TestDisorder(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	task, inserted := l.fleeting()
	l.tell(gone("tasks", task))
	l.bring("tasks", true)
	l.tell(inserted) // which is asked for
	l.bring("tasks", true)
	if rows := query[int](l.world, `SELECT count(*) FROM paymo.tasks WHERE id = $1`, task); rows != 0 {
		t.Error("a row came after its deletion")
	}
	l.bring("tasks", false)
	l.mustWait("brought", 0, 0)
	l.mustEqual("tasks")
	// The other way round, and both at once.
	for _, order := range [][]string{{"insert", "delete"}, {"delete", "insert"}} {
		task, inserted := l.fleeting()
		sent := map[string]jobs.Told{"insert": inserted, "delete": gone("tasks", task)}
		l.tell(sent[order[0]], sent[order[1]])
		l.bring("tasks", true)
		l.bring("tasks", false)
		l.mustWait("brought", 0, 0)
		l.mustEqual("tasks")
	}
}

// fleeting makes a task and deletes it, and returns what Paymo told when it was made.
func (l *listener) fleeting() (id int64, inserted jobs.Told) {
	l.t.Helper()
	id = l.put("tasks", map[string]any{"name": "made and deleted"})
	inserted = l.body("tasks", id)
	l.remove("tasks", id)
	return id, inserted
}

// A deletion is looked at while the row is on its way into its table, where what was told
// waits for another page.
func TestDeletionIsFasterThanItsRow(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	for range 10 { // what was told waits for a second only, which may be too short here
		task, inserted := l.fleeting()
		if l.passed(task, inserted) {
			l.mustWait("the row is there", 1, 2)
			l.mustAsk("tasks", 1)
			l.bring("tasks", true)
			l.bring("tasks", false)
			l.mustWait("brought", 0, 0)
			l.mustEqual("tasks")
			return
		}
		l.bring("tasks", true)
		l.bring("tasks", false)
		exec(l.world, `DELETE FROM river.river_job`)
	}
	t.Fatal("no row came last, so that nothing is tested")
}

// passed has the deletion of a task looked at while what was told of it before waits for the
// table, and reports whether the row came after that.
func (l *listener) passed(task int64, inserted jobs.Told) bool {
	l.t.Helper()
	ctx := l.t.Context()
	locker, err := l.pool.Begin(ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = locker.Rollback(context.Background()) }()
	if _, err := locker.Exec(ctx, `LOCK TABLE paymo.tasks IN SHARE MODE`); err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.store.NoteChanges(ctx, []sink.Change{gone("tasks", task).Change}); err != nil {
		l.t.Fatal(err)
	}
	told := make(chan error, 1)
	go func() { told <- l.service.NoteChanges(ctx, []jobs.Told{inserted}) }()
	blocked := `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for len(told) == 0 && query[int](l.world, blocked) == 0 {
	}
	brought, err := l.syncer.BringChanges(ctx, resource(l.t, "tasks"), true, time.Time{}, 100)
	if err != nil || brought.Changes != 1 || brought.Requests > 0 {
		l.t.Errorf("looked at %+v, %v", brought, err)
	}
	if err := locker.Rollback(ctx); err != nil {
		l.t.Fatal(err)
	}
	if err := <-told; err != nil {
		l.t.Fatal(err)
	}
	return query[int](l.world, `SELECT count(*) FROM paymo.tasks WHERE id = $1 AND _deleted_at IS NULL`, task) == 1
}
