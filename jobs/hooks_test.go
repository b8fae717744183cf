package jobs_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

const hookURL = "https://warehouse.example/webhooks/paymo"

// keeping is a company whose hooks are kept for a service.
type keeping struct {
	*world
	url    string
	secret string
	tables []string
}

// newKeeping keeps hooks of three tables, and of one of which Paymo tells nothing.
func newKeeping(w *world) *keeping {
	w.t.Helper()
	k := &keeping{world: w, url: hookURL, secret: "shh", tables: []string{"projects", "tasks", "time_entries", "workflows"}}
	if r := resource(w.t, "workflows"); r.Model != "" {
		w.t.Fatal("paymo tells of workflows")
	}
	return k
}

// keeper is one of a process.
func (k *keeping) keeper(syncer *jobs.Syncer) *jobs.HookKeeper {
	k.t.Helper()
	secret := k.secret
	keeper := &jobs.HookKeeper{Syncer: syncer, HookConfig: jobs.HookConfig{
		URL: k.url, Secret: func(context.Context) (string, error) { return secret, nil },
	}}
	for _, table := range k.tables {
		keeper.Tables = append(keeper.Tables, resource(k.t, table))
	}
	return keeper
}

// did is what was done, such as "made tasks", sorted.
func did(actions []jobs.HookAction) string {
	var words []string
	for _, action := range actions {
		words = append(words, strings.TrimSpace(action.Did+" "+action.Table))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// keep keeps the hooks, which must be what was to be done.
func (k *keeping) keep(want string) {
	k.t.Helper()
	actions, err := k.keeper(k.syncer).Keep(k.t.Context())
	if got := did(actions); err != nil || got != want {
		k.t.Errorf("did %q, %v; want %q", got, err, want)
	}
}

// listed are the hooks that Paymo has.
func (k *keeping) listed() []paymo.Hook {
	k.t.Helper()
	hooks, _, err := k.syncer.Client.Hooks(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	return hooks
}

// own are the hooks that are remembered, which Paymo must have, as they are remembered.
func (k *keeping) own() map[string]sink.Hook {
	k.t.Helper()
	hooks, err := k.store.Hooks(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	listed := k.listed()
	own := map[string]sink.Hook{}
	for _, hook := range hooks {
		if _, double := own[hook.Table]; double {
			k.t.Errorf("%s has two hooks", hook.Table)
		}
		own[hook.Table] = hook
		want := paymo.Hook{ID: hook.ID, TargetURL: hook.TargetURL, Event: "*." + resource(k.t, hook.Table).Model}
		if at := slices.IndexFunc(listed, func(l paymo.Hook) bool { return l.ID == hook.ID }); at < 0 || listed[at] != want {
			k.t.Errorf("paymo has not %+v: %+v", want, listed)
		}
	}
	return own
}

// kept makes sure that just the three are there, beside so many of others.
func (k *keeping) kept(others int) map[string]sink.Hook {
	k.t.Helper()
	own := k.own()
	for _, table := range []string{"projects", "tasks", "time_entries"} {
		if hook := own[table]; hook.TargetURL != k.url {
			k.t.Errorf("%s: %+v", table, hook)
		}
	}
	if n := len(k.listed()); len(own) != 3 || n != 3+others {
		k.t.Errorf("%d own of %d hooks, want 3 of %d", len(own), n, 3+others)
	}
	return own
}

// other makes a hook at Paymo that nobody here knows of.
func (k *keeping) other(url, event string) int64 {
	k.t.Helper()
	made, _, err := k.syncer.Client.MakeHook(k.t.Context(), url, event, "another")
	if err != nil {
		k.t.Fatal(err)
	}
	return made.ID
}

const threeMade, threeKept = "made projects, made tasks, made time_entries", "kept projects, kept tasks, kept time_entries"

// Hooks are made once, for the tables that Paymo tells of, and then kept.
func TestHooksAreKept(t *testing.T) {
	t.Parallel()
	k := newKeeping(newWorld(t, small()))
	others := len(k.listed())
	k.keep(threeMade)
	own := k.kept(others)
	for range 2 {
		k.keep(threeKept)
		for table, hook := range k.kept(others) {
			if hook.ID != own[table].ID || !hook.SureSince.Equal(own[table].SureSince) || !hook.SeenAt.After(own[table].SeenAt) {
				t.Errorf("%+v, before %+v", hook, own[table])
			}
		}
	}
	// A table more has a hook more, and one that is synced no more has none.
	k.tables = append(k.tables[1:], "clients")
	k.keep("deleted projects, kept tasks, kept time_entries, made clients")
	if own := k.own(); len(own) != 3 || own["clients"].ID == 0 || len(k.listed()) != others+3 {
		t.Errorf("own %+v", own)
	}
}

// Every table that Paymo tells of has its hook.
func TestHooksOfAllTables(t *testing.T) {
	t.Parallel()
	k := newKeeping(newWorld(t, small()))
	k.tables = nil
	want := 0
	for _, r := range catalog.All() {
		k.tables = append(k.tables, r.Table)
		if r.Model != "" {
			want++
		}
	}
	if _, err := k.keeper(k.syncer).Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(k.own()); n != want || n == 0 {
		t.Errorf("%d hooks, want %d", n, want)
	}
}

// One that Paymo has no more is made again, and one of which Paymo makes another is replaced.
func TestLostHooks(t *testing.T) {
	t.Parallel()
	k := newKeeping(newWorld(t, small()))
	others := len(k.listed())
	k.keep(threeMade)
	before := k.kept(others)
	k.remove("webhooks", before["tasks"].ID)
	k.keep("kept projects, kept time_entries, lost tasks, made tasks")
	after := k.kept(others)
	if after["tasks"].ID == before["tasks"].ID || after["projects"].ID != before["projects"].ID {
		t.Errorf("%+v, before %+v", after, before)
	}
	k.patch("webhooks", after["tasks"].ID, map[string]any{"event": "model.delete.Task"})
	k.keep("deleted tasks, kept projects, kept time_entries, made tasks")
	// Of one that tells of some tasks alone, the rest would be missed.
	k.patch("webhooks", k.kept(others)["tasks"].ID, map[string]any{"where": "project_id=4"})
	k.keep("deleted tasks, kept projects, kept time_entries, made tasks")
	k.kept(others)
	for _, hook := range k.own() {
		k.remove("webhooks", hook.ID)
	}
	k.keep("lost projects, lost tasks, lost time_entries, " + threeMade)
	k.kept(others)
}

// Another URL goes into the hooks that there are.
func TestHooksGetAnotherURL(t *testing.T) {
	t.Parallel()
	k := newKeeping(newWorld(t, small()))
	others := len(k.listed())
	k.keep(threeMade)
	before := k.kept(others)
	k.url = "https://elsewhere.example/webhooks/paymo"
	k.keep("changed projects, changed tasks, changed time_entries")
	for table, hook := range k.kept(others) {
		if hook.ID != before[table].ID || !hook.SureSince.After(before[table].SureSince) {
			t.Errorf("%+v, before %+v", hook, before[table])
		}
	}
	k.keep(threeKept)
	// Somebody else has moved one, such as one with a copy of the database: it is theirs.
	k.patch("webhooks", before["tasks"].ID, map[string]any{"target_url": "https://nowhere.example"})
	k.keep("kept projects, kept time_entries, lost tasks, made tasks")
	k.kept(others + 1)
	k.keep(threeKept)
}

// Another secret goes into the hooks: it is what the next calls are signed with.
func TestHooksGetAnotherSecret(t *testing.T) {
	t.Parallel()
	k := newKeeping(newWorld(t, small()))
	signed := make(chan string, 10)
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, secret := range []string{"shh", "hush"} {
			if r.Header.Get("X-Paymo-Signature") == paymotest.Signature(body, jobs.HookSecret(secret, "Project")) {
				signed <- secret
				return
			}
		}
		signed <- "another"
	}))
	t.Cleanup(target.Close)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		k.fake.Call(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	k.url, k.tables = target.URL, []string{"projects"}
	k.mustSync("projects", jobs.Full)
	project := k.some("projects", "true")
	for i, secret := range []string{"shh", "hush"} {
		k.secret = secret
		k.keep([]string{"made projects", "changed projects"}[i])
		k.patch("projects", project, map[string]any{"name": secret})
		if got := <-signed; got != secret {
			t.Errorf("signed with %s, want %s", got, secret)
		}
		if mark := query[string](k.world, `SELECT secret_mark FROM paymosync.hooks`); mark == "" || contains(mark, secret) {
			t.Errorf("the mark is %q", mark)
		}
	}
}
