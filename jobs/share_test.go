package jobs_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

func soak() bool { return os.Getenv("PAYMOSYNC_SOAK") != "" }

// share is how much of the limit these tests use.
const share = 80

// limited is a company behind a limit: Paymo's at full length, else a quicker one.
func limited(sliding bool) paymotest.Config {
	company := small()
	company.Rate, company.Period, company.Sliding, company.Remainings = 5, 2*time.Second, sliding, true
	if soak() {
		company.Period = 5 * time.Second
	}
	return company
}

// paceOf is the time between two requests that use the share exactly.
func paceOf(company paymotest.Config) time.Duration {
	return company.Period * 100 / time.Duration(company.Rate*share)
}

// distant is a server whose answers take their time.
type distant struct {
	http.RoundTripper
	latency time.Duration
}

func (d distant) RoundTrip(req *http.Request) (*http.Response, error) {
	select {
	case <-req.Context().Done():
	case <-time.After(d.latency):
	}
	return d.RoundTripper.RoundTrip(req)
}

// newProcess is another process on the same warehouse, with connections of its own.
func (w *world) newProcess(owner string, latency time.Duration) *jobs.Syncer {
	w.t.Helper()
	pool, err := pgxpool.NewWithConfig(w.t.Context(), w.pool.Config())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(pool.Close)
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	return w.newSyncer(owner, func(client *paymo.Config, config *jobs.SyncerConfig) {
		client.Budget, client.Share, config.Store = store.Budget(share), share, store
		client.Transport = distant{client.Transport, latency}
	})
}

// backfillOn reads everything of the tables again and again, all of them at once, until the
// context ends.
func (w *world) backfillOn(ctx context.Context, group *sync.WaitGroup, syncer *jobs.Syncer, tables ...string) {
	w.t.Helper()
	for _, table := range tables {
		request := jobs.Request{Resource: resource(w.t, table), Mode: jobs.Backfill, Reason: jobs.ReasonManual, From: time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)}
		group.Go(func() {
			for ctx.Err() == nil {
				_, err := syncer.Sync(ctx, request)
				wait, ok := jobs.RetryIn(err)
				if err != nil && !ok && ctx.Err() == nil {
					w.t.Errorf("backfill %s: %v", table, err)
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(wait):
				}
			}
		})
	}
}

// backfilled are tables of which a backfill reads, four for each of three processes.
var backfilled = [][]string{
	{"time_entries", "bookings", "tasks", "projects"},
	{"clients", "invoices", "expenses", "estimates"},
	{"users", "discussions", "milestones", "client_contacts"},
}

// A backfill that is alone on the key uses at least 95 % of our share of the limit, in one
// process and in three, and Paymo never has to refuse a request.
func TestSoakBackfillUsesTheShare(t *testing.T) {
	t.Parallel()
	length := 20 * time.Second
	if soak() {
		length = 3 * time.Minute
	}
	for _, sliding := range []bool{false, true} {
		for _, processes := range []int{1, 3} {
			t.Run(fmt.Sprintf("sliding %v, %d processes", sliding, processes), func(t *testing.T) {
				t.Parallel()
				company := limited(sliding)
				w := newWorld(t, company)
				ctx, cancel := context.WithTimeout(t.Context(), length)
				defer cancel()
				var group sync.WaitGroup
				for i := range processes {
					w.backfillOn(ctx, &group, w.newProcess(fmt.Sprintf("process %d", i), 300*time.Millisecond), backfilled[i]...)
				}
				group.Wait()
				requests, refused := w.fake.Requests(), 0
				first := 0 // after those that went before the limit was known
				for i, request := range requests {
					if request.Status == http.StatusTooManyRequests {
						refused++
					}
					if request.Time.Sub(requests[0].Time) < company.Period {
						first = i + 1
					}
				}
				made := requests[first:]
				took := made[len(made)-1].Time.Sub(made[0].Time)
				used := float64(paceOf(company)) * float64(len(made)-1) / float64(took)
				t.Logf("%d requests in %s: %.3f of the share, %d refused", len(made), took, used, refused)
				if used < 0.95 || used > 1 || refused > 0 {
					t.Errorf("%.3f of the share is used, and %d requests are refused", used, refused)
				}
			})
		}
	}
}

// A scheduled sync takes hardly longer while a backfill asks for all that it can get.
func TestSoakScheduledSyncsGoBeforeBackfills(t *testing.T) {
	t.Parallel()
	company := limited(true)
	w := newWorld(t, company)
	tables := []string{"clients", "users", "projects", "milestones"}
	scheduled := w.newProcess("service", 20*time.Millisecond)
	round := func() (took time.Duration, requests int) {
		t.Helper()
		began := time.Now()
		for range 2 {
			for _, table := range tables {
				outcome, err := scheduled.Sync(t.Context(), jobs.Request{Resource: resource(t, table), Mode: jobs.Incremental, Reason: jobs.ReasonSchedule})
				if err != nil {
					t.Fatal(err)
				}
				requests += outcome.Requests
			}
		}
		return time.Since(began), requests
	}
	round() // the first loads
	alone, requests := round()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	w.backfillOn(ctx, &group, w.newProcess("backfill", 20*time.Millisecond), "time_entries", "bookings", "tasks", "invoices")
	for w.requests("time_entries")+w.requests("tasks") < 2 {
		<-time.After(10 * time.Millisecond)
	}
	beside, again := round()
	cancel()
	group.Wait()
	t.Logf("%d requests take %s alone, and %d take %s beside a backfill", requests, alone, again, beside)
	if most := alone*3/2 + 3*paceOf(company); beside > most {
		t.Errorf("%d requests take %s alone, and %d take %s beside a backfill: want %s at the most", requests, alone, again, beside, most)
	}
}
