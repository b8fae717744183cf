package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

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
