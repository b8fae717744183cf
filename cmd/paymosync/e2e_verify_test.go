package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// A verification says of every table that it is equal, finds what is not, and mends it on
// request only.
func TestProgramVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("verify", "users").mustExit(exitUnwell).mustSay("users unproven: not synced yet: sync it first")
	w.run("sync").mustExit(exitOK)
	before := w.written()
	w.run("verify").mustExit(exitOK).mustSay("The warehouse equals Paymo: ", " tables, ", "time_entries", "equal")
	w.mustBeUntouched(before)

	// In the warehouse, and in Paymo.
	id := value[int64](w, `UPDATE paymo.time_entries SET duration = duration + 3600 WHERE id = (SELECT max(id) FROM paymo.time_entries WHERE duration > 0) RETURNING id`)
	gone := value[int64](w, `UPDATE paymo.clients SET _deleted_at = now() WHERE id = (SELECT max(id) FROM paymo.clients) RETURNING id`)
	changed, field, err := w.paymo.MutateField(rand.New(rand.NewPCG(5, 6)), "projects")
	if err != nil {
		t.Fatal(err)
	}
	w.run("verify", "time_entries", "clients", "projects").mustExit(exitUnwell).mustSay(
		fmt.Sprintf("time_entries %d: duration is ", id), " in the warehouse and ", "time_entries: hours, ", "project_id ",
		fmt.Sprintf("clients %d: marked deleted in the warehouse, and there in Paymo", gone),
		fmt.Sprintf("projects %d: %s is ", changed, field),
		"3 rows differ in 3 of 3 tables (", "to mend it, run paymosync verify --repair")
	if found := w.differences(); len(found) != 3 {
		t.Errorf("a verification mended what differs: %q", found)
	}
	var found []jobs.Verified
	if err := json.Unmarshal([]byte(w.run("verify", "--json", "--since", "2020-01-01", "time_entries", "users").mustExit(exitUnwell).out), &found); err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 || found[0].Verdict != jobs.VerdictEqual || found[1].Verdict != jobs.VerdictDifferent || found[1].Different != 1 || len(found[1].Sums) != 1 {
		t.Errorf("%+v", found)
	}
	w.run("verify", "--repair").mustExit(exitOK).mustSay("REPAIRED", ": repaired", "3 rows repaired: the warehouse equals Paymo")
	w.mustEqual()
	w.run("verify", "--since", "yesterday").mustExit(exitConfig).mustSay(`--since "yesterday" is not a day: give it as YYYY-MM-DD`)
	w.run("verify", "--since", "2999-01-01").mustExit(exitConfig).mustSay("still to come")
	w.run("verify", "nothing").mustExit(exitConfig)

	addFault(w, "500:users")
	unread := w.run("verify", "users", "clients").mustExit(exitUnwell).mustSay("users unproven: ", "1 table could not be compared")
	if !regexp.MustCompile(`users +unproven +- +[1-9]\d* +- +- +- `).MatchString(unread.out) {
		t.Errorf("it tells what it does not know, or not what it does:\n%s", unread.out)
	}
}

// A company as large as most is found equal, and a change anywhere in it is found.
func TestSoakVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Users: 60, Clients: 100, Projects: 400, Tasks: 8000, Entries: 100_000, Invoices: 2000})
	w.run("sync").mustExit(exitOK)
	before := w.written()
	w.paymo.ResetLog()
	r := startChild(t, releasePath(t), w.variables, "verify").waitFor(10 * time.Minute).mustExit(exitOK).mustSay("The warehouse equals Paymo")
	t.Logf("verified in %v, %d requests, %d KiB of memory at most", r.took, len(w.paymo.Requests()), r.peak)
	w.mustBeUntouched(before)
	if most := int64(64 << 10); r.peak > most {
		t.Errorf("%d KiB of memory, want %d at most", r.peak, most)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	var words []string
	for _, resource := range catalog.All() {
		id, field, err := w.paymo.MutateField(rng, resource.Table)
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, fmt.Sprintf("%s %d: %s is ", resource.Table, id, field))
	}
	w.run("verify", "--repair").mustExit(exitOK).mustSay(words...).mustSay(fmt.Sprintf("%d rows repaired", len(words)))
	w.mustEqual()
}
