package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// world is a Paymo, a database and the variables that lead the program to both.
type world struct {
	t         *testing.T
	paymo     *paymotest.Server
	url       string // of the Paymo
	pool      *pgxpool.Pool
	variables map[string]string
}

// agency is a company of the usual size.
func agency() paymotest.Config { return paymotest.Config{Seed: 7} }

// newWorld gives a test a world of its own: the company behind a real address, and a
// database that is migrated and empty.
func newWorld(t *testing.T, company paymotest.Config) *world {
	t.Helper()
	return newWorldOn(t, company, sinktest.Database(t))
}

// newWorldOn is newWorld with a database of the test's choice.
func newWorldOn(t *testing.T, company paymotest.Config, pool *pgxpool.Pool) *world {
	t.Helper()
	w := &world{t: t, paymo: paymotest.New(company), pool: pool}
	server := httptest.NewServer(w.paymo)
	t.Cleanup(server.Close)
	w.url = server.URL
	key := company.Key
	if key == "" {
		key = paymotest.DefaultKey
	}
	w.variables = map[string]string{
		"DATABASE_URL":   pool.Config().ConnString(),
		"HTTP_ADDR":      freeAddr(t),
		"PAYMO_API_KEY":  key,
		"PAYMO_BASE_URL": w.url,
	}
	return w
}

// with is the world with other variables. An empty value takes one away.
func (w *world) with(pairs ...string) *world {
	w.t.Helper()
	other := *w
	other.variables = maps.Clone(w.variables)
	for i := 0; i < len(pairs); i += 2 {
		other.variables[pairs[i]] = pairs[i+1]
		if pairs[i+1] == "" {
			delete(other.variables, pairs[i])
		}
	}
	return &other
}

// start starts the program.
func (w *world) start(args ...string) *child {
	w.t.Helper()
	return startChild(w.t, programPath(w.t), w.variables, args...)
}

// run runs the program to its end.
func (w *world) run(args ...string) result {
	w.t.Helper()
	return w.start(args...).wait()
}

// differences are those between all tables that are read and what the Paymo serves.
func (w *world) differences() []string {
	w.t.Helper()
	var all []string
	for _, resource := range catalog.All() {
		found, err := sinktest.Differences(w.t.Context(), w.pool, sinktest.Warehouse, resource, w.paymo.Rows(resource.Table))
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// mustEqual fails the test where a table is not what the Paymo serves.
func (w *world) mustEqual() {
	w.t.Helper()
	if found := w.differences(); len(found) > 0 {
		w.t.Fatalf("the warehouse is not Paymo's content:\n%s", strings.Join(found, "\n"))
	}
}

// bury has the program find out what the Paymo serves no more, which takes a full.
func (w *world) bury() {
	w.t.Helper()
	w.run("sync", "--full").mustExit(exitOK)
}

// value reads one value from the database.
func value[T any](w *world, sql string, arguments ...any) T {
	w.t.Helper()
	var v T
	if err := w.pool.QueryRow(w.t.Context(), sql, arguments...).Scan(&v); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// written tells of every row of the warehouse who wrote it, and counts what was ever
// inserted, updated or deleted there: two that are equal have nothing written between
// them. No program may run meanwhile.
func (w *world) written() map[string]string {
	w.t.Helper()
	// A program's counts arrive when its connections have closed, a little after its end.
	eventually(w.t, "the program's connections close", func() error {
		if open := value[int](w, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'paymosync'`); open > 0 {
			return fmt.Errorf("%d are open", open)
		}
		return nil
	})
	state := map[string]string{}
	for _, resource := range catalog.All() {
		name := sinktest.Warehouse + "." + resource.Table
		state[resource.Table] = value[string](w, `
			SELECT format('%s rows %s; inserted %s, updated %s, deleted %s',
				(SELECT count(*) FROM `+name+`),
				(SELECT md5(coalesce(string_agg(ctid || ' ' || xmin || ' ' || xmax, ',' ORDER BY ctid), '')) FROM `+name+`),
				n_tup_ins, n_tup_upd, n_tup_del)
			FROM pg_stat_all_tables
			WHERE relid = $1::regclass`, name)
	}
	return state
}

// mustBeUntouched fails the test where something was written since.
func (w *world) mustBeUntouched(since map[string]string) {
	w.t.Helper()
	now := w.written()
	for table, before := range since {
		if now[table] != before {
			w.t.Errorf("%s was written: %s, before: %s", table, now[table], before)
		}
	}
}

// ledger lists what the ledger says against a claim, given as the condition of the
// runs that break it.
func (w *world) ledger(condition string, arguments ...any) []string {
	w.t.Helper()
	return value[[]string](w, `
		SELECT coalesce(array_agg(format('%s %s (%s): %s %s', r.table_name, r.mode, r.reason, r.state, r.sentence) ORDER BY r.id), '{}')
		FROM paymosync.runs AS r
		WHERE `+condition, arguments...)
}

// mustHaveOneWriter fails the test where two runs of one table overlap, or one was
// taken over.
func (w *world) mustHaveOneWriter() {
	w.t.Helper()
	broken := w.ledger(`r.state = 'interrupted' OR r.finished_at IS NULL OR EXISTS (
		SELECT FROM paymosync.runs AS other
		WHERE other.table_name = r.table_name AND other.id <> r.id
			AND tstzrange(other.started_at, other.finished_at) && tstzrange(r.started_at, r.finished_at))`)
	if len(broken) > 0 {
		w.t.Errorf("two at once, or one that was taken over:\n%s", strings.Join(broken, "\n"))
	}
}

// mustNotOverlap fails the test where two runs of one table overlap that came to their end:
// when one ended that was killed, nobody knows.
func (w *world) mustNotOverlap() {
	w.t.Helper()
	if wrong := w.ledger(`r.state NOT IN ('interrupted', 'running') AND EXISTS (
		SELECT FROM paymosync.runs AS other
		WHERE other.table_name = r.table_name AND other.id <> r.id AND other.state NOT IN ('interrupted', 'running')
			AND tstzrange(other.started_at, other.finished_at) && tstzrange(r.started_at, r.finished_at))`); len(wrong) > 0 {
		w.t.Errorf("two writers at once:\n%v", wrong)
	}
}

// seed draws the seed of a test's chances, or takes PAYMOSYNC_SEED, and says which.
func seed(t *testing.T) *rand.Rand {
	t.Helper()
	n := uint64(time.Now().UnixNano())
	if text := os.Getenv("PAYMOSYNC_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("PAYMOSYNC_SEED: %v", err)
		}
	}
	t.Logf("repeat it with PAYMOSYNC_SEED=%d", n)
	return rand.New(rand.NewPCG(n, n))
}

// soak reports whether the long forms are to be run.
func soak() bool { return os.Getenv("PAYMOSYNC_SOAK") != "" }

// ownServer starts a PostgreSQL for one test, where others would disturb it.
func ownServer(t *testing.T) *sinktest.Server {
	t.Helper()
	return ownServerWith(t, sinktest.Options{})
}

func ownServerWith(t *testing.T, o sinktest.Options) *sinktest.Server {
	t.Helper()
	server, err := sinktest.Start(context.Background(), o)
	switch {
	case errors.Is(err, sinktest.ErrNoBinaries) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// open connects a test to a database.
func open(t *testing.T, address string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// withUser is the address for another user.
func withUser(t *testing.T, address, user, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}
