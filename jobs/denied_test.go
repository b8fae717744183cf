package jobs_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// A denied parent costs that parent. It is read whole when it is not denied any more, by
// an incremental already.
func TestDeniedParent(t *testing.T) {
	t.Parallel()
	for _, scopes := range []paymotest.Scopes{paymotest.ScopesIn, paymotest.ScopesEqual} {
		t.Run(string(scopes), func(t *testing.T) {
			t.Parallel()
			company := small()
			company.Scopes = scopes
			w := newWorld(t, company)
			w.mustSync("users", jobs.Full)
			w.mustSync("projects", jobs.Full)
			project := query[int64](w, `SELECT min(id) + 0 FROM paymo.projects`)
			for object := range w.fake.Rows("comment_threads") { // one that has threads
				project, _ = decode(t, object)["project_id"].(interface{ Int64() (int64, error) }).Int64()
			}
			fault := w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusForbidden, Table: "comment_threads", Where: fmt.Sprint(project)})
			outcome, err := w.sync("comment_threads", jobs.Full)
			if err != nil || outcome.State != sink.StateDegraded || !contains(outcome.Reason, "1 of its projects were denied by Paymo") {
				t.Fatal(unexpected(outcome, err))
			}
			missing := 0
			for _, difference := range w.differences("comment_threads") {
				if !contains(difference, "is served and not in the table") {
					t.Error(difference)
				}
				missing++
			}
			if missing == 0 || missing == w.fake.Count("comment_threads") {
				t.Errorf("%d threads are missing", missing)
			}
			outcome, err = w.sync("comment_threads", jobs.Incremental)
			if err != nil || outcome.State != sink.StateDegraded || outcome.Mode != jobs.Incremental {
				t.Fatal(unexpected(outcome, err))
			}
			w.fake.RemoveFault(fault)
			if outcome, err = w.sync("comment_threads", jobs.Incremental); err != nil || outcome.Mode != jobs.Incremental || outcome.Inserted == 0 {
				t.Fatal(unexpected(outcome, err))
			}
			w.mustEqual("comment_threads")
			w.mustSync("comment_threads", jobs.Full)
			w.mustEqual("comment_threads")
		})
	}
}

// A clock of Paymo's that stands still is said: the cursor follows it.
func TestStuckCursor(t *testing.T) {
	t.Parallel()
	company := small()
	var clock atomic.Int64
	clock.Store(time.Now().Unix())
	company.Now = func() time.Time { return time.Unix(clock.Load(), 0) }
	w := newWorld(t, company)
	w.mustSync("tasks", jobs.Full)
	w.mustSync("tasks", jobs.Incremental)
	exec(w, `UPDATE paymosync.checkpoints SET read_at = read_at - interval '1 hour'`)
	outcome, err := w.sync("tasks", jobs.Incremental)
	if err != nil || outcome.State != sink.StateDegraded || !contains(outcome.Reason, "stuck cursor: Paymo's clock says") {
		t.Fatal(unexpected(outcome, err))
	}
	clock.Add(3600)
	w.mustSync("tasks", jobs.Incremental)
}
