package jobs_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// minutely is a schedule with a tick at every minute.
type minutely struct{}

func (minutely) Next(t time.Time) time.Time { return t.Truncate(time.Minute).Add(time.Minute) }

// watcher looks at a world's tables for what is wrong, and keeps what it was told.
type watcher struct {
	*world
	jobs.AlertWorker
	told []string
	deaf bool // the webhook does not answer
}

func (w *world) watch(tables ...string) *watcher {
	w.t.Helper()
	watch := &watcher{world: w}
	config := jobs.OverviewConfig{Pool: w.pool, Store: w.store, Full: hourly{}, Runs: 3}
	for _, table := range tables {
		config.Tables = append(config.Tables, jobs.TableSchedule{Resource: resource(w.t, table), Schedule: minutely{}})
	}
	watch.AlertWorker = jobs.AlertWorker{Overview: config, Alerts: jobs.AlertConfig{
		Limits: jobs.Limits{FailedRuns: 2, StaleAfter: time.Hour},
		Steady: time.Nanosecond,
		Tell: func(_ context.Context, text string) error {
			if watch.deaf {
				return errors.New("nobody listens")
			}
			watch.told = append(watch.told, text)
			return nil
		},
	}}
	return watch
}

// liveIDs are the ids of a table's live rows.
func liveIDs(w *world, table string) []int64 {
	w.t.Helper()
	ids, err := w.store.IDs(w.t.Context(), table)
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

// look looks once and returns the message that was sent, "" for none.
func (w *watcher) look() string {
	w.t.Helper()
	before := len(w.told)
	if err := w.Look(w.t.Context()); err != nil && !w.deaf {
		w.t.Fatal(err)
	}
	if len(w.told) == before {
		return ""
	}
	return w.told[len(w.told)-1]
}

// mustTell looks twice: the first look tells, with the words, and the second is silent.
func (w *watcher) mustTell(words ...string) {
	w.t.Helper()
	text := w.look()
	for _, word := range words {
		if !strings.Contains(text, word) {
			w.t.Errorf("the message lacks %q:\n%s", word, text)
		}
	}
	if again := w.look(); again != "" {
		w.t.Errorf("it is told again:\n%s", again)
	}
}

// mustBeOver looks until the end is told, which is once.
func (w *watcher) mustBeOver(words ...string) {
	w.t.Helper()
	text := w.look()
	if text == "" {
		text = w.look() // the first one noted that it is over
	}
	for _, word := range append(words, ":large_green_circle: over after") {
		if !strings.Contains(text, word) {
			w.t.Errorf("the message lacks %q:\n%s", word, text)
		}
	}
	if strings.Contains(text, ":red_circle:") {
		w.t.Errorf("something else is wrong:\n%s", text)
	}
	if again := w.look(); again != "" {
		w.t.Errorf("it is told again:\n%s", again)
	}
}

// Every alert is raised by what it is about, told once, and told to be over once.
func TestAlerts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wrong func(w *world)
		mend  func(w *world)
		words []string
	}{
		"failing": {
			wrong: func(w *world) {
				w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 400, Table: "clients"})
				_, _ = w.sync("clients", jobs.Full)
				_, _ = w.sync("clients", jobs.Full)
			},
			mend: func(w *world) {
				w.fake.ClearFaults()
				w.mustSync("clients", jobs.Full)
			},
			words: []string{":red_circle: clients fails: ", "400", "→ run paymosync sync clients"},
		},
		"stale": {
			wrong: func(w *world) {
				exec(w, `UPDATE paymosync.checkpoints SET fresh_as_of = now() - interval '2 hours' WHERE table_name = 'clients'`)
			},
			mend:  func(w *world) { w.mustSync("clients", jobs.Incremental) },
			words: []string{"clients is stale"},
		},
		"guard": {
			wrong: func(w *world) {
				for _, id := range liveIDs(w, "clients") {
					if _, err := w.fake.Delete("clients", id); err != nil {
						w.t.Fatal(err)
					}
				}
				w.put("clients", map[string]any{"name": "the last one"})
				if outcome, err := w.sync("clients", jobs.Full); err != nil || outcome.Cause != jobs.CauseGuard {
					w.t.Fatal(unexpected(outcome, err))
				}
			},
			mend: func(w *world) {
				outcome, err := w.syncer.Sync(w.t.Context(), jobs.Request{Resource: resource(w.t, "clients"), Mode: jobs.Full, Reason: jobs.ReasonManual, AcceptDeletes: true})
				if err != nil || outcome.State != sink.StateOK {
					w.t.Fatal(unexpected(outcome, err))
				}
			},
			words: []string{"clients: guard stopped", "--accept-deletes clients"},
		},
		"drift": {
			wrong: func(w *world) {
				w.patch("clients", liveIDs(w, "clients")[0], map[string]any{"mood": "fine"})
				w.mustSync("clients", jobs.Incremental)
			},
			mend: func(w *world) {
				exec(w, `UPDATE paymosync.drift SET last_seen = now() - interval '3 days'`)
			},
			words: []string{"the field mood of clients", "paymosync drift"},
		},
		"key refused": {
			wrong: func(w *world) {
				w.syncer = w.newSyncer("worker-2", withKey("no-such-key"))
				_, _ = w.sync("clients", jobs.Full)
				_, _ = w.sync("users", jobs.Full)
			},
			mend: func(w *world) {
				w.syncer = w.newSyncer("worker-3")
				w.mustSync("clients", jobs.Full)
				w.mustSync("users", jobs.Full)
			},
			words: []string{"2 tables fail: ", "401", "put a valid API key into Vault"},
		},
		"no Admin": {
			wrong: func(w *world) {
				w.fake.SetRole(paymotest.DefaultKey, "Employee")
				w.syncer = w.newSyncer("worker-2")
				_, _ = w.sync("clients", jobs.Full)
				_, _ = w.sync("users", jobs.Full)
			},
			mend: func(w *world) {
				w.fake.SetRole(paymotest.DefaultKey, "Admin")
				w.syncer = w.newSyncer("worker-3")
				w.mustSync("clients", jobs.Full)
				w.mustSync("users", jobs.Full)
			},
			words: []string{"the key's role is Employee now and was Admin", "ACCEPT_ROLE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, paymotest.Config{Seed: 7, Entries: 10, Clients: 120})
			watch := w.watch("clients", "users")
			w.mustSync("clients", jobs.Full)
			w.mustSync("users", jobs.Full)
			exec(w, `DELETE FROM paymosync.drift`) // the fake has some from the start
			if text := watch.look(); text != "" {
				t.Fatalf("nothing is wrong, and it tells\n%s", text)
			}
			tt.wrong(w)
			watch.mustTell(tt.words...)
			tt.mend(w)
			watch.mustBeOver()
			if alerts, err := w.store.Alerts(t.Context()); err != nil || len(alerts) > 0 {
				t.Errorf("%v, %v are left", err, alerts)
			}
		})
	}
}

// What cannot be told is told later; what comes back before its end was told goes on; what
// ended before it was told leaves no trace; and a table that is paused is nobody's trouble.
func TestAlertsWithoutStorm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	watch := w.watch("clients", "users")
	w.mustSync("clients", jobs.Full)
	w.mustSync("users", jobs.Full)
	exec(w, `DELETE FROM paymosync.drift`)
	stale := func(table, since string) {
		exec(w, `UPDATE paymosync.checkpoints SET fresh_as_of = now() - $2::text::interval WHERE table_name = $1`, table, since)
	}

	stale("clients", "2 hours")
	watch.deaf = true
	watch.look()
	watch.deaf = false
	watch.mustTell("clients is stale")

	watch.Alerts.Steady = time.Hour
	for range 3 { // it flutters
		stale("clients", "0")
		if text := watch.look(); text != "" {
			t.Errorf("its end is told at once:\n%s", text)
		}
		stale("clients", "2 hours")
		if text := watch.look(); text != "" {
			t.Errorf("it is told again:\n%s", text)
		}
	}
	watch.Alerts.Steady = time.Nanosecond
	stale("clients", "0")
	watch.mustBeOver("clients is stale")

	watch.deaf = true
	stale("users", "2 hours")
	watch.look()
	stale("users", "0")
	watch.look()
	watch.deaf = false
	if text := watch.look(); text != "" {
		t.Errorf("nobody knew of it, and its end is told:\n%s", text)
	}

	stale("users", "2 hours")
	if _, err := w.store.Pause(t.Context(), "users"); err != nil {
		t.Fatal(err)
	}
	if text := watch.look(); text != "" {
		t.Errorf("it is paused, and told\n%s", text)
	}
}

// The service looks by itself.
func TestServiceAlerts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small(), func(c *paymo.Config, _ *jobs.SyncerConfig) {
		c.Key = func(context.Context) (string, error) { return "no-such-key", nil }
	})
	told := make(chan string, 100)
	service, err := jobs.NewService(jobs.ServiceConfig{
		Pool: w.pool, Syncer: w.syncer, Full: hourly{},
		Tables: []jobs.TableSchedule{{Resource: resource(t, "clients"), Schedule: hourly{}}},
		Alerts: jobs.AlertConfig{
			Limits: jobs.Limits{FailedRuns: 3}, Every: time.Second,
			Tell: func(_ context.Context, text string) error { told <- text; return nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer func() {
		cancel()
		<-service.Stopped()
	}()
	if err := service.Start(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case text := <-told:
		if !strings.Contains(text, "401 "+http.StatusText(http.StatusUnauthorized)) {
			t.Errorf("it tells\n%s", text)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("nothing is told")
	}
}
