package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// wire is between the Paymo and the service: it keeps what is told.
type wire struct {
	*httptest.Server
	client *http.Client

	mu      sync.Mutex
	calls   []forgery // as they came, with the status that they were answered with
	refused int       // answered with another status than 200
}

// newWire puts a wire before the service of the world.
func newWire(w *told) *wire {
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	l := &wire{client: &http.Client{Transport: transport, Timeout: time.Minute}}
	l.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(in.Body)
		if err != nil {
			out.WriteHeader(http.StatusBadGateway)
			return
		}
		call := forgery{event: in.Header.Get("X-Paymo-Event"), signature: in.Header.Get("X-Paymo-Signature"), body: body}
		call.status, err = w.post(l.client, call.event, call.signature, body)
		if err != nil {
			call.status = http.StatusBadGateway
		}
		l.mu.Lock()
		l.calls = append(l.calls, call)
		if call.status != http.StatusOK {
			l.refused++
		}
		l.mu.Unlock()
		out.WriteHeader(call.status)
	}))
	w.t.Cleanup(func() {
		l.Close()
		transport.CloseIdleConnections()
	})
	w.world = w.with("PUBLIC_URL", l.URL)
	return l
}

// counts are how many calls came, and how many of them were refused.
func (l *wire) counts() (calls, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.calls), l.refused
}

// replay is an older call, as it was or under the name of another event: that the object is
// gone, which is as well signed, or another model's, which is not.
func (l *wire) replay(chance *rand.Rand, models []string) (forgery, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.calls) == 0 {
		return forgery{}, false
	}
	call := l.calls[chance.IntN(len(l.calls))]
	call.status = http.StatusOK
	model := call.event[strings.LastIndexByte(call.event, '.')+1:]
	switch chance.IntN(4) {
	case 0:
		call.event = "model.delete." + model
	case 1:
		other := models[chance.IntN(len(models))]
		call.event = "model.update." + other
		if other != model {
			call.status = http.StatusUnauthorized
		}
	}
	return call, true
}

// floodTables are synced while the calls come in: few, so that each has its turn at five
// requests in as many seconds.
func floodTables() []string {
	return []string{"clients", "projects", "tasklists", "tasks", "time_entries"}
}

// happen has something happen in the Paymo, of which it tells.
func (w *told) happen(chance *rand.Rand) error {
	if chance.IntN(2) == 0 {
		w.paymo.Work(1)
		return nil
	}
	name := fmt.Sprintf("name %d", chance.Uint64())
	switch chance.IntN(8) {
	case 0: // somebody who comes and may go at once
		id, err := w.paymo.Put("clients", map[string]any{"name": name, "active": true})
		if err == nil && chance.IntN(2) == 0 {
			_, err = w.paymo.Delete("clients", id)
		}
		return err
	case 1, 2:
		return w.paymo.Patch("projects", w.any(chance, "projects"), map[string]any{"name": name})
	case 3, 4:
		return w.paymo.Patch("tasklists", w.any(chance, "tasklists"), map[string]any{"name": name})
	default:
		return w.paymo.Patch("tasks", w.any(chance, "tasks"), map[string]any{"name": name})
	}
}

// any is one of the table's objects.
func (w *told) any(chance *rand.Rand, table string) int64 {
	n := chance.IntN(w.paymo.Count(table))
	for raw := range w.paymo.Rows(table) {
		if n--; n < 0 {
			var object struct {
				ID int64 `json:"id"`
			}
			_ = json.Unmarshal(raw, &object)
			return object.ID
		}
	}
	return 0
}

// spans are how long the runs of a time took that came to their end.
func (w *told) spans(from, to time.Time) (longest time.Duration, runs int) {
	w.t.Helper()
	var seconds float64
	if err := w.pool.QueryRow(w.t.Context(), `
		SELECT coalesce(max(extract(epoch FROM finished_at - started_at)), 0)::float8, count(*)
		FROM paymosync.runs
		WHERE reason = 'schedule' AND finished_at > $1 AND started_at < $2`, from, to).Scan(&seconds, &runs); err != nil {
		w.t.Fatal(err)
	}
	return time.Duration(seconds * float64(time.Second)), runs
}

// paced does something so many times within the time, by some at once.
func paced(times, atOnce int, within time.Duration, do func(chance *rand.Rand) error) error {
	var working sync.WaitGroup
	var failure atomic.Pointer[error]
	for worker := range atOnce {
		working.Go(func() {
			chance := rand.New(rand.NewPCG(uint64(worker), uint64(times)))
			ticker := time.NewTicker(within * time.Duration(atOnce) / time.Duration(times))
			defer ticker.Stop()
			for range times / atOnce {
				<-ticker.C
				if err := do(chance); err != nil {
					failure.Store(&err)
				}
			}
		})
	}
	working.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Ten thousand calls in ten seconds, of which many are forged, or told again under another
// name, hold no sync up for long, take little memory, and leave every table right.
func TestSoakWebhooksReplayed(t *testing.T) {
	t.Parallel()
	calls, length := 2000, 3*time.Second
	if soak() {
		calls, length = 10_000, 10*time.Second
	}
	w := newTold(t, paymotest.Config{Seed: 12, Entries: 2000, Hooks: paymotest.HookConfig{Callers: 16, Timeout: time.Minute}})
	line := newWire(w)
	w.run("sync").mustExit(exitOK)
	w.paymo.SetRate(paymotest.DefaultRate)
	few := w.with("SYNC_TABLES", strings.Join(floodTables(), ","), "SYNC_SCHEDULE", "@every 15s")
	few.run("sync", "clients").mustExit(exitOK) // by which the limit is known
	service := startChild(t, releasePath(t), few.variables, "serve")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(service.err.String())
		}
	})
	within(t, time.Minute, "the hooks are there", func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymosync.hooks`); n != len(floodTables()) {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
	quiet := time.Now()
	<-time.After(32 * time.Second) // two rounds of syncs, to compare
	within(t, time.Minute, "a sync is underway", func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymosync.runs WHERE state = 'running'`); n == 0 {
			return errors.New("none is")
		}
		return nil
	})
	began := time.Now()
	before, runsBefore := w.spans(quiet, began)

	var models []string
	for _, table := range floodTables() {
		resource, _ := catalog.Lookup(table)
		models = append(models, resource.Model)
	}
	forged := forgeries([]byte(`{"id":1,"name":"somebody","updated_on":"2026-06-01T00:00:00Z"}`), w.variables["PAYMO_WEBHOOK_SECRET"])
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	var flood sync.WaitGroup
	for what, do := range map[string]struct {
		times int
		do    func(*rand.Rand) error
	}{
		"genuine": {calls * 3 / 5, w.happen},
		"forged": {calls / 5, func(chance *rand.Rand) error {
			return w.forge(client, forged[chance.IntN(len(forged))])
		}},
		"replayed": {calls / 5, func(chance *rand.Rand) error {
			if call, ok := line.replay(chance, models); ok {
				return w.forge(client, call)
			}
			return nil
		}},
	} {
		flood.Go(func() {
			if err := paced(do.times, 8, length, do.do); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	flood.Wait()
	t.Logf("the flood took %v", time.Since(began))
	last := 0
	within(t, time.Minute, "all calls have come", func() error {
		now, _ := line.counts()
		if now != last {
			last = now
			<-time.After(time.Second)
			return fmt.Errorf("%d came", now)
		}
		return nil
	})
	ended := time.Now()
	told, refused := line.counts()
	t.Logf("paymo told of %d changes within %v, and %d of them were refused", told, ended.Sub(began), refused)
	if told < calls/2 || soak() && refused > told/100 {
		t.Errorf("of %d calls of paymo's %d were refused", told, refused)
	}
	within(t, 2*time.Minute, "the syncs go on", func() error {
		if n := value[int](w.world, `SELECT count(DISTINCT table_name) FROM paymosync.runs WHERE reason = 'schedule' AND state = 'ok' AND started_at > $1`, began); n < len(floodTables()) {
			return fmt.Errorf("%d tables were synced since", n)
		}
		return nil
	})
	during, runs := w.spans(began, time.Now())
	t.Logf("syncs take %v at most (%d), and with the flood %v (%d)", before, runsBefore, during, runs)
	if soak() && during > 6*before+20*time.Second {
		t.Errorf("syncs take %v at most, and %v without the flood", during, before)
	}
	metrics, err := w.scrape()
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range metrics {
		if strings.HasPrefix(name, "paymosync_webhook_calls_total") && n > 0 {
			t.Logf("%s %v", name, n)
		}
	}
	t.Logf("after %v %d changes wait", time.Since(ended), value[int](w.world, `SELECT count(*) FROM paymosync.changes WHERE merged_at IS NULL AND settled_at IS NULL`))
	w.paymo.SetRate(100_000) // what is told to be gone costs requests
	w.settled(2 * time.Minute)
	t.Logf("all is in its table %v after the last call", time.Since(ended))

	r := service.mustStop()
	w.hush()
	t.Logf("%d KiB of memory at most", r.peak)
	if most := int64(100 << 10); r.peak > most {
		t.Errorf("%d KiB of memory, want %d at most", r.peak, most)
	}
	w.mustNotBury()
	w.bury()
	w.mustEqual()
}

// mustNotBury fails the test where a row is marked deleted that the Paymo has, and tells how
// many rows there are that it does not have.
func (w *told) mustNotBury() {
	w.t.Helper()
	for _, table := range floodTables() {
		rows, err := w.pool.Query(w.t.Context(), `SELECT id, _deleted_at IS NOT NULL FROM paymo.`+table)
		if err != nil {
			w.t.Fatal(err)
		}
		var id int64
		var buried bool
		strangers := 0
		if _, err := pgx.ForEachRow(rows, []any{&id, &buried}, func() error {
			switch _, err := w.paymo.Get(table, id); {
			case err == nil && buried:
				w.t.Errorf("%s %d is marked deleted, and paymo has it", table, id)
			case errors.Is(err, paymotest.ErrNotFound) && !buried:
				strangers++
			case err != nil && !errors.Is(err, paymotest.ErrNotFound):
				return err
			}
			return nil
		}); err != nil {
			w.t.Fatal(err)
		}
		w.t.Logf("of %s %d rows are there that paymo does not have any more", table, strangers)
	}
}
