package sinktest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/migrations"
)

// Warehouse is the schema that holds the tables in the databases of Database.
const Warehouse = "paymo"

// Main runs a package's tests and then stops the server that they shared. Without it
// the server stops too, but shortly after the tests rather than before their end.
func Main(m *testing.M) {
	code := m.Run()
	if err := Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Stop stops the server that the tests of this process share, if one was started. It
// is for a TestMain that has more to do than Main does; no test may run any more.
func Stop() error {
	if server := started.Load(); server != nil {
		return server.Stop()
	}
	return nil
}

// Database gives a test a migrated database of its own, empty but for that, with the
// warehouse in the schema named by Warehouse. It is dropped with the test, or kept for
// a look when the test failed.
//
// The database is on the server of TEST_DATABASE_URL, whose role must be allowed to
// create databases, else on a server of the process's own. Where neither can be had the
// test is skipped, or fails when CI is set to true.
func Database(t testing.TB) *pgxpool.Pool {
	t.Helper()
	server := need(t)
	template, err := server.template()
	if err != nil {
		t.Fatalf("make the template of test databases: %v", err)
	}
	return server.database(t, template)
}

// Empty gives a test an empty database, as Database does a migrated one.
func Empty(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return need(t).database(t, "template0")
}

// sharedServer is the server that the tests of this process share.
type sharedServer struct {
	url      string
	own      *Server // nil for that of TEST_DATABASE_URL
	template func() (string, error)
}

// shared starts it when the first test asks. There is one a process, because a start
// takes longer than most tests.
//
//nolint:gochecknoglobals // what the tests of a process share has no other place
var shared = sync.OnceValues(func() (*sharedServer, error) {
	s := &sharedServer{url: os.Getenv("TEST_DATABASE_URL")}
	s.template = sync.OnceValues(s.makeTemplate)
	if s.url == "" {
		own, err := Start(context.Background(), Options{})
		if err != nil {
			return nil, err
		}
		s.own, s.url = own, own.URL()
		started.Store(own)
	}
	return s, nil
})

// started is the server that shared started, if it did: to stop it must not start it.
//
//nolint:gochecknoglobals // it belongs to shared
var started atomic.Pointer[Server]

func need(t testing.TB) *sharedServer {
	t.Helper()
	server, err := shared()
	switch {
	case err == nil:
	case errors.Is(err, ErrNoBinaries) && os.Getenv("CI") != "true":
		t.Skipf("needs PostgreSQL: set TEST_DATABASE_URL, or have a server to start: %v", err)
	default:
		t.Fatalf("needs PostgreSQL: set TEST_DATABASE_URL, or have a server to start: %v", err)
	}
	return server
}

func (s *sharedServer) database(t testing.TB, template string) *pgxpool.Pool {
	t.Helper()
	ctx := context.Background()
	name := "paymosync_test_" + strings.ToLower(rand.Text())
	if err := s.do(ctx, s.url, fmt.Sprintf(`CREATE DATABASE %s TEMPLATE %s`, name, template)); err != nil {
		t.Fatalf("create a test database: %v", err)
	}
	databaseURL := withDatabase(s.url, name)
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		t.Fatalf("connect to the test database: %v", err)
	}
	t.Cleanup(func() {
		pool.Close()
		if t.Failed() && s.own == nil {
			t.Logf("the database is kept: %s", databaseURL)
			return
		}
		if err := s.do(ctx, s.url, fmt.Sprintf(`DROP DATABASE %s WITH (FORCE)`, name)); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return pool
}

// makeTemplate makes the database that those of the tests are copies of, once for each
// state of the migrations and server. To copy it takes a fraction of migrating anew.
func (s *sharedServer) makeTemplate() (string, error) {
	ctx := context.Background()
	fingerprint, err := migrations.Fingerprint()
	if err != nil {
		return "", err
	}
	name := "paymosync_template_" + fingerprint
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	// The tests of several packages run at once, each in a process, maybe on one server.
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtext($1))`, name); err != nil {
		return "", err
	}
	var ready bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&ready)
	if err != nil || ready {
		return name, err
	}
	// It gets its name when it is complete; what is left of a killed attempt goes.
	making := name + "_making"
	if err := s.do(ctx, s.url, `DROP DATABASE IF EXISTS `+making+` WITH (FORCE)`); err != nil {
		return "", err
	}
	if err := s.do(ctx, s.url, `CREATE DATABASE `+making+` TEMPLATE template0`); err != nil {
		return "", err
	}
	pool, err := pgxpool.New(ctx, withDatabase(s.url, making))
	if err != nil {
		return "", err
	}
	_, err = migrations.Up(ctx, pool, Warehouse)
	pool.Close()
	if err != nil {
		return "", err
	}
	return name, s.do(ctx, s.url, fmt.Sprintf(`ALTER DATABASE %s RENAME TO %s`, making, name))
}

// do runs a statement in a connection of its own. While another session, such as one
// that is just ending, is connected to a database, PostgreSQL refuses to copy or rename
// it: then it is tried again.
func (s *sharedServer) do(ctx context.Context, databaseURL, statement string) error {
	const objectInUse, attempts = "55006", 5
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for attempt := 1; ; attempt++ {
		// PostgreSQL itself waits for five seconds before it refuses.
		_, err = conn.Exec(ctx, statement)
		refused, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || refused.Code != objectInUse || attempt == attempts {
			return err
		}
	}
}

// withDatabase is the address of another database of the same server.
func withDatabase(databaseURL, name string) string {
	if u, err := url.Parse(databaseURL); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		u.Path = "/" + name
		return u.String()
	}
	return databaseURL + " dbname=" + name // a list of key=value; the last wins
}
