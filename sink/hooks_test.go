package sink_test

import (
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

func keepHook(t testing.TB, store *sink.Store, hook sink.Hook) {
	t.Helper()
	if err := store.KeepHook(t.Context(), hook); err != nil {
		t.Fatal(err)
	}
}

func hookOf(t testing.TB, store *sink.Store, table string) *sink.Hook {
	t.Helper()
	hook, err := store.HookOf(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	return hook
}

// A hook is made anew where it gets another URL or another secret; else it was only seen.
func TestKeepHook(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	if hook := hookOf(t, store, "tasks"); hook != nil {
		t.Errorf("%+v", hook)
	}
	own := sink.Hook{ID: 7, Table: "tasks", TargetURL: "https://a", SecretMark: "m"}
	keepHook(t, store, own)
	keepHook(t, store, sink.Hook{ID: 3, Table: "users", TargetURL: "https://a", SecretMark: "m"})
	keepHook(t, sink.New(pool, sinktest.Warehouse, "other"), sink.Hook{ID: 7, Table: "clients", TargetURL: "https://b", SecretMark: "m"})
	first := hookOf(t, store, "tasks")
	if first == nil || first.ID != 7 || first.TargetURL != "https://a" || first.LastStatus != 0 || first.HeardAt != nil || first.SilentSince != nil || time.Since(first.ListenedAt) > time.Minute {
		t.Fatalf("%+v", first)
	}
	if hooks, err := store.Hooks(t.Context()); err != nil || len(hooks) != 2 || hooks[0].Table != "tasks" || hooks[1].Table != "users" {
		t.Errorf("%+v, %v", hooks, err)
	}
	own.LastStatus = 503
	keepHook(t, store, own)
	seen := hookOf(t, store, "tasks")
	if !seen.SureSince.Equal(first.SureSince) || !seen.SeenAt.After(first.SeenAt) || seen.LastStatus != 503 {
		t.Errorf("seen: %+v", seen)
	}
	for _, change := range []func(){func() { own.TargetURL = "https://b" }, func() { own.SecretMark = "n" }} {
		before := hookOf(t, store, "tasks")
		change()
		keepHook(t, store, own)
		if after := hookOf(t, store, "tasks"); !after.SureSince.After(before.SureSince) || after.TargetURL != own.TargetURL || after.SecretMark != own.SecretMark {
			t.Errorf("changed: %+v", after)
		}
	}
	for range 2 {
		if err := store.ForgetHook(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
	}
	if hookOf(t, store, "tasks") != nil || hookOf(t, store, "users") == nil {
		t.Error("another one is forgotten")
	}
	if n := value[int](t, pool, `SELECT count(*) FROM paymosync.hooks WHERE account = 'other'`); n != 1 {
		t.Errorf("%d of the other account", n)
	}
}

// Hooks are heard by what is noted of their table. What happened while nobody listened, or when
// a call was not taken, is not sure to have been heard.
func TestListen(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	keepHook(t, store, sink.Hook{ID: 1, Table: "tasks"})
	keepHook(t, store, sink.Hook{ID: 2, Table: "users"})
	listen := func() {
		t.Helper()
		if err := store.Listen(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	note(t, store, "tasks", sink.Changed, time.Now(), 1)
	if hookOf(t, store, "tasks").HeardAt == nil || hookOf(t, store, "users").HeardAt != nil {
		t.Error("the hook that was heard is another")
	}
	if !hookOf(t, store, "tasks").Reached || !hookOf(t, store, "users").Reached {
		t.Error("one was heard: calls come in")
	}
	keepHook(t, store, sink.Hook{ID: 3, Table: "clients", TargetURL: "https://elsewhere.example"})
	if hookOf(t, store, "clients").Reached {
		t.Error("it calls another URL, at which none was heard")
	}
	if err := store.ForgetHook(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	before := hookOf(t, store, "users")
	exec(t, pool, `UPDATE paymosync.hooks SET listened_at = clock_timestamp() - $1::interval + interval '1 minute'`, sink.DeafFor)
	listen()
	if hook := hookOf(t, store, "tasks"); hook.SureSince.After(before.SureSince) || time.Since(hook.ListenedAt) > time.Minute {
		t.Errorf("after a pause: %+v", hook)
	}
	exec(t, pool, `UPDATE paymosync.hooks SET listened_at = clock_timestamp() - $1::interval - interval '1 second' WHERE table_name = 'tasks'`, sink.DeafFor)
	listen()
	hook := hookOf(t, store, "tasks")
	if !hook.SureSince.After(before.SureSince) || hookOf(t, store, "users").SureSince.After(before.SureSince) {
		t.Fatalf("after a long pause: %+v", hook)
	}
	listen()
	if again := hookOf(t, store, "tasks"); !again.SureSince.Equal(hook.SureSince) {
		t.Errorf("it goes on: %+v", again)
	}
	if err := store.Miss(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tasks, users := hookOf(t, store, "tasks"), hookOf(t, store, "users"); !tasks.SureSince.After(hook.SureSince) || !users.SureSince.After(hook.SureSince) {
		t.Errorf("after a call was missed: %+v, %+v", tasks, users)
	}
}

// hearing is a table whose hook was made an hour ago, by the clock of a sync that began now.
type hearing struct {
	*table
	began time.Time
}

func newHearing(t *testing.T) *hearing {
	t.Helper()
	h := &hearing{table: newTable(t, "tasks")}
	keepHook(t, h.store, sink.Hook{ID: 1, Table: "tasks"})
	exec(t, h.pool, `UPDATE paymosync.hooks SET sure_since = clock_timestamp() - interval '1 hour'`)
	h.began = h.now()
	return h
}

// finds has the sync find that an object changed so long ago.
func (h *hearing) finds(id int64, ago time.Duration) {
	h.t.Helper()
	h.merge(h.record(id, map[string]any{"updated_on": h.began.Add(-ago).UTC().Format(time.RFC3339)}))
}

// betweenSyncs is how long after a sync the next one begins.
const betweenSyncs = 30 * time.Minute

// hear holds the sync against the hook, which must then be silent or not, and begins another
// one after a while.
func (h *hearing) hear(what string, silent bool) {
	h.t.Helper()
	if err := h.store.HearSync(h.t.Context(), "tasks", h.began); err != nil {
		h.t.Fatal(err)
	}
	if hook := hookOf(h.t, h.store, "tasks"); (hook.SilentSince != nil) != silent {
		h.t.Errorf("%s: %+v, want silent %t", what, hook, silent)
	}
	exec(h.t, h.pool, `UPDATE paymo.tasks SET updated_on = updated_on - $1::interval`, betweenSyncs)
	exec(h.t, h.pool, `UPDATE paymosync.changes SET heard_at = heard_at - $1::interval`, betweenSyncs)
	exec(h.t, h.pool, `UPDATE paymosync.hooks SET sure_since = sure_since - $1::interval, heard_at = heard_at - $1::interval,
		checked_until = checked_until - $1::interval, silent_since = silent_since - $1::interval`, betweenSyncs)
	h.began = h.now()
}

// What a sync finds and no hook told of shows that they are silent.
func TestHearSync(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		found  func(h *hearing)
		silent bool
	}{
		"nothing":            {func(*hearing) {}, false},
		"what was not told":  {func(h *hearing) { h.finds(1, 10*time.Minute) }, true},
		"what was told":      {func(h *hearing) { note(h.t, h.store, "tasks", sink.Changed, time.Now(), 1); h.finds(1, 10*time.Minute) }, false},
		"what was told once": {func(h *hearing) { note(h.t, h.store, "tasks", sink.Changed, time.Now(), 1); h.finds(2, 10*time.Minute) }, true},
		"what was told before": {func(h *hearing) {
			note(h.t, h.store, "tasks", sink.Changed, time.Now(), 1)
			exec(h.t, h.pool, `UPDATE paymosync.changes SET heard_at = heard_at - interval '20 minutes'`)
			h.finds(1, 10*time.Minute)
		}, true},
		"of another table": {func(h *hearing) { note(h.t, h.store, "users", sink.Changed, time.Now(), 1); h.finds(1, 10*time.Minute) }, true},
		"a moment ago":     {func(h *hearing) { h.finds(1, 30*time.Second) }, false},
		"before the hook":  {func(h *hearing) { h.finds(1, 2*time.Hour) }, false},
		"as it was made":   {func(h *hearing) { h.finds(1, time.Hour-30*time.Second) }, false},
		"of no time":       {func(h *hearing) { h.merge(h.record(1, nil)) }, false},
		"of the future":    {func(h *hearing) { h.finds(1, -time.Hour) }, false},
		"before the sync":  {func(h *hearing) { h.finds(1, 10*time.Minute); h.began = h.now() }, true},
		"a day ago": {func(h *hearing) {
			exec(h.t, h.pool, `UPDATE paymosync.hooks SET sure_since = sure_since - interval '1 day'`)
			h.finds(1, 24*time.Hour) // what was told then is not known any more
		}, false},
		"what was deleted": {func(h *hearing) {
			h.finds(1, 10*time.Minute)
			exec(h.t, h.pool, `UPDATE paymo.tasks SET _deleted_at = now()`)
		}, false},
		"what changed only": {func(h *hearing) { h.finds(1, 20*time.Minute); h.began = h.now(); h.finds(1, 10*time.Minute) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHearing(t)
			test.found(h)
			h.hear(name, test.silent)
		})
	}
}

// What happened a moment before a sync is held against the hook at the next one, once.
func TestHearSyncLater(t *testing.T) {
	t.Parallel()
	h := newHearing(t)
	h.finds(1, 30*time.Second)
	h.hear("a moment ago", false)
	h.hear("that is half an hour ago", true)
	note(t, h.store, "tasks", sink.Changed, time.Now(), 2)
	h.hear("what was left out before", false)
}

// A silent hook is relied on again when it was heard, and a sync finds nothing that it left
// out.
func TestHookIsHeardAgain(t *testing.T) {
	t.Parallel()
	h := newHearing(t)
	h.finds(1, 10*time.Minute)
	h.hear("it left something out", true)
	since := hookOf(t, h.store, "tasks").SilentSince
	h.hear("a sync that finds nothing", true)
	h.finds(2, 10*time.Minute)
	h.hear("it left something out again", true)
	if again := hookOf(t, h.store, "tasks").SilentSince; !again.Add(2 * betweenSyncs).Equal(*since) {
		t.Errorf("silent since %v, and then %v", since, again)
	}
	note(t, h.store, "tasks", sink.Changed, time.Now(), 4)
	h.finds(3, 10*time.Minute)
	h.hear("it was heard, and left something out", true)
	h.hear("it was heard, and left nothing out", false)
	// Of a table that has no hook nothing is known.
	if err := h.store.ForgetHook(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	h.finds(5, 10*time.Minute)
	if err := h.store.HearSync(t.Context(), "tasks", h.began); err != nil {
		t.Error(err)
	}
}
