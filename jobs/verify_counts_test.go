package jobs_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// What a verification does not know it does not give as 0: of a table that Paymo denies,
// breaks down over or lists empty, the rows of the warehouse alone are known.
func TestVerifyUnknownCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("projects", jobs.Full)
	rows := jobs.Count(w.count("projects"))
	for name, fault := range map[string]paymotest.Fault{
		"denied":  {Kind: paymotest.FaultStatus, N: http.StatusForbidden, Table: "projects"},
		"missing": {Kind: paymotest.FaultStatus, N: http.StatusNotFound, Table: "projects"},
		"html":    {Kind: paymotest.FaultHTML, Table: "projects"},
		"empty":   {Kind: paymotest.FaultEmpty, Table: "projects"},
	} {
		id := w.fake.AddFault(fault)
		verified, _ := w.syncer.Verify(t.Context(), jobs.VerifyRequest{Resource: resource(t, "projects")})
		w.fake.RemoveFault(id)
		mustNotKnow(t, name, verified, rows)
	}
	interrupted, cancel := context.WithCancel(t.Context())
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusTooManyRequests, Table: "projects", Delay: time.Minute})
	verified, err := w.syncer.Verify(interrupted, jobs.VerifyRequest{
		Resource: resource(t, "projects"), Waiting: func(error, time.Duration) { cancel() },
	})
	if err == nil {
		t.Error("it was not interrupted")
	}
	mustNotKnow(t, "interrupted", verified, rows)
	text, err := json.Marshal(verified)
	if err != nil || !strings.Contains(string(text), `"paymo":null,"warehouse":`) || !strings.Contains(string(text), `"rows":[],"rows_omitted":0,"sums":[]`) {
		t.Errorf("%v: %s", err, text)
	}
	var again jobs.Verified
	if err := json.Unmarshal(text, &again); err != nil || again.Paymo != jobs.Unknown || again.Warehouse != rows {
		t.Errorf("%v: %+v", err, again)
	}
}

func mustNotKnow(t *testing.T, name string, v jobs.Verified, rows jobs.Count) {
	t.Helper()
	if v.Verdict != jobs.VerdictUnproven || v.Paymo != jobs.Unknown || v.Warehouse != rows || v.Missing != jobs.Unknown || v.Extra != jobs.Unknown || v.Different != jobs.Unknown {
		t.Errorf("%s: %+v", name, v)
	}
}

// Since a date, rows that Paymo does not have any more are not looked for and not counted.
// Rows beside the examples are, and sums are a list where they agree too.
func TestVerifyCountsWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("tasks", jobs.Full)
	exec(w, `UPDATE paymo.tasks SET name = name || ' spoilt' WHERE id IN (SELECT id FROM paymo.tasks ORDER BY id LIMIT 25)`)
	found := w.mustVerify("tasks", jobs.VerdictDifferent)
	if found.Different != 25 || len(found.Rows) != 20 || found.Omitted != 5 || found.Sums == nil || found.Extra != 0 {
		t.Errorf("%+v", found)
	}
	since := w.verify("tasks", func(req *jobs.VerifyRequest) { req.Since = time.Now().AddDate(-1, 0, 0) })
	if since.Extra != jobs.Unknown || since.Missing != 0 || since.From != "" {
		t.Errorf("%+v", since)
	}
}

// A row that Paymo has in an older version is marked so.
func TestVerifyOlder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("projects", jobs.Full)
	ids := allIDs(w, "projects")
	exec(w, `UPDATE paymo.projects SET updated_on = updated_on + interval '1 day' WHERE id = $1`, ids[0])
	exec(w, `UPDATE paymo.projects SET updated_on = updated_on - interval '1 day' WHERE id = $1`, ids[1])
	exec(w, `UPDATE paymo.projects SET name = 'spoilt' WHERE id = $1`, ids[2])
	for _, row := range w.mustVerify("projects", jobs.VerdictDifferent).Rows {
		if row.Older != (row.ID == ids[0]) {
			t.Errorf("%+v", row)
		}
	}
}

// More rows than the guard lets go are known to be.
func TestGuarded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		extra, warehouse jobs.Count
		want             bool
	}{{50, 60, false}, {51, 60, true}, {51, 1000, false}, {101, 1000, true}, {jobs.Unknown, jobs.Unknown, false}} {
		if v := (&jobs.Verified{Extra: tt.extra, Warehouse: tt.warehouse}); v.Guarded() != tt.want {
			t.Errorf("%+v", tt)
		}
	}
}
