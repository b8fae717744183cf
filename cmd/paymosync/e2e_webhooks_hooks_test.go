package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// hooksOf are the events of the hooks at the Paymo that call the URL, by id.
func (w *told) hooksOf(url string) map[int64]string {
	w.t.Helper()
	events := map[int64]string{}
	for raw := range w.paymo.Rows("webhooks") {
		var hook struct {
			ID     int64  `json:"id"`
			Target string `json:"target_url"`
			Event  string `json:"event"`
		}
		if err := json.Unmarshal(raw, &hook); err != nil {
			w.t.Fatal(err)
		}
		if hook.Target == url {
			events[hook.ID] = hook.Event
		}
	}
	return events
}

// target is what the service has Paymo call.
func (w *told) target() string { return w.variables["PUBLIC_URL"] + webhookPath }

// mustHaveHooks fails the test where the Paymo does not have the service's hooks, each
// once.
func (w *told) mustHaveHooks() {
	w.t.Helper()
	events := slices.Sorted(maps.Values(w.hooksOf(w.target())))
	if len(events) != 15 || len(slices.Compact(slices.Clone(events))) != 15 {
		w.t.Errorf("paymo has %d hooks: %v", len(events), events)
	}
}

// another makes a hook of somebody else's over the API, with the same key.
func (w *told) another(url string) {
	w.t.Helper()
	body := strings.NewReader(fmt.Sprintf(`{"target_url":%q,"event":"*.Task","secret":"of another"}`, url))
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/api/hooks", body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.SetBasicAuth(w.variables["PAYMO_API_KEY"], "x")
	req.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		w.t.Fatal(res.Status)
	}
}

// did counts what a webhooks command did with hooks, by kind.
func (r result) did() map[string]int {
	r.t.Helper()
	var actions []jobs.HookAction
	if err := json.Unmarshal([]byte(r.out), &actions); err != nil {
		r.t.Fatalf("%s: %v\n%s", r.name, err, r.out)
	}
	did := map[string]int{}
	for _, action := range actions {
		if action.ID == 0 {
			r.t.Errorf("%s: %+v", r.name, action)
		}
		did[action.Did]++
	}
	return did
}

// mustDo fails the test where a webhooks command did something else.
func (r result) mustDo(want map[string]int) {
	r.t.Helper()
	if did := r.mustExit(exitOK).did(); !maps.Equal(did, want) {
		r.t.Errorf("%s did %v, want %v:\n%s", r.name, did, want, r.err)
	}
}

// Hooks are made, shown, mended, moved and removed by hand; those of others stay as they
// are, and the secret is nowhere to be seen.
func TestProgramWebhooksCommand(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 6, Entries: 50, Projects: 3, Tasks: 20})
	secret := w.variables["PAYMO_WEBHOOK_SECRET"]
	search := searcher(secret)
	run := func(args ...string) result {
		t.Helper()
		r := w.run(args...)
		if found := search(r.out + r.err); found != "" {
			t.Errorf("%s shows the secret: %s", r.name, found)
		}
		return r
	}
	seeded := w.paymo.Count("webhooks")
	w.another("https://elsewhere.example/hook")
	others := seeded + 1

	run("webhooks", "list").mustExit(exitOK).mustSay("another's", "elsewhere.example")
	run("webhooks", "install", "--json").mustDo(map[string]int{jobs.HookMade: 15})
	w.mustHaveHooks()
	run("webhooks", "install", "--json").mustDo(map[string]int{jobs.HookKept: 15})
	run("webhooks", "install").mustExit(exitOK).mustSay(jobs.HookKept, "*.Task", "time_entries")
	listed := run("webhooks", "list", "--json").mustExit(exitOK)
	var shown []listedHook
	if err := json.Unmarshal([]byte(listed.out), &shown); err != nil {
		t.Fatal(err)
	}
	own := slices.DeleteFunc(slices.Clone(shown), func(hook listedHook) bool { return !hook.Own })
	if len(own) != 15 || slices.ContainsFunc(own, func(hook listedHook) bool {
		return !hook.Installed || hook.TargetURL != w.target() || hook.Table == "" || hook.SilentSince != nil
	}) || !slices.ContainsFunc(shown, func(hook listedHook) bool {
		return !hook.Own && hook.TargetURL == "https://elsewhere.example/hook"
	}) {
		t.Errorf("shown are %+v", shown)
	}

	// What Paymo dropped is missed, and made again.
	for _, id := range slices.Sorted(maps.Keys(w.hooksOf(w.target())))[:3] {
		if _, err := w.paymo.Delete("webhooks", id); err != nil {
			t.Fatal(err)
		}
	}
	run("webhooks", "list").mustExit(exitOK).mustSay("lost")
	run("webhooks", "install", "--json").mustDo(map[string]int{jobs.HookLost: 3, jobs.HookMade: 3, jobs.HookKept: 12})
	w.mustHaveHooks()

	// What nobody remembers is found by its URL.
	if _, err := w.pool.Exec(t.Context(), `DELETE FROM paymosync.hooks WHERE table_name IN ('tasks', 'clients')`); err != nil {
		t.Fatal(err)
	}
	run("webhooks", "install", "--json").mustDo(map[string]int{jobs.HookAdopted: 2, jobs.HookKept: 13})
	w.mustHaveHooks()

	// With another URL and another secret all are changed, and none is left behind.
	before := w.target()
	w.world = w.with("PUBLIC_URL", "https://paymosync.example/below/")
	w.variables["PUBLIC_URL"] = strings.TrimRight(w.variables["PUBLIC_URL"], "/")
	run("webhooks", "install", "--json").mustDo(map[string]int{jobs.HookChanged: 15})
	w.mustHaveHooks()
	if left := w.hooksOf(before); len(left) > 0 {
		t.Errorf("hooks of the old URL are left: %v", left)
	}
	w.world = w.with("PAYMO_WEBHOOK_SECRET", "another-secret-for-a-change")
	run("webhooks", "install", "--json").mustDo(map[string]int{jobs.HookChanged: 15})
	// And with fewer tables there are fewer.
	w.world = w.with("SYNC_TABLES", "clients,tasks,company")
	run("webhooks", "install", "--json").mustDo(map[string]int{jobs.HookKept: 2, jobs.HookDeleted: 13})
	w.world = w.with("SYNC_TABLES", "")
	run("webhooks", "install", "--json").mustDo(map[string]int{jobs.HookKept: 2, jobs.HookMade: 13})

	for text := range w.everyRow() {
		if found := search(text); found != "" {
			t.Errorf("the database shows the secret: %s", found)
		}
	}

	// They are removed without what is needed to make them.
	w.world = w.with("PUBLIC_URL", "", "PAYMO_WEBHOOK_SECRET", "")
	run("webhooks", "remove", "--json").mustDo(map[string]int{jobs.HookDeleted: 15})
	run("webhooks", "remove").mustExit(exitOK).mustSay("nothing to do")
	if n := w.paymo.Count("webhooks"); n != others {
		t.Errorf("of %d hooks of others there are %d", others, n)
	}
	if n := value[int](w.world, `SELECT count(*) FROM paymosync.hooks`); n > 0 {
		t.Errorf("%d hooks are remembered", n)
	}
}

// A misuse is told from trouble, and names what is missing.
func TestProgramWebhooksMisuse(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 6, Entries: 1, Projects: 1, Tasks: 1})
	secret := w.variables["PAYMO_WEBHOOK_SECRET"]
	none := w.with("PUBLIC_URL", "", "PAYMO_WEBHOOK_SECRET", "")
	none.run("webhooks", "install").mustExit(exitConfig).mustSay("PUBLIC_URL", "PAYMO_WEBHOOK_SECRET")
	w.with("PUBLIC_URL", "").run("webhooks", "install").mustExit(exitConfig).mustSay("PUBLIC_URL")
	for _, command := range []string{"install", "list", "remove"} {
		w.with("PAYMO_WEBHOOK_SECRET", "").run("webhooks", command).mustExit(exitConfig).mustSay("PAYMO_WEBHOOK_SECRET")
		w.run("webhooks", command, "too many").mustExit(exitConfig)
		w.run("webhooks", command, "--yes").mustExit(exitConfig)
		w.with("DATABASE_URL", "").run("webhooks", command).mustExit(exitConfig).mustSay("DATABASE_URL")
	}
	for name, url := range map[string]string{
		"no scheme": "paymosync.example", "no host": "https://", "a query": "https://paymosync.example/?x=" + secret,
		"a user": "https://me:" + secret + "@paymosync.example", "unencrypted": "http://paymosync.example", "another scheme": "ftp://paymosync.example",
	} {
		r := w.with("PUBLIC_URL", url).run("webhooks", "install").mustExit(exitConfig).mustSay("PUBLIC_URL")
		if found := searcher(secret)(r.out + r.err); found != "" {
			t.Errorf("%s: it shows the secret: %s", name, found)
		}
	}
	w.run("webhooks", "remove-all").mustExit(exitConfig)
	w.run("webhooks").mustExit(exitOK).mustSay("install")

	w.paymo.RevokeKey(paymotest.DefaultKey)
	for _, command := range []string{"install", "list", "remove"} {
		w.run("webhooks", command).mustExit(exitUnwell).mustSay("401")
	}
	if n := value[int](w.world, `SELECT count(*) FROM paymosync.hooks`); n > 0 {
		t.Errorf("%d hooks are remembered", n)
	}
}

// Hooks that were deleted at Paymo come back within a minute of the time at which what is
// known of them is old, or when a service starts then. Others' hooks are not touched.
func TestProgramWebhooksComeBack(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 6, Entries: 50, Projects: 3, Tasks: 20})
	w.run("sync").mustExit(exitOK)
	w.another("https://elsewhere.example/hook")
	service := w.serve("SYNC_SCHEDULE", "@every 1h")
	w.mustHaveHooks()
	lose := func(n int) {
		t.Helper()
		for _, id := range slices.Sorted(maps.Keys(w.hooksOf(w.target())))[:n] {
			if _, err := w.paymo.Delete("webhooks", id); err != nil {
				t.Fatal(err)
			}
		}
		// As if Paymo had not been asked for a while.
		if _, err := w.pool.Exec(t.Context(), `UPDATE paymosync.hooks SET seen_at = seen_at - interval '11 minutes'`); err != nil {
			t.Fatal(err)
		}
	}
	back := func(limit time.Duration) time.Duration {
		t.Helper()
		took := within(t, limit, "the hooks are back", func() error {
			if n := len(w.hooksOf(w.target())); n != 15 {
				return fmt.Errorf("there are %d", n)
			}
			return nil
		})
		w.mustHaveHooks()
		return took
	}
	lose(15)
	t.Logf("they are back after %v", back(90*time.Second))
	service.mustStop()
	lose(4)
	service = w.with("SYNC_SCHEDULE", "@every 1h").start("serve")
	t.Logf("when a service starts, after %v", back(30*time.Second))
	if n := len(w.hooksOf("https://elsewhere.example/hook")); n != 1 {
		t.Errorf("another's hook is there %d times", n)
	}
	// They are signed with the secret: what they tell arrives.
	w.hear("the new hooks tell")
	service.mustStop()
	w.bury()
	w.mustEqual()
}
