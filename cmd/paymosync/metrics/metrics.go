// Package metrics tells Prometheus how the service does: what its syncs and requests
// came to since the process began, and where everything stands in the database when it
// is asked.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/singleflight"

	"github.com/paymosync/paymosync/jobs"
)

// lookTime is how long reading the overview may take. Prometheus waits 10 seconds for
// all of an answer, unless it is told otherwise.
const lookTime = 5 * time.Second

// Config is what Metrics need. All of it is required.
type Config struct {
	Version string   // of paymosync
	Tables  []string // that are synced: their series are there from the start
	Log     *slog.Logger
}

// Reader reads where everything stands.
type Reader func(context.Context) (jobs.Overview, error)

// Metrics are the metrics of one process, and serve them. Safe for concurrent use.
type Metrics struct {
	counters
	registry *prometheus.Registry
	gauges   *gauges
	log      *slog.Logger

	reader atomic.Pointer[Reader]
	looks  singleflight.Group

	mu    sync.Mutex
	blind bool // the last look failed
}

// New makes the metrics of a process that begins now. It starts nothing.
func New(config Config) *Metrics {
	m := &Metrics{counters: newCounters(config.Tables), registry: prometheus.NewRegistry(), gauges: newGauges(), log: config.Log}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "paymosync_build_info",
		Help: "Always 1; the labels name the version of paymosync and of the Go that it was built with.",
	}, []string{"version", "go_version"})
	build.WithLabelValues(config.Version, runtime.Version()).Set(1)
	m.registry.MustRegister(build,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(m.collectors()...)
	return m
}

// Read has the metrics that come from the database be read by the reader from now on.
// Without one, and with nil, there are none.
func (m *Metrics) Read(reader Reader) {
	if reader == nil {
		m.reader.Store(nil)
		return
	}
	m.reader.Store(&reader)
}

// ServeHTTP answers a scrape. When the database cannot be read, what the process knows
// by itself is there nevertheless.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := prometheus.NewRegistry()
	now.MustRegister(m.look(r.Context()))
	promhttp.HandlerFor(prometheus.Gatherers{m.registry, now}, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(m.log.Handler(), slog.LevelWarn),
		ErrorHandling: promhttp.ContinueOnError,
	}).ServeHTTP(w, r)
}

// look reads the overview, once for all who ask at the same time.
func (m *Metrics) look(ctx context.Context) snapshot {
	reader := m.reader.Load()
	if reader == nil {
		return snapshot{gauges: m.gauges}
	}
	read := m.looks.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime) // one who goes does not take the others' answer along
		defer cancel()
		return (*reader)(ctx)
	})
	waiting, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	select {
	case found := <-read:
		overview, ok := found.Val.(jobs.Overview)
		m.noteLook(ctx, found.Err)
		return snapshot{m.gauges, overview, ok && found.Err == nil}
	case <-waiting.Done():
		m.noteLook(ctx, waiting.Err())
		return snapshot{gauges: m.gauges}
	}
}

// noteLook logs the first look that fails, and not all that follow.
func (m *Metrics) noteLook(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // whoever asked has gone
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if failed := err != nil; failed != m.blind {
		m.blind = failed
		if failed {
			m.log.WarnContext(ctx, "the metrics of tables, account and queue cannot be read from the database", "error", err)
		} else {
			m.log.InfoContext(ctx, "the metrics of tables, account and queue can be read again")
		}
	}
}
