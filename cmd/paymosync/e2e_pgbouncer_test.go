package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/sink/sinktest"
)

// startPgBouncer puts a PgBouncer in transaction mode before the address's database, with
// few connections to it, and returns the address through it.
func startPgBouncer(t *testing.T, address string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer"
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("no PgBouncer: install the package pgbouncer")
	}
	server, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	listen := freeAddr(t)
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf(`[databases]
* = host=%s port=%d user=%s password=%s
[pgbouncer]
listen_addr = %s
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
`, server.Host, server.Port, server.User, server.Password, host, port)
	if os.Geteuid() == 0 {
		settings += "user = nobody\n"
	}
	file := filepath.Join(t.TempDir(), "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	var said output
	command := exec.Command(program, "-q", file)
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	eventually(t, "PgBouncer listens", func() error {
		conn, err := net.Dial("tcp", listen)
		if err != nil {
			return fmt.Errorf("%w: %s", err, said.String())
		}
		return conn.Close()
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host, u.RawQuery = listen, "sslmode=disable&default_query_exec_mode=cache_describe"
	return u.String()
}

// Through PgBouncer in transaction mode the service migrates, syncs and works its queue.
func TestProgramPgBouncer(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, agency(), sinktest.Empty(t))
	w = w.with("DATABASE_URL", startPgBouncer(t, w.variables["DATABASE_URL"]), "QUEUE_POLL_ONLY", "true", "SYNC_SCHEDULE", "@every 2s")
	service := w.start("serve")
	w.awaitReady(30 * time.Second)
	w.awaitFresh(60 * time.Second)
	w.paymo.Work(50)
	w.awaitFresh(60 * time.Second)
	for _, command := range [][]string{{"sync", "--full"}, {"plan"}, {"verify"}, {"status"}, {"runs"}, {"check"}} {
		w.run(command...).mustExit(exitOK)
	}
	if r := service.mustStop(); strings.Contains(r.err, "level=ERROR") {
		t.Errorf("%s", r.err)
	}
	if wrong := w.ledger(`r.state NOT IN ('ok', 'interrupted')`); len(wrong) > 0 {
		t.Errorf("runs that did not end well:\n%v", wrong)
	}
	w.mustEqual()
}
