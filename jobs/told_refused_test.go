package jobs_test

import (
	"encoding/json"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
)

// An older body, told again, changes nothing: whoever caught a signed call cannot turn a row
// back with it.
func TestOlderBodyIsRefused(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	task, other := l.some("tasks", "true"), query[int64](l.world, `SELECT max(id) FROM paymo.tasks`)
	caught := l.body("tasks", task)
	l.patch("tasks", task, map[string]any{"name": "another name"})
	l.patch("tasks", other, map[string]any{"name": "another name, too"})
	l.tell(l.body("tasks", task))
	l.bring("tasks", false)
	l.mustAsk("tasks", 0)
	// Along with it comes what is newer: that is merged, and for the other Paymo is asked now.
	if merged := l.tell(caught, l.body("tasks", other)); merged.Changes != 1 || merged.Updated != 1 {
		t.Errorf("merged %+v", merged)
	}
	l.mustAsk("tasks", 1)
	l.mustWait("told again", 1, 2)
	l.mustEqual("tasks")
	before := l.fingerprint("tasks")
	if brought := l.bring("tasks", true); brought.Changes != 2 || brought.Inserted+brought.Updated+brought.Tombstoned > 0 {
		t.Errorf("brought %+v", brought)
	}
	if l.fingerprint("tasks") != before {
		t.Error("rows were written")
	}
	l.mustWait("brought", 0, 0)
}

// A body does not bring a row back that is marked deleted: only Paymo does, when it is asked.
func TestBodyLiftsNoTombstone(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "clients")
	client := l.some("clients", "true")
	l.patch("clients", client, map[string]any{"name": "another name"}) // newer than the row
	caught := l.body("clients", client)
	l.remove("clients", client)
	l.tell(gone("clients", client))
	l.bring("clients", true)
	if !l.dead("clients", client) {
		t.Fatal("it is not marked deleted")
	}
	l.mustAsk("clients", 1)
	before := l.fingerprint("clients")
	if merged := l.tell(caught); merged.Changes > 0 {
		t.Errorf("merged %+v", merged)
	}
	l.mustAsk("clients", 1)
	l.bring("clients", true)
	if !l.dead("clients", client) || l.fingerprint("clients") != before {
		t.Error("it is back")
	}
	// It comes back when Paymo has it again.
	if _, err := l.fake.Restore("clients", client); err != nil {
		t.Fatal(err)
	}
	l.tell(l.body("clients", client))
	if !l.dead("clients", client) {
		t.Error("it is back before paymo was asked")
	}
	l.bring("clients", true)
	if l.dead("clients", client) {
		t.Error("it is not back")
	}
	l.mustEqual("clients")
}

// Of two versions of the same second nobody can tell which is newer: Paymo is asked.
func TestBodyOfTheSameSecond(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	task := l.some("tasks", "true")
	caught := l.body("tasks", task)
	if err := l.fake.PatchQuietly("tasks", task, map[string]any{"name": "another name"}); err != nil {
		t.Fatal(err)
	}
	before := l.fingerprint("tasks")
	if merged := l.tell(l.body("tasks", task)); merged.Changes > 0 || l.fingerprint("tasks") != before {
		t.Errorf("merged %+v", merged)
	}
	l.mustAsk("tasks", 1)
	if brought := l.bring("tasks", true); brought.Changes != 1 || brought.Updated != 1 || len(brought.Lags) != 1 {
		t.Errorf("brought %+v", brought)
	}
	l.mustEqual("tasks")
	// The one of before, told again, is the older one of that second.
	l.tell(caught)
	l.bring("tasks", true)
	l.mustEqual("tasks")
}

// For what cannot be read, or does not say when it changed, Paymo is asked.
func TestBodiesThatTellTooLittle(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	for name, bend := range map[string]func(map[string]any){
		"no time":       func(o map[string]any) { delete(o, "updated_on") },
		"a null time":   func(o map[string]any) { o["updated_on"] = nil },
		"a wrong time":  func(o map[string]any) { o["updated_on"] = "yesterday" },
		"another id":    func(o map[string]any) { o["id"] = l.some("tasks", "true") + 1 },
		"a U+0000":      func(o map[string]any) { o["name"] = "a\x00b" },
		"a secret":      func(o map[string]any) { o["api_token"] = "canary" },
		"the id alone":  func(o map[string]any) { clear(o); o["id"] = 7 },
		"not an object": nil,
	} {
		task := l.some("tasks", "true")
		l.patch("tasks", task, map[string]any{"name": name})
		sent := l.body("tasks", task)
		if bend == nil {
			sent.Body = []byte(`[]`)
		} else {
			object := decode(t, sent.Body)
			bend(object)
			sent.Body, _ = json.Marshal(object)
		}
		before := l.fingerprint("tasks")
		if merged := l.tell(sent); merged.Changes > 0 || l.fingerprint("tasks") != before {
			t.Errorf("%s: merged %+v", name, merged)
		}
		l.mustAsk("tasks", 1)
		l.bring("tasks", true)
		l.mustEqual("tasks")
	}
	if n := query[int](l.world, `SELECT count(*) FROM paymosync.quarantine`); n > 0 {
		t.Errorf("%d in quarantine", n)
	}
}

// Tables that are paused, or were never read, are left to their syncs.
func TestToldOfTablesThatAreNotReady(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	task := l.some("tasks", "true")
	l.patch("tasks", task, map[string]any{"name": "another name"})
	project := query[int64](l.world, `SELECT project_id FROM paymo.tasks WHERE id = $1`, task)
	if _, err := l.store.Pause(t.Context(), "tasks"); err != nil {
		t.Fatal(err)
	}
	before := l.fingerprint("tasks")
	for _, told := range []jobs.Told{l.body("tasks", task), gone("tasks", task), l.body("projects", project), gone("projects", project)} {
		if merged := l.tell(told); merged.Changes > 0 {
			t.Errorf("merged %+v", merged)
		}
		l.mustAsk(told.Table, 1)
		if brought := l.bring(told.Table, true); brought.Changes != 1 || brought.Requests > 0 || brought.Inserted+brought.Updated+brought.Tombstoned > 0 {
			t.Errorf("brought %+v", brought)
		}
	}
	if l.fingerprint("tasks") != before || l.count("projects") > 0 || len(l.fake.Requests()) > 0 {
		t.Error("rows were written, or paymo was asked")
	}
	l.mustWait("left to the syncs", 0, 2) // deletions, which are looked at again
	if _, err := l.store.Resume(t.Context(), "tasks"); err != nil {
		t.Fatal(err)
	}
	l.mustSync("tasks", jobs.Incremental)
	l.mustEqual("tasks")
}

// Where a part of a table is synced, a body does not show whether its object is of that part.
func TestToldBeforeTheStartDate(t *testing.T) {
	t.Parallel()
	start := date(t, "2026-01-01")
	l := listen(newWorld(t, small(), func(_ *paymo.Config, config *jobs.SyncerConfig) { config.StartDate = start }), "time_entries")
	rows := l.count("time_entries")
	entry := l.some("time_entries", "true")
	var old int64
	for object := range l.fake.Rows("time_entries") {
		id, _ := decode(t, object)["id"].(json.Number).Int64()
		if query[int](l.world, `SELECT count(*) FROM paymo.time_entries WHERE id = $1`, id) == 0 {
			old = id
		}
	}
	if old == 0 || rows == 0 {
		t.Fatal("all entries are of one side of the date")
	}
	for _, id := range []int64{entry, old} {
		l.patch("time_entries", id, map[string]any{"description": "another"})
		if merged := l.tell(l.body("time_entries", id)); merged.Changes > 0 {
			t.Errorf("merged %+v", merged)
		}
	}
	if brought := l.bring("time_entries", true); brought.Changes != 2 || brought.Updated != 1 || brought.Inserted > 0 {
		t.Errorf("brought %+v", brought)
	}
	if l.count("time_entries") != rows || query[string](l.world, `SELECT description FROM paymo.time_entries WHERE id = $1`, entry) != "another" {
		t.Error("another one was brought")
	}
	l.mustWait("brought", 0, 0)
}
