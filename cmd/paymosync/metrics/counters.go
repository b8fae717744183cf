package metrics

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paymosync/paymosync/cmd/paymosync/webhook"
	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// counters count what the syncs and requests of this process came to.
type counters struct {
	rows      *prometheus.CounterVec
	runs      *prometheus.CounterVec
	durations *prometheus.HistogramVec
	waited    prometheus.Counter

	requests *prometheus.CounterVec
	replies  prometheus.Histogram
	bytes    prometheus.Counter

	calls   *prometheus.CounterVec
	changes *prometheus.CounterVec
	batches *prometheus.CounterVec
	lags    *prometheus.HistogramVec

	begun *begun
}

// begun is how long the runs that are not at their end were worked on so far: a job hands
// a long one back, and another goes on with it.
type begun struct {
	sync.Mutex
	worked map[runKey]time.Duration
}

// runKey names a run: of a table, only one of a mode is unfinished.
type runKey struct {
	table string
	mode  jobs.Mode
}

// endStates are the states that a run may end with. One that is interrupted goes on.
func endStates() []string {
	return []string{sink.StateOK, sink.StateDegraded, sink.StateFailing, sink.StateUnavailable}
}

func newCounters(tables []string) counters {
	c := counters{
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymosync_rows_total",
			Help: "Rows that this process read from Paymo or missed there, by what came of them: inserted, updated, unchanged, tombstoned (marked deleted) or quarantined.",
		}, []string{"table", "outcome"}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymosync_runs_total",
			Help: "Runs that ended in this process, by the state that they ended with. A run that is handed back or interrupted has not ended.",
		}, []string{"table", "mode", "state"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "paymosync_run_duration_seconds",
			Help:    "Seconds that this process worked on the runs that ended in it; what they lay in the queue meanwhile is left out.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600},
		}, []string{"mode"}),
		waited: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "paymosync_rate_wait_seconds_total",
			Help: "Seconds that syncs of this process waited for their turn to ask Paymo; what they lay in the queue for longer waits is left out.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymosync_paymo_requests_total",
			Help: "Requests that this process sent to Paymo, by the status of the reply: none when no reply came, interrupted when the service did not wait for it.",
		}, []string{"status"}),
		replies: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "paymosync_paymo_request_duration_seconds",
			Help:    "Seconds from sending a request to Paymo until its reply was read, or until it was clear that none comes.",
			Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "paymosync_paymo_reply_bytes_total",
			Help: "Bytes of Paymo's replies that this process read, after they were decompressed.",
		}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymosync_webhook_calls_total",
			Help: "Calls of Paymo's webhooks that this process answered, and of whoever else called, by what came of them.",
		}, []string{"result"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymosync_webhook_changes_total",
			Help: "Objects that Paymo told of and that this process looked after: one counts once, however often it was told of while it waited.",
		}, []string{"table"}),
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymosync_webhook_batches_total",
			Help: "How often this process looked after such objects, many at once.",
		}, []string{"table"}),
		lags: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "paymosync_webhook_lag_seconds",
			Help:    "Seconds from a change in Paymo, which tells whole seconds, until it was in its table, where Paymo told of it.",
			Buckets: []float64{0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300},
		}, []string{"table"}),
		begun: &begun{worked: map[runKey]time.Duration{}},
	}
	// A series that appears with its first count has no rate at that moment.
	for _, table := range tables {
		for outcome := range rowCounts(jobs.Outcome{}) {
			c.rows.WithLabelValues(table, outcome)
		}
		for _, state := range endStates() {
			c.runs.WithLabelValues(table, string(jobs.Incremental), state)
			c.runs.WithLabelValues(table, string(jobs.Full), state)
		}
		if r, ok := catalog.Lookup(table); ok && r.Model != "" {
			c.changes.WithLabelValues(table)
			c.batches.WithLabelValues(table)
			c.lags.WithLabelValues(table)
		}
	}
	for _, result := range webhook.Results() {
		c.calls.WithLabelValues(result)
	}
	for _, mode := range []jobs.Mode{jobs.Incremental, jobs.Full} {
		c.durations.WithLabelValues(string(mode))
	}
	for _, status := range usualStatuses() {
		c.requests.WithLabelValues(status)
	}
	return c
}

func (c *counters) collectors() []prometheus.Collector {
	return []prometheus.Collector{c.rows, c.runs, c.durations, c.waited, c.requests, c.replies, c.bytes, c.calls, c.changes, c.batches, c.lags}
}

// rowCounts are the rows of an outcome by what came of them.
func rowCounts(o jobs.Outcome) map[string]int64 {
	return map[string]int64{
		"inserted": o.Inserted, "updated": o.Updated, "unchanged": o.Unchanged,
		"tombstoned": o.Tombstoned, "quarantined": o.Quarantined,
	}
}

// Ended counts what came of one sync; it is jobs.SyncerConfig's Ended. An outcome tells
// of what one job did, so that of a run that is not at its end counts too, but for the
// run itself.
func (c *counters) Ended(outcome jobs.Outcome, _ error) {
	for name, n := range rowCounts(outcome) {
		c.rows.WithLabelValues(outcome.Table, name).Add(float64(n))
	}
	c.waited.Add(outcome.Waited.Seconds())
	key := runKey{outcome.Table, outcome.Mode}
	switch {
	case outcome.Unfinished || outcome.State == sink.RunInterrupted:
		c.begun.add(key, outcome.Took)
	case slices.Contains(endStates(), outcome.State):
		c.runs.WithLabelValues(outcome.Table, string(outcome.Mode), outcome.State).Inc()
		c.durations.WithLabelValues(string(outcome.Mode)).Observe((c.begun.take(key) + outcome.Took).Seconds())
	}
	// Else there was no run: the table is paused, held by another process, waits for
	// another table or could not be asked after.
}

// Called counts one call of a webhook; it is webhook.Config's Counted.
func (c *counters) Called(result string) { c.calls.WithLabelValues(result).Inc() }

// Brought counts what came of changes that Paymo told of; it is jobs.ServiceConfig's
// Brought.
func (c *counters) Brought(brought jobs.Brought, err error) {
	rows := map[string]int64{"inserted": brought.Inserted, "updated": brought.Updated, "tombstoned": brought.Tombstoned}
	for name, n := range rows {
		c.rows.WithLabelValues(brought.Table, name).Add(float64(n))
	}
	if err != nil {
		return
	}
	c.batches.WithLabelValues(brought.Table).Inc()
	c.changes.WithLabelValues(brought.Table).Add(float64(brought.Changes))
	for _, lag := range brought.Lags {
		c.lags.WithLabelValues(brought.Table).Observe(lag.Seconds())
	}
}

func (b *begun) add(key runKey, took time.Duration) {
	b.Lock()
	defer b.Unlock()
	b.worked[key] += took
}

func (b *begun) take(key runKey) time.Duration {
	b.Lock()
	defer b.Unlock()
	took := b.worked[key]
	delete(b.worked, key)
	return took
}
