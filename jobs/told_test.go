package jobs_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// listener is a company that tells of its changes. What it tells is brought only when the
// test says so: the service that takes it is not started.
type listener struct {
	*world
	service *jobs.Service

	mu     sync.Mutex
	merged []jobs.Brought // of what was told, without asking Paymo
}

// listen makes a listener of a world whose tables are synced.
func listen(w *world, tables ...string) *listener {
	w.t.Helper()
	l := &listener{world: w}
	var scheduled []jobs.TableSchedule
	for _, table := range tables {
		w.mustSync(table, jobs.Full)
		scheduled = append(scheduled, jobs.TableSchedule{Resource: resource(w.t, table), Schedule: hourly{}})
	}
	var err error
	l.service, err = jobs.NewService(jobs.ServiceConfig{
		Pool: w.pool, Syncer: w.syncer, Tables: scheduled, Full: hourly{},
		Brought: func(brought jobs.Brought, _ error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.merged = append(l.merged, brought)
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.fake.ResetLog()
	return l
}

// body is what Paymo tells of an object as it is now, and when that changed.
func (l *listener) body(table string, id int64) jobs.Told {
	l.t.Helper()
	object, err := l.fake.Get(table, id)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.sent(table, id, object)
}

// sent is a body that tells of an object.
func (l *listener) sent(table string, id int64, object []byte) jobs.Told {
	l.t.Helper()
	var times struct {
		Updated time.Time `json:"updated_on"`
	}
	change := sink.Change{Table: table, ID: id, Kind: sink.Changed, HappenedAt: time.Now()}
	if err := json.Unmarshal(object, &times); err == nil && !times.Updated.IsZero() {
		change.HappenedAt, change.NewestAt = times.Updated, times.Updated
	}
	return jobs.Told{Change: change, Body: object}
}

// gone is what Paymo tells of a deletion.
func gone(table string, id int64) jobs.Told {
	return jobs.Told{Change: sink.Change{Table: table, ID: id, Kind: sink.Gone, HappenedAt: time.Now()}}
}

// tell takes what Paymo tells, and returns what was merged of it. Paymo must not be asked.
func (l *listener) tell(told ...jobs.Told) (merged jobs.Brought) {
	l.t.Helper()
	before := len(l.fake.Requests())
	l.mu.Lock()
	l.merged = nil
	l.mu.Unlock()
	if err := l.service.NoteChanges(l.t.Context(), told); err != nil {
		l.t.Fatal(err)
	}
	if n := len(l.fake.Requests()) - before; n > 0 {
		l.t.Errorf("paymo was asked %d times", n)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, brought := range l.merged {
		if brought.Changes != len(brought.Lags) {
			l.t.Errorf("%+v", brought)
		}
		merged = plus(merged, brought)
	}
	return merged
}

func plus(a, b jobs.Brought) jobs.Brought {
	b.Changes, b.Requests, b.Lags = b.Changes+a.Changes, b.Requests+a.Requests, append(a.Lags, b.Lags...)
	b.Inserted, b.Updated, b.Tombstoned = b.Inserted+a.Inserted, b.Updated+a.Updated, b.Tombstoned+a.Tombstoned
	return b
}

// bring has all brought of a table that waits and is urgent or, later, all that waits.
func (l *listener) bring(table string, urgent bool) (all jobs.Brought) {
	l.t.Helper()
	now, err := l.store.Now(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.syncer.BringAll(l.t.Context(), resource(l.t, table), urgent, now, func(brought jobs.Brought, _ error) { all = plus(all, brought) }); err != nil {
		l.t.Fatal(err)
	}
	return all
}

// waiting is how many changes wait that their tables do not have, and how many in all.
func (l *listener) waiting() (urgent, all int) {
	l.t.Helper()
	return query[int](l.world, `SELECT count(*) FROM paymosync.changes WHERE settled_at IS NULL AND merged_at IS NULL`),
		query[int](l.world, `SELECT count(*) FROM paymosync.changes WHERE settled_at IS NULL`)
}

// mustWait makes sure how many changes wait that the tables do not have, and in all.
func (l *listener) mustWait(what string, urgent, all int) {
	l.t.Helper()
	if u, a := l.waiting(); u != urgent || a != all {
		l.t.Errorf("%s: %d and %d wait, want %d and %d", what, u, a, urgent, all)
	}
}

// mustAsk makes sure how many jobs ask for the table's changes.
func (l *listener) mustAsk(table string, want int) {
	l.t.Helper()
	if got := query[int](l.world, `SELECT count(*) FROM river.river_job WHERE kind = 'changes' AND args->>'table' = $1`, table); got != want {
		l.t.Errorf("%d jobs ask for %s, want %d", got, table, want)
	}
	exec(l.world, `DELETE FROM river.river_job`)
}

// dead reports whether a row is marked deleted.
func (l *listener) dead(table string, id int64) bool {
	l.t.Helper()
	return query[bool](l.world, "SELECT _deleted_at IS NOT NULL FROM paymo."+table+" WHERE id = $1", id)
}

// What Paymo tells is in its table when it was taken, without a request. Where no sync reads
// it again it is asked for later, in one for all.
func TestToldIsMerged(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	task := l.some("tasks", "true")
	l.patch("tasks", task, map[string]any{"name": "another name"})
	made := l.put("tasks", map[string]any{"name": "a new one"})
	merged := l.tell(l.body("tasks", task), l.body("tasks", made))
	if merged.Changes != 2 || merged.Inserted != 1 || merged.Updated != 1 {
		t.Errorf("merged %+v", merged)
	}
	l.mustEqual("tasks")
	l.mustAsk("tasks", 0)
	l.mustWait("merged", 0, 2)
	before := l.fingerprint("tasks")
	if brought := l.bring("tasks", true); brought.Changes > 0 {
		t.Errorf("it is urgent: %+v", brought)
	}
	if brought := l.bring("tasks", false); brought.Changes != 2 || l.requests("tasks") != 1 || brought.Inserted+brought.Updated > 0 || len(brought.Lags) > 0 {
		t.Errorf("brought %+v with %d requests", brought, l.requests("tasks"))
	}
	l.mustWait("brought", 0, 0)
	if l.fingerprint("tasks") != before {
		t.Error("rows were written again")
	}
}

// What a sync read again that began later needs no request.
func TestToldIsReadAgain(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks", "projects")
	task := l.some("tasks", "true")
	l.patch("tasks", task, map[string]any{"name": "another name"})
	l.tell(l.body("tasks", task))
	l.mustSync("projects", jobs.Incremental)
	l.mustWait("another table was synced", 0, 1)
	l.mustSync("tasks", jobs.Incremental)
	l.mustWait("its table was synced", 0, 0)
	made := l.put("tasks", map[string]any{"name": "a new one"})
	l.tell(l.body("tasks", made))
	l.mustSync("tasks", jobs.Full)
	l.mustWait("its table was read whole", 0, 0)
	l.mustEqual("tasks")
}

// Of several bodies of an object the newest is merged, in whichever order they come.
func TestToldAtOnce(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	task := l.some("tasks", "true")
	first := time.Now().UTC().Add(-time.Minute).Truncate(time.Second)
	var bodies []jobs.Told
	for i, name := range []string{"one", "two", "three"} {
		l.patch("tasks", task, map[string]any{"name": name, "updated_on": first.Add(time.Duration(i) * time.Second).Format(time.RFC3339)})
		bodies = append(bodies, l.body("tasks", task))
	}
	if merged := l.tell(bodies[1], bodies[2], bodies[0]); merged.Changes != 1 || merged.Updated != 1 {
		t.Errorf("merged %+v", merged)
	}
	l.mustEqual("tasks")
	l.mustWait("merged", 0, 1)
}
