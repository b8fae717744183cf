package sinktest_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/migrations"
	"github.com/paymosync/paymosync/sink/sinktest"
)

func TestMain(m *testing.M) {
	// The child of TestServerEndsWithItsProcess: it starts a server, says where, and
	// waits to be killed.
	if os.Getenv("SINKTEST_CHILD") == "1" {
		server, err := sinktest.Start(context.Background(), sinktest.Options{})
		if err != nil {
			panic(err)
		}
		if _, err := os.Stdout.WriteString(server.URL() + "\n"); err != nil {
			panic(err)
		}
		select {}
	}
	sinktest.Main(m)
}

func TestDatabaseIsMigratedAndItsOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one", "other"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := sinktest.Database(t)
			pending, err := migrations.Pending(t.Context(), pool, sinktest.Warehouse)
			if err != nil || len(pending) > 0 {
				t.Fatalf("pending migrations: %v, %v", pending, err)
			}
			// Both insert the same id: were the database shared, one would fail.
			if _, err := pool.Exec(t.Context(), `INSERT INTO paymo.clients (id, _synced_at) VALUES (1, now())`); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDatabaseIsDropped(t *testing.T) {
	t.Parallel()
	var databaseURL string
	t.Run("use", func(t *testing.T) { databaseURL = sinktest.Empty(t).Config().ConnString() })
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err == nil {
		conn.Close(t.Context())
		t.Fatal("the database is still there")
	}
	if !strings.Contains(err.Error(), "does not exist") {
		t.Fatal(err)
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	server := start(t, sinktest.Options{Durable: true})
	pool, err := pgxpool.New(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	var fsync, addresses, data string
	err = pool.QueryRow(t.Context(), `SELECT current_setting('fsync'), current_setting('listen_addresses'), current_setting('data_directory')`).
		Scan(&fsync, &addresses, &data)
	pool.Close()
	if err != nil || fsync != "on" || addresses != "127.0.0.1" {
		t.Errorf("fsync %q, listen_addresses %q, %v", fsync, addresses, err)
	}

	wrong, _ := url.Parse(server.URL())
	wrong.User = url.UserPassword("postgres", "guess")
	if conn, err := pgx.Connect(t.Context(), wrong.String()); err == nil {
		conn.Close(t.Context())
		t.Error("the server takes any password")
	}

	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if err := server.Stop(); err != nil {
		t.Errorf("stop again: %v", err)
	}
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data is still there: %v", err)
	}
	if conn, err := pgx.Connect(t.Context(), server.URL()); err == nil {
		conn.Close(t.Context())
		t.Error("the server still answers")
	}
}

func TestStartReportsWhatFailed(t *testing.T) {
	t.Parallel()
	if _, err := sinktest.Start(t.Context(), sinktest.Options{Bin: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "initdb") {
		t.Errorf("from an empty directory: %v", err)
	}
	bin := binaries(t)

	// A server that ends at once: its last words are in the error.
	broken := t.TempDir()
	if err := os.Chmod(broken, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, script := range map[string]string{
		"initdb":   "exec " + filepath.Join(bin, "initdb") + ` "$@"`,
		"postgres": "echo FATAL: no luck >&2; exit 1",
	} {
		// A process that is forked meanwhile would hold the file open, which then cannot be run.
		syscall.ForkLock.RLock()
		err := os.WriteFile(filepath.Join(broken, path), []byte("#!/bin/sh\n"+script+"\n"), 0o755)
		syscall.ForkLock.RUnlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sinktest.Start(t.Context(), sinktest.Options{Bin: reachable(t, broken)}); err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Errorf("from a broken server: %v", err)
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sinktest.Start(ended, sinktest.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

// The process that started the server is killed: the server ends all the same.
func TestServerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	binaries(t)
	child := exec.Command(os.Args[0])
	child.Env = slices.Concat(os.Environ(), []string{"SINKTEST_CHILD=1"})
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 4096)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(string(line[:n]))
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatalf("connect to %s: %v", address, err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	// The session lasts until the server ends it.
	for err = nil; err == nil; {
		_, err = conn.Exec(t.Context(), `SELECT pg_sleep(0.02)`)
	}
	if t.Context().Err() != nil {
		t.Fatal("the server still runs")
	}
}

// reachable makes a directory of the test's one that any user can reach.
func reachable(t *testing.T, dir string) string {
	t.Helper()
	for parent := dir; parent != filepath.Dir(parent) && parent != os.TempDir(); parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func binaries(t *testing.T) string {
	t.Helper()
	bin, err := sinktest.FindBinaries()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return bin
}

func start(t *testing.T, o sinktest.Options) *sinktest.Server {
	t.Helper()
	binaries(t)
	server, err := sinktest.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}
