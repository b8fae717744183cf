package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// authority signs certificates, for the test alone.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key, _ = a.sign("authority", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	return a
}

// sign makes a certificate and its key, as PEM: its own when there is no authority yet.
func (a *authority) sign(name string, change func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey, [2]string) {
	a.t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	change(template)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key, [2]string{
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})),
	}
}

// server signs a certificate of a server on the loopback address.
func (a *authority) server() [2]string {
	_, _, pair := a.sign("server", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	return pair
}

// file writes a text where only this user can read it.
func (a *authority) file(name, text string) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// root is the file with the authority's own certificate.
func (a *authority) root() string {
	return a.file("root.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})))
}

// secureDatabase starts a PostgreSQL that talks TLS alone, and takes a certificate of the
// authority for the password of its superuser's.
func secureDatabase(t *testing.T, a *authority) *url.URL {
	t.Helper()
	server := ownServer(t)
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	run := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	// The server writes the files itself, since they must be its own user's.
	write := func(name, text string) {
		t.Helper()
		run(`COPY (SELECT unnest(string_to_array($$` + strings.TrimSpace(text) + `$$, E'\n'))) TO PROGRAM 'umask 077; cat > ` + name + `'`)
	}
	pair := a.server()
	root, err := os.ReadFile(a.root())
	if err != nil {
		t.Fatal(err)
	}
	write("server.crt", pair[0])
	write("server.key", pair[1])
	write("root.crt", string(root))
	write("pg_hba.conf", "hostssl all postgres 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 scram-sha-256")
	run(`CREATE ROLE plain LOGIN SUPERUSER PASSWORD 'plain'`)
	run(`ALTER SYSTEM SET ssl = on`)
	run(`ALTER SYSTEM SET ssl_ca_file = 'root.crt'`)
	run(`SELECT pg_reload_conf()`)
	u, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// addressed is the address for a user, with the parameters.
func addressed(u *url.URL, user *url.Userinfo, pairs ...string) string {
	other, query := *u, url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	other.User, other.RawQuery = user, query.Encode()
	return other.String()
}

// TLS to PostgreSQL is as the address says.
func TestProgramTLSToPostgreSQL(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	database := secureDatabase(t, a)
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 50}).with("SYNC_TABLES", "clients")
	password := url.UserPassword("plain", "plain")
	as := func(user *url.Userinfo, pairs ...string) *world {
		return w.with("DATABASE_URL", addressed(database, user, pairs...))
	}

	as(password, "sslmode", "disable").run("migrate", "up").mustExit(exitUnwell).mustSay("no encryption")
	as(password, "sslmode", "verify-full", "sslrootcert", stranger.root()).run("migrate", "up").mustExit(exitUnwell).mustSay("certificate")
	trusting := as(password, "sslmode", "verify-full", "sslrootcert", a.root())
	trusting.run("migrate", "up").mustExit(exitOK)
	trusting.run("sync").mustExit(exitOK)

	elsewhere := *database
	elsewhere.Host = "localhost:" + database.Port() // the certificate does not name it
	w.with("DATABASE_URL", addressed(&elsewhere, password, "sslmode", "verify-full", "sslrootcert", a.root())).
		run("sync").mustExit(exitUnwell).mustSay("localhost")

	_, _, pair := a.sign("postgres", func(*x509.Certificate) {})
	shown := []string{"sslmode", "verify-full", "sslrootcert", a.root(), "sslcert", a.file("client.crt", pair[0]), "sslkey", a.file("client.key", pair[1])}
	as(url.User("postgres"), shown...).run("sync").mustExit(exitOK)
	as(url.User("postgres"), shown[:4]...).run("sync").mustExit(exitUnwell).mustSay("certificate")
}

// TLS to Vault is as its address and its authority say.
func TestProgramTLSToVault(t *testing.T) {
	t.Parallel()
	vault := startVault(t)
	w := newVaultWorld(t, vault, paymotest.Config{Seed: 7, Entries: 50}, map[string]any{}).with("SYNC_TABLES", "clients")
	target, err := url.Parse(vault.addr)
	if err != nil {
		t.Fatal(err)
	}
	a, stranger := newAuthority(t), newAuthority(t)
	pair := a.server()
	cert, err := tls.X509KeyPair([]byte(pair[0]), []byte(pair[1]))
	if err != nil {
		t.Fatal(err)
	}
	transport := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	front := httptest.NewUnstartedServer(transport)
	front.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	front.StartTLS()
	t.Cleanup(front.Close)
	secure := w.with("VAULT_ADDR", front.URL)
	secure.with("VAULT_CACERT", a.root()).run("sync").mustExit(exitOK)
	secure.with("VAULT_CACERT", stranger.root()).run("sync").mustExit(exitUnwell).mustSay("VAULT_CACERT")
	secure.run("sync").mustExit(exitUnwell).mustSay("VAULT_CACERT")
}
