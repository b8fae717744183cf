package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// A plan tells the requests of the sync that follows, and changes nothing.
func TestProgramPlan(t *testing.T) {
	t.Parallel()
	company := agency()
	company.Rate, company.Period = 1000, paymotest.DefaultPeriod
	w := newWorld(t, company)
	plan := func(args ...string) jobs.Plan {
		t.Helper()
		before, asked := sinktest.Written(t, w.pool), len(w.paymo.Requests())
		text := w.run(slices.Concat([]string{"plan"}, args)...).mustExit(exitOK)
		after := sinktest.Written(t, w.pool)
		for table := range after {
			if before[table] != after[table] {
				t.Errorf("plan %q changed %s", args, table)
			}
		}
		if len(before) != len(after) || len(before) < 45 {
			t.Errorf("there were %d tables, and are %d", len(before), len(after))
		}
		if n := len(w.paymo.Requests()) - asked; n > 0 {
			t.Errorf("plan %q asked Paymo for %d things", args, n)
		}
		var plan jobs.Plan
		if slices.Contains(args, "--json") {
			if err := json.Unmarshal([]byte(text.out), &plan); err != nil {
				t.Fatal(err)
			}
		}
		return plan
	}
	made := func(args ...string) int {
		t.Helper()
		w.paymo.ResetLog()
		w.run(args...).mustExit(exitOK)
		return len(w.paymo.Requests())
	}

	plan()
	first := plan("--json")
	if n := made("sync"); first.Requests*4 > 5*n || n*4 > 5*first.Requests || !first.Pace.Assumed || first.Bound != jobs.About {
		t.Errorf("planned %d requests for the first load at %s, made %d", first.Requests, first.Pace, n)
	}
	idle := plan("--json")
	if n := made("sync"); idle.Requests != n || idle.Bound != jobs.AtLeast || idle.Pace.Assumed || idle.Pace.Limit != 1000 {
		t.Errorf("planned %d requests at %s, made %d", idle.Requests, idle.Pace, n)
	}
	full := plan("--json", "--full")
	if n := made("sync", "--full"); full.Requests-n > n/10 || n-full.Requests > n/10 {
		t.Errorf("planned %d requests for fulls, made %d", full.Requests, n)
	}

	w.run("plan").mustExit(exitOK).mustSay("TABLE", "READ BY", "time_entries", "what changed since",
		fmt.Sprintf("At least %d requests, about ", idle.Requests), " at 80% of 1000 requests per 5 s; ", "GET /api/me and GET /api/company ask whose key it is, once for all tables")
	one := w.run("plan", "time_entries").mustExit(exitOK).mustSay("is read; at least 2 requests", "GET /api/entries where time_interval in (", "and end_time=null", "updated_on>=20")
	if strings.Contains(one.out, "~") {
		t.Errorf("an incremental is an estimate:\n%s", one.out)
	}
	w.run("plan", "--requests", "clients", "users").mustExit(exitOK).mustSay("GET /api/clients where updated_on>=", "GET /api/users where updated_on>=")
	w.run("plan", "nothing").mustExit(exitConfig)
	w.with("DATABASE_URL", "").run("plan").mustExit(exitConfig).mustSay("DATABASE_URL")
}
