package main

import (
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/paymosync/paymosync/sink/sinktest"
)

// pooler starts what stands between the program and PostgreSQL as PgBouncer does: it
// refuses sessions that begin with a parameter that it does not know. It returns its
// address for the database.
func pooler(t *testing.T, address string) string {
	t.Helper()
	server, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	network, target := pgconn.NetworkAddress(server.Host, server.Port)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pass(client, network, target)
		}
	}()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Del("host")
	query.Del("port")
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = listener.Addr().String(), query.Encode()
	return u.String()
}

// pass passes a session on, or refuses it.
func pass(client net.Conn, network, target string) {
	defer client.Close()
	backend := pgproto3.NewBackend(client, client)
	message, err := backend.ReceiveStartupMessage()
	if err != nil {
		return
	}
	startup, ok := message.(*pgproto3.StartupMessage)
	if !ok { // a request to cancel, which may be lost
		return
	}
	if _, unknown := startup.Parameters["default_transaction_read_only"]; unknown {
		backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: protocolViolation, Message: "unsupported startup parameter: default_transaction_read_only"})
		_ = backend.Flush()
		return
	}
	server, err := (&net.Dialer{Timeout: 10 * time.Second}).Dial(network, target)
	if err != nil {
		return
	}
	defer server.Close()
	begin, err := startup.Encode(nil)
	if err != nil {
		return
	}
	if _, err := server.Write(begin); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}

// A plan's sessions cannot write, where the way to PostgreSQL takes such sessions; else
// they are the usual ones.
func TestReadOnlySessions(t *testing.T) {
	t.Parallel()
	database := sinktest.Database(t)
	for name, tt := range map[string]struct {
		address string
		setting string
	}{
		"straight": {database.Config().ConnString(), "on"},
		"pooler":   {pooler(t, database.Config().ConnString()), "off"},
	} {
		config := Config{DatabaseURL: NewSecret(tt.address), WarehouseSchema: sinktest.Warehouse}
		pool, err := openReadOnly(t.Context(), config, &Vault{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var setting string
		if err := pool.QueryRow(t.Context(), `SHOW transaction_read_only`).Scan(&setting); err != nil || setting != tt.setting {
			t.Errorf("%s: read-only is %s, %v", name, setting, err)
		}
		pool.Close()
	}
}
