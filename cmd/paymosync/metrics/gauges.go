package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// gauges are the metrics of where everything stands.
type gauges struct {
	overviewOK *prometheus.Desc

	freshness, state, cause, rows, lastFull, quarantined, drifted, failed *prometheus.Desc // of tables

	admin, limit, period, share, left, blocked *prometheus.Desc // of the account

	queue *prometheus.Desc

	hooks, silentHooks, waiting *prometheus.Desc
}

func newGauges() *gauges {
	gauge := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("paymosync_"+name, help, labels, nil)
	}
	return &gauges{
		overviewOK: gauge("overview_ok", "1 when the database could be read for this answer; 0 when it could not, or not yet: then the metrics of tables, account, rate and queue are missing."),

		freshness:   gauge("table_freshness_seconds", "Seconds since the moment up to which the table has every change of Paymo; missing until it was read in full.", "table"),
		state:       gauge("table_state", "1 for the state that the table is in, 0 for the others.", "table", "state"),
		cause:       gauge("table_cause", "1 for what keeps the table from being ok; missing for all else. paymosync status says what to do about it.", "table", "cause"),
		rows:        gauge("table_rows", "Rows in the table, those that are marked deleted left out.", "table"),
		lastFull:    gauge("table_last_full_timestamp_seconds", "When the last full sync that read all of the table began, in seconds since 1970; missing when there was none.", "table"),
		quarantined: gauge("table_quarantined_records", "Records of the table that cannot become rows, and lie in quarantine.", "table"),
		drifted:     gauge("table_drifted_fields", "Fields that Paymo sends with the table's records and that have no column.", "table"),
		failed:      gauge("table_failed_runs", "How many of the table's last runs failed, one after the other; only the last 20 are looked at.", "table"),

		admin:   gauge("account_admin", "1 when the key's user is an Admin and sees the whole account, else 0; missing before the first sync."),
		limit:   gauge("rate_limit_requests", "Requests that Paymo allows in a period; missing until it has told."),
		period:  gauge("rate_period_seconds", "Length of the period of Paymo's rate limit; missing until Paymo has told."),
		share:   gauge("rate_share_ratio", "The part of Paymo's rate limit that is used, as RATE_SHARE says: 0.8 for 80%."),
		left:    gauge("rate_budget_left_requests", "Requests of our share of the limit that the last period left; all processes of the key spend from them; missing until Paymo has told."),
		blocked: gauge("rate_blocked_seconds", "Seconds for which Paymo asked to be sent no request; 0 when it did not."),

		queue: gauge("queue_jobs", "Sync jobs that are not finished, by River's state.", "state"),

		hooks:       gauge("webhook_hooks", "Hooks at Paymo that are the account's own."),
		silentHooks: gauge("webhook_silent_hooks", "Those of them that do not tell of all changes, as far as is known."),
		waiting:     gauge("webhook_waiting_changes", "Changes that Paymo told of and that their tables do not have yet."),
	}
}

// tableStates are the states of a table.
func tableStates() []string {
	return []string{sink.StateOK, sink.StateDegraded, sink.StateFailing, sink.StateUnavailable, sink.StatePaused}
}

// snapshot is where everything stood at one moment, for one scrape. It is a
// prometheus.Collector.
type snapshot struct {
	*gauges
	overview jobs.Overview
	ok       bool // false: it could not be read
}

// Describe tells which metrics there may be.
func (s snapshot) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		s.overviewOK, s.freshness, s.state, s.cause, s.rows, s.lastFull, s.quarantined, s.drifted, s.failed,
		s.admin, s.limit, s.period, s.share, s.left, s.blocked, s.queue, s.hooks, s.silentHooks, s.waiting,
	} {
		descs <- desc
	}
}

// Collect tells the metrics.
func (s snapshot) Collect(metrics chan<- prometheus.Metric) {
	set := func(desc *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	set(s.overviewOK, oneIf(s.ok))
	if !s.ok {
		return
	}
	for _, table := range s.overview.Tables {
		s.collectTable(table, func(desc *prometheus.Desc, value float64, labels ...string) {
			set(desc, value, append([]string{table.Table}, labels...)...)
		})
	}
	if s.overview.Account.Pinned {
		set(s.admin, oneIf(s.overview.Account.Admin()))
	}
	budget := s.overview.Budget
	if budget.Limit > 0 {
		set(s.limit, float64(budget.Limit))
		set(s.period, budget.Period.Round(time.Second).Seconds())
	}
	set(s.share, float64(budget.Share)/100)
	if budget.Left >= 0 {
		set(s.left, float64(budget.Left))
	}
	var blocked float64
	if !budget.BlockedUntil.IsZero() {
		blocked = max(0, budget.BlockedUntil.Sub(s.overview.At).Seconds())
	}
	set(s.blocked, blocked)
	for state, n := range s.overview.Queue {
		set(s.queue, float64(n), state)
	}
	set(s.hooks, float64(len(s.overview.Hooks.Own)))
	set(s.silentHooks, float64(len(s.overview.Hooks.Silent)))
	set(s.waiting, float64(s.overview.Hooks.Waiting))
}

func (s snapshot) collectTable(table jobs.TableOverview, set func(*prometheus.Desc, float64, ...string)) {
	if table.FreshAsOf != nil {
		set(s.freshness, table.Age.Seconds())
	}
	for _, state := range tableStates() {
		set(s.state, oneIf(table.State == state), state)
	}
	if table.Cause != "" {
		set(s.cause, 1, string(table.Cause))
	}
	set(s.rows, float64(table.Rows))
	if table.FullAt != nil {
		set(s.lastFull, float64(table.FullAt.UnixMilli())/1000)
	}
	set(s.quarantined, float64(table.Quarantined))
	set(s.drifted, float64(table.Drifted))
	set(s.failed, float64(table.Failed))
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
