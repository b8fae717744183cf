package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/sink"
)

// A paused table is not read until it is resumed, says so wherever it is looked at, and
// is no failure; it can be verified meanwhile, and then catches up.
func TestProgramPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("sync", "invoices", "invoice_items", "tasks").mustExit(exitOK)
	w.run("pause", "tasks", "invoices").mustExit(exitOK).mustSay(
		"invoices is paused now: nothing is read of it until paymosync resume invoices.\n",
		"    invoice_items come with invoices, and stand still too until then.",
		"tasks is paused now: ")
	w.run("pause", "tasks").mustExit(exitOK).mustSay("tasks was paused already, since 20")

	id := value[int64](w, `SELECT min(id) FROM paymo.tasks`)
	if err := w.paymo.Patch("tasks", id, map[string]any{"name": "while it was paused"}); err != nil {
		t.Fatal(err)
	}
	asked := len(w.paymo.Requests())
	for _, args := range [][]string{{"sync", "tasks"}, {"sync", "--full", "tasks"}, {"backfill", "tasks", "--from", "2024-01-01"}} {
		r := w.run(args...).mustExit(exitOK).mustSay("tasks paused: paused by an operator since 20", "; before that it was ok\n",
			"  → run paymosync resume tasks to let its syncs go on\n", "Nothing was read: 1 table paused.\n")
		if strings.Contains(r.out, "Nothing new") {
			t.Errorf("%s", r.out)
		}
	}
	if now := len(w.paymo.Requests()); now != asked {
		t.Errorf("%d requests for a table that is paused", now-asked)
	}
	w.run("sync", "tasks", "users").mustExit(exitOK).mustSay("tasks paused: ")
	var outcomes []synced
	if err := json.Unmarshal([]byte(w.run("sync", "--json", "tasks").mustExit(exitOK).out), &outcomes); err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != 1 || outcomes[0].State != sink.StatePaused || outcomes[0].Advice != "run paymosync resume tasks to let its syncs go on" {
		t.Errorf("%+v", outcomes)
	}
	w.run("status", "tasks").mustExit(exitOK).mustSay("tables   1 paused\n", "tasks  paused", "→ run paymosync resume tasks")
	w.run("verify", "tasks").mustExit(exitUnwell).mustSay(`name is `, "while it was paused")
	w.run("verify", "--repair", "tasks").mustExit(exitOK).mustSay("repaired")
	w.run("status", "tasks").mustExit(exitOK).mustSay("tasks  paused")

	w.run("resume", "tasks").mustExit(exitOK).mustSay("tasks goes on: the service syncs it next in ", "; paymosync sync tasks does it now.\n")
	w.run("resume", "tasks").mustExit(exitOK).mustSay("tasks was not paused: the service syncs it next in ")
	w.with("SYNC_TABLES", "users").run("resume", "tasks").mustExit(exitOK).mustSay("the service leaves it out, by SYNC_TABLES")
	w.run("resume", "invoices").mustExit(exitOK)
	w.run("sync").mustExit(exitOK)
	w.mustEqual()
}

// The service leaves a paused table alone, syncs the others, and goes on with it when it
// is resumed, without a restart.
func TestProgramPauseService(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_TABLES", "tasks clients", "SYNC_SCHEDULE", "@every 2s")
	w.run("sync").mustExit(exitOK)
	w.run("pause", "tasks").mustExit(exitOK)
	runs := value[int](w, `SELECT count(*) FROM paymosync.runs WHERE table_name = 'tasks'`)
	rename := func(table, name string) func() error {
		t.Helper()
		id := value[int64](w, `SELECT min(id) FROM paymo.`+table)
		if err := w.paymo.Patch(table, id, map[string]any{"name": name}); err != nil {
			t.Fatal(err)
		}
		return func() error {
			if got := value[string](w, `SELECT name FROM paymo.`+table+` WHERE id = $1`, id); got != name {
				return fmt.Errorf("it is named %q", got)
			}
			return nil
		}
	}
	service := w.start("serve")
	w.awaitReady(time.Minute)
	paused := rename("tasks", "while it was paused")
	for _, name := range []string{"once", "twice", "three times"} {
		within(t, time.Minute, "the other table follows", rename("clients", name))
	}
	if n := value[int](w, `SELECT count(*) FROM paymosync.runs WHERE table_name = 'tasks'`); n != runs || paused() == nil {
		t.Errorf("%d runs of a table that is paused; %v", n-runs, paused())
	}
	w.run("status").mustExit(exitOK).mustSay("tables   1 paused, 1 ok\n")
	w.run("resume", "tasks").mustExit(exitOK)
	within(t, time.Minute, "the table goes on", paused)
	service.mustStop()
}

// A name that is no table's changes nothing, and is wrong usage.
func TestProgramPauseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	for _, command := range []string{"pause", "resume"} {
		w.run(command, "tasks", "invoces").mustExit(exitConfig).mustSay(`there is no table "invoces": did you mean invoices?`)
		w.run(command).mustExit(exitConfig)
	}
	if n := value[int](w, `SELECT count(*) FROM paymosync.checkpoints WHERE paused_at IS NOT NULL`); n > 0 {
		t.Errorf("%d tables are paused", n)
	}
}
