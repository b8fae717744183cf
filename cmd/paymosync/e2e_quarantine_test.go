package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// detain puts a payload into a table's quarantine, as a version did that could not read it.
func (w *world) detain(table, payload string) (hash string) {
	w.t.Helper()
	sum := sha256.Sum256([]byte(payload))
	hash = hex.EncodeToString(sum[:])
	value[int](w, `
		WITH detained AS (
			INSERT INTO paymosync.quarantine (account, table_name, hash, payload, problem)
			VALUES ('default', $1, $2, $3, 'an older version could not read it')
			RETURNING 1
		)
		SELECT count(*) FROM detained`, table, hash, payload)
	return hash
}

// What is in quarantine is listed and shown. What can become a row by now does, unless the
// table has a newer one; what still cannot stays, with its problem.
func TestProgramQuarantine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 100})
	w.run("sync").mustExit(exitOK)
	w.run("quarantine", "list").mustExit(exitOK).mustSay("Nothing is in quarantine.")
	w.run("quarantine", "replay", "--all").mustExit(exitOK).mustSay("0 records left the quarantine, 0 stay in it.")

	addFault(w, "no-id:projects")
	w.run("sync", "--full", "projects").mustExit(exitUnwell)
	w.paymo.ClearFaults()
	var listed []quarantined
	if err := json.Unmarshal([]byte(w.run("quarantine", "list", "--json").mustExit(exitOK).out), &listed); err != nil {
		t.Fatal(err)
	}
	if len(listed) == 0 || listed[0].Table != "projects" || listed[0].Payload != nil {
		t.Fatalf("%+v", listed)
	}
	hash := listed[0].Hash
	w.run("quarantine", "list").mustExit(exitOK).mustSay("projects", hash[:shortHash], listed[0].Problem)
	w.run("quarantine", "show", hash[:16]).mustExit(exitOK).mustSay("projects", hash, listed[0].Problem, "\n  \"name\": ")
	var shown quarantined
	if err := json.Unmarshal([]byte(w.run("quarantine", "show", "--json", hash).mustExit(exitOK).out), &shown); err != nil || !strings.Contains(string(shown.Payload), `"name"`) {
		t.Errorf("%v: %+v", err, shown)
	}
	w.run("quarantine", "replay", hash).mustExit(exitUnwell).mustSay("projects "+hash[:shortHash]+" stays: the id is missing: mend it in Paymo, then run paymosync sync --full projects\n", "0 records left the quarantine, 1 stays in it.")
	w.run("quarantine", "list", "projects").mustExit(exitOK).mustSay(hash[:shortHash])
	w.run("quarantine", "list", "tasks").mustExit(exitOK).mustSay("Nothing of tasks is in quarantine.")
	w.run("sync", "--full", "projects").mustExit(exitOK)
	w.run("quarantine", "list").mustExit(exitOK).mustSay("Nothing is in quarantine.")

	// One whose row is missing; one whose row the table has in a newer version.
	objects := map[int64]string{}
	for object := range w.paymo.Rows("clients") {
		var row struct{ ID int64 }
		if err := json.Unmarshal(object, &row); err != nil {
			t.Fatal(err)
		}
		objects[row.ID] = string(object)
	}
	ids := value[[]int64](w, `SELECT array_agg(id ORDER BY id) FROM paymo.clients`)
	lost := w.detain("clients", objects[ids[0]])
	value[int64](w, `DELETE FROM paymo.clients WHERE id = $1 RETURNING id`, ids[0])
	w.detain("clients", objects[ids[1]])
	if err := w.paymo.Patch("clients", ids[1], map[string]any{"city": "a newer one"}); err != nil {
		t.Fatal(err)
	}
	w.run("sync", "clients").mustExit(exitUnwell).mustSay("2 records are in quarantine")
	w.run("quarantine", "replay", "users").mustExit(exitOK).mustSay("0 records left")
	const state = `SELECT state || ': ' || reason FROM paymo._sync_status WHERE "table" = 'clients'`
	w.run("quarantine", "replay", lost[:20]).mustExit(exitOK).mustSay("clients "+lost[:shortHash]+" is released", "1 record left")
	if got := value[string](w, state); got != "degraded: 1 record is in quarantine" {
		t.Errorf("with one record left the table is %s", got)
	}
	w.detain("clients", "no JSON")
	w.run("quarantine", "replay", "clients").mustExit(exitUnwell).mustSay("stays: an older version could not read it\n", "1 record left the quarantine, 1 stays in it.")
	value[string](w, `DELETE FROM paymosync.quarantine WHERE payload = 'no JSON' RETURNING hash`)
	w.detain("clients", objects[ids[0]])
	w.run("quarantine", "replay", "clients").mustExit(exitOK).mustSay("1 record left the quarantine, 0 stay in it.")
	if got := value[string](w, state); got != "ok: " {
		t.Errorf("with no record left the table is %s", got)
	}
	w.run("sync", "clients").mustExit(exitOK)
	w.mustEqual()
}

// A record that PostgreSQL refuses stays in quarantine as old as it is, under one hash.
func TestProgramReplayRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 100})
	w.run("sync", "clients").mustExit(exitOK)
	const impossible = `{"id": 7, "name": "impossible"}`
	w.detain("clients", impossible)
	value[int](w, `WITH aged AS (UPDATE paymosync.quarantine SET first_seen = now() - interval '2 days', last_seen = now() - interval '1 day' RETURNING 1) SELECT count(*) FROM aged`)
	if _, err := w.pool.Exec(t.Context(), `ALTER TABLE paymo.clients ADD CHECK (name <> 'impossible')`); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.run("quarantine", "replay", "--all").mustExit(exitUnwell).mustSay("clients ", "stays: postgresql refused the row")
		if got := value[string](w, `SELECT string_agg(table_name || ' ' || (last_seen < now() - interval '23 hours') || ' ' || (first_seen < now() - interval '47 hours'), ',') FROM paymosync.quarantine`); got != "clients true true" {
			t.Errorf("in quarantine: %s", got)
		}
	}
	if runs := w.ledger(`r.mode = 'repair' AND r.state = 'degraded'`); len(runs) != 2 {
		t.Errorf("the ledger has %v", w.ledger(`true`))
	}
}

// What is not one record, one table or all of them is a wrong call.
func TestProgramQuarantineUsage(t *testing.T) {
	t.Parallel()
	w := &world{t: t, variables: map[string]string{"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}}
	for _, args := range [][]string{{"replay"}, {"replay", "--all", "tasks"}, {"replay", "taks"}, {"show"}, {"show", "tasks"}, {"list", "taks"}, {"list", "3f2a"}, {"list", "tasks", "users"}, {"nothing"}} {
		w.run(append([]string{"quarantine"}, args...)...).mustExit(exitConfig)
	}
	w.run("quarantine", "replay", "--all", "tasks").mustExit(exitConfig).mustSay("give --all or tasks, not both")
	known := newWorld(t, paymotest.Config{Seed: 7, Entries: 1})
	known.run("quarantine", "show", "abc").mustExit(exitUnwell).mustSay(`no record in quarantine has a hash that begins with "abc"`)
}
