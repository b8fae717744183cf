package jobs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
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

// world is a fake Paymo, a warehouse and what syncs them.
type world struct {
	t      testing.TB
	fake   *paymotest.Server
	url    string
	pool   *pgxpool.Pool
	store  *sink.Store
	syncer *jobs.Syncer
}

// small is a company in which nothing fills a reply.
func small() paymotest.Config { return paymotest.Config{Seed: 7, Entries: 600} }

// newWorld makes a world around the fake company. The options change how it is synced.
func newWorld(t testing.TB, company paymotest.Config, options ...func(*paymo.Config, *jobs.SyncerConfig)) *world {
	t.Helper()
	w := &world{t: t, fake: paymotest.New(company), pool: sinktest.Database(t)}
	server := httptest.NewServer(w.fake)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.store = sink.New(w.pool, sinktest.Warehouse, catalog.DefaultAccount)
	w.syncer = w.newSyncer("worker-1", options...)
	return w
}

// newSyncer makes another process that syncs the same warehouse.
func (w *world) newSyncer(owner string, options ...func(*paymo.Config, *jobs.SyncerConfig)) *jobs.Syncer {
	w.t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	w.t.Cleanup(transport.CloseIdleConnections)
	client := paymo.Config{
		BaseURL:   w.url,
		Key:       func(context.Context) (string, error) { return paymotest.DefaultKey, nil },
		Budget:    w.store.Budget(100),
		Transport: transport,
	}
	config := jobs.SyncerConfig{Store: w.store, BaseURL: w.url, Owner: owner}
	for _, option := range options {
		option(&client, &config)
	}
	made, err := paymo.New(client)
	if err != nil {
		w.t.Fatal(err)
	}
	config.Client = made
	if shared, ok := client.Budget.(*sink.Budget); ok {
		config.Bulk = made.WithBudget(shared.Bulk(), 5*time.Second)
	}
	return jobs.NewSyncer(config)
}

func resource(t testing.TB, table string) *catalog.Resource {
	t.Helper()
	r, ok := catalog.Lookup(table)
	if !ok {
		t.Fatalf("no table %s", table)
	}
	return r
}

// readable are the tables that can be read by themselves.
func readable() []string {
	var tables []string
	for _, r := range catalog.All() {
		if r.Readable() {
			tables = append(tables, r.Table)
		}
	}
	return tables
}

// sync syncs a table and returns what came of it.
func (w *world) sync(table string, mode jobs.Mode) (jobs.Outcome, error) {
	w.t.Helper()
	return w.syncer.Sync(w.t.Context(), jobs.Request{Resource: resource(w.t, table), Mode: mode, Reason: jobs.ReasonManual})
}

// mustSync syncs a table, which must end ok.
func (w *world) mustSync(table string, mode jobs.Mode) jobs.Outcome {
	w.t.Helper()
	outcome, err := w.sync(table, mode)
	if err != nil {
		w.t.Fatalf("sync %s: %v", table, err)
	}
	if outcome.State != sink.StateOK {
		w.t.Fatalf("sync %s: %s: %s", table, outcome.State, outcome.Reason)
	}
	return outcome
}

// mustEqual fails the test where the table is not what the fake serves.
func (w *world) mustEqual(table string) {
	w.t.Helper()
	if found := w.differences(table); len(found) > 0 {
		for _, difference := range found {
			w.t.Error(difference)
		}
		w.t.FailNow()
	}
}

func (w *world) differences(table string) []string {
	w.t.Helper()
	found, err := sinktest.Differences(w.t.Context(), w.pool, sinktest.Warehouse, resource(w.t, table), w.fake.Rows(table))
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// serve runs the service over the tables until the test ends. They are due at once, and
// then in an hour.
func (w *world) serve(tables ...string) *jobs.Service {
	w.t.Helper()
	var scheduled []jobs.TableSchedule
	for _, table := range tables {
		scheduled = append(scheduled, jobs.TableSchedule{Resource: resource(w.t, table), Schedule: hourly{}})
	}
	service, err := jobs.NewService(jobs.ServiceConfig{Pool: w.pool, Syncer: w.syncer, Tables: scheduled, Full: hourly{}})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := service.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { <-service.Stopped() }) // before it, the context ends
	return service
}

// status is where the table stands for people.
func (w *world) status(table string) sink.TableStatus {
	w.t.Helper()
	statuses, err := w.store.Status(w.t.Context(), []*catalog.Resource{resource(w.t, table)}, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	return statuses[0]
}

// query reads one value from the database.
func query[T any](w *world, sql string, arguments ...any) T {
	w.t.Helper()
	var value T
	if err := w.pool.QueryRow(w.t.Context(), sql, arguments...).Scan(&value); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// exec runs a statement.
func exec(w *world, sql string, arguments ...any) {
	w.t.Helper()
	if _, err := w.pool.Exec(w.t.Context(), sql, arguments...); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// count is the number of live rows of a table.
func (w *world) count(table string) int {
	w.t.Helper()
	return query[int](w, "SELECT count(*) FROM paymo."+table+" WHERE _deleted_at IS NULL")
}

// fingerprint tells whether any row of the table was written.
func (w *world) fingerprint(table string) string {
	w.t.Helper()
	return query[string](w, "SELECT coalesce(md5(string_agg(id || ':' || xmin || ':' || ctid::text, ',' ORDER BY id)), '') FROM paymo."+table)
}

// put stores an object in the fake.
func (w *world) put(table string, object map[string]any) int64 {
	w.t.Helper()
	id, err := w.fake.Put(table, object)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// patch changes an object of the fake.
func (w *world) patch(table string, id int64, changes map[string]any) {
	w.t.Helper()
	if err := w.fake.Patch(table, id, changes); err != nil {
		w.t.Fatal(err)
	}
}

// requests are the requests that the fake had for a table since the last reset.
func (w *world) requests(table string) int { return int(w.fake.Counts()[table].Requests) }

// cancelAfter is a transport that ends a context when so many requests were made.
type cancelAfter struct {
	http.RoundTripper
	mu     sync.Mutex
	left   int
	cancel context.CancelFunc
}

func (c *cancelAfter) RoundTrip(req *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.left--
	over := c.left < 0
	c.mu.Unlock()
	if over {
		c.cancel()
	}
	return c.RoundTripper.RoundTrip(req)
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(40 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// decode reads an object; its numbers are texts, as they are written.
func decode(t testing.TB, object json.RawMessage) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func contains(text, part string) bool { return strings.Contains(text, part) }

// entryOf is the user of some entry.
func entryOf(t testing.TB, w *world) int64 {
	t.Helper()
	for object := range w.fake.Rows("time_entries") {
		user, err := decode(t, object)["user_id"].(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		return user
	}
	t.Fatal("there are no entries")
	return 0
}

func (w *world) companyID() int64 {
	w.t.Helper()
	for object := range w.fake.Rows("company") {
		id, err := decode(w.t, object)["id"].(json.Number).Int64()
		if err != nil {
			w.t.Fatal(err)
		}
		return id
	}
	w.t.Fatal("there is no company")
	return 0
}

var errUnexpected = errors.New("unexpected")

func unexpected(outcome jobs.Outcome, err error) error {
	return fmt.Errorf("%w: %+v, %w", errUnexpected, outcome, err)
}
