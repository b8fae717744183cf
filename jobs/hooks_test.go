package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
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
			if hook.ID != own[table].ID || !hook.MadeAt.Equal(own[table].MadeAt) || !hook.SeenAt.After(own[table].SeenAt) {
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
		if hook.ID != before[table].ID || !hook.MadeAt.After(before[table].MadeAt) {
			t.Errorf("%+v, before %+v", hook, before[table])
		}
	}
	k.keep(threeKept)
	// Somebody changed one at Paymo.
	k.patch("webhooks", before["tasks"].ID, map[string]any{"target_url": "https://nowhere.example"})
	k.keep("changed tasks, kept projects, kept time_entries")
	k.kept(others)
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

// Hooks of others are left alone, those on the same key too: they are changed, and deleted,
// by nobody here.
func TestHooksOfOthers(t *testing.T) {
	t.Parallel()
	k := newKeeping(newWorld(t, small()))
	seeded := k.listed()
	if len(seeded) == 0 {
		t.Fatal("no hooks are seeded")
	}
	for _, url := range []string{"https://zapier.example/1", hookURL + "/", hookURL + "?x", "https://WAREHOUSE.example/webhooks/paymo"} {
		k.other(url, "*.Task")
	}
	others := k.listed()
	look := func(when string) {
		t.Helper()
		for _, other := range others {
			if !slices.Contains(k.listed(), other) {
				t.Errorf("%s: %+v is not as it was", when, other)
			}
		}
	}
	k.keep(threeMade)
	k.kept(len(others))
	look("made")
	k.url = "https://elsewhere.example"
	k.keep("changed projects, changed tasks, changed time_entries")
	look("changed")
	actions, err := k.keeper(k.syncer).Remove(t.Context())
	if got := did(actions); err != nil || got != "deleted projects, deleted tasks, deleted time_entries" {
		t.Errorf("did %q, %v", got, err)
	}
	look("removed")
	if len(k.own()) != 0 || len(k.listed()) != len(others) {
		t.Errorf("own %+v, at paymo %+v", k.own(), k.listed())
	}
	if actions, err := k.keeper(k.syncer).Remove(t.Context()); err != nil || len(actions) > 0 {
		t.Errorf("removed again: %+v, %v", actions, err)
	}
}

// One that was made and that nobody could remember is adopted, with the secret of now. What
// is there twice, or that nobody asks for, is deleted.
func TestHooksThatNobodyRemembers(t *testing.T) {
	t.Parallel()
	k := newKeeping(newWorld(t, small()))
	others := len(k.listed())
	first := k.other(hookURL, "*.Task")
	k.other(hookURL, "*.Task")
	k.other(hookURL, "*.Client")
	k.other(hookURL, "*")
	k.keep("adopted tasks, deleted, deleted, deleted, made projects, made time_entries")
	if own := k.kept(others); own["tasks"].ID != first {
		t.Errorf("own %+v, want %d", own, first)
	}
	// One that comes when there is an own one is deleted, too.
	k.other(hookURL, "*.Task")
	k.keep("deleted, " + threeKept)
	k.kept(others)
}

// Paymo made a hook, and the answer was lost: no second one is made.
func TestHookOfALostAnswer(t *testing.T) {
	t.Parallel()
	lose := true
	k := newKeeping(wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && lose {
			lose = false
			fake.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		fake.ServeHTTP(rw, r)
	}))
	others := len(k.listed())
	if actions, err := k.keeper(k.syncer).Keep(t.Context()); err == nil || len(actions) > 0 {
		t.Errorf("did %q, %v", did(actions), err)
	}
	if n := len(k.listed()); n != others+1 {
		t.Fatalf("%d hooks, want %d", n, others+1)
	}
	k.keep("adopted projects, made tasks, made time_entries")
	k.kept(others)
}

// Of two that look after the hooks at once one does, and the other is told so.
func TestTwoKeepHooks(t *testing.T) {
	t.Parallel()
	inside, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	k := newKeeping(wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			once.Do(func() {
				close(inside)
				<-release
			})
		}
		fake.ServeHTTP(rw, r)
	}))
	others := len(k.listed())
	ended := make(chan error, 1)
	first := k.keeper(k.syncer)
	go func() {
		actions, err := first.Keep(context.WithoutCancel(t.Context()))
		if got := did(actions); got != threeMade {
			err = errors.Join(err, fmt.Errorf("did %q", got))
		}
		ended <- err
	}()
	<-inside
	second := k.keeper(k.newSyncer("worker-2"))
	for name, do := range map[string]func(context.Context) ([]jobs.HookAction, error){"keep": second.Keep, "remove": second.Remove} {
		actions, err := do(t.Context())
		if held, ok := errors.AsType[*sink.HeldError](err); !ok || held.Owner != "worker-1" || len(actions) > 0 {
			t.Errorf("%s: %+v, %v", name, actions, err)
		}
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if actions, err := second.Keep(t.Context()); err != nil || did(actions) != threeKept {
		t.Errorf("the other one, later: %+v, %v", actions, err)
	}
	k.kept(others)
}

// A key of another company, or one that may see less, makes no hooks and deletes none.
func TestHooksOfAnotherCompany(t *testing.T) {
	t.Parallel()
	k := newKeeping(newWorld(t, small()))
	k.keep(threeMade)
	k.fake.AddCompanyKey("theirs", "Admin", 2)
	k.fake.AddKey("lesser", "Employee")
	k.url = "https://elsewhere.example"
	for _, key := range []string{"theirs", "lesser"} {
		syncer := k.newSyncer("worker-2", withKey(key))
		before, _, err := syncer.Client.Hooks(t.Context())
		if err != nil && key == "theirs" {
			t.Fatal(err)
		}
		for name, do := range map[string]func(context.Context) ([]jobs.HookAction, error){"keep": k.keeper(syncer).Keep, "remove": k.keeper(syncer).Remove} {
			actions, err := do(t.Context())
			if !jobs.Refused(err) || len(actions) > 0 {
				t.Errorf("%s %s: %+v, %v", key, name, actions, err)
			}
		}
		if after, _, _ := syncer.Client.Hooks(t.Context()); !slices.Equal(after, before) {
			t.Errorf("%s: %+v, before %+v", key, after, before)
		}
	}
	for table, hook := range k.own() {
		if hook.TargetURL != hookURL {
			t.Errorf("%s: %+v", table, hook)
		}
	}
}

// Without the secret nothing is done.
func TestHooksWithoutASecret(t *testing.T) {
	t.Parallel()
	k := newKeeping(newWorld(t, small()))
	others := k.listed()
	keeper := k.keeper(k.syncer)
	away := errors.New("vault is away")
	keeper.Secret = func(context.Context) (string, error) { return "", away }
	if actions, err := keeper.Keep(t.Context()); !errors.Is(err, away) || len(actions) > 0 {
		t.Errorf("%+v, %v", actions, err)
	}
	if !slices.Equal(k.listed(), others) {
		t.Errorf("%+v, before %+v", k.listed(), others)
	}
	k.keep(threeMade)
	// They are removed all the same.
	if actions, err := keeper.Remove(t.Context()); err != nil || len(actions) != 3 {
		t.Errorf("%+v, %v", actions, err)
	}
}
