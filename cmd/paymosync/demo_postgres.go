package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/paymosync/paymosync/sink/sinktest"
)

// demoPrefix begins the names of the databases that demos make on a server that is
// not their own.
const demoPrefix = "paymosync_demo_"

// demoDropTime is how long dropping such a database may take.
const demoDropTime = 10 * time.Second

// demoDatabase is the database of a demo.
type demoDatabase struct {
	demoPart
	url  string
	psql string // the command that opens it
}

// startDemoDatabase gives the demo an empty database: on the server of DATABASE_URL,
// or on a server started for it.
func (p *program) startDemoDatabase(ctx context.Context) (demoDatabase, error) {
	env, err := ReadEnvironment(p.environ, p.envFile)
	if err != nil {
		return demoDatabase{}, err
	}
	if address, ok := env.Lookup("DATABASE_URL"); ok {
		return p.createDemoDatabase(ctx, address)
	}
	bin, err := sinktest.FindBinaries()
	switch {
	case err == nil:
	case os.Geteuid() == 0:
		// PostgreSQL runs as another user then, who cannot read what lies in root's home.
		return demoDatabase{}, fmt.Errorf("%w, set DATABASE_URL, or run as an ordinary user: then one is downloaded", err)
	default:
		if bin, err = p.fetchPostgres(ctx); err != nil {
			return demoDatabase{}, err
		}
	}
	server, err := sinktest.Start(ctx, sinktest.Options{Bin: bin, Durable: true})
	if err != nil {
		return demoDatabase{}, err
	}
	address, err := url.Parse(server.URL())
	if err != nil {
		return demoDatabase{}, errors.Join(err, server.Stop())
	}
	address.RawQuery = "" // for people: it need not fit this one server
	return demoDatabase{
		demoPart: demoPart{
			name:    "PostgreSQL",
			address: address.Host + ", from " + bin,
			stopped: "Stopped PostgreSQL and deleted its data.",
			stop:    server.Stop,
		},
		url:  server.URL(),
		psql: "psql " + address.String(),
	}, nil
}

// createDemoDatabase makes a database of the demo's own on somebody's server. The
// database that the address names may hold a real warehouse, so nothing is written
// to it; and each demo begins with a new company, which an old demo's database would
// not fit.
func (p *program) createDemoDatabase(ctx context.Context, address string) (demoDatabase, error) {
	if NewSecret(address).IsReference() {
		return demoDatabase{}, newProblem("DATABASE_URL", "the demo asks no Vault: give a URL such as postgres://user@host:5432/postgres, or unset it for a PostgreSQL that is started for the demo")
	}
	settings, err := pgx.ParseConfig(address)
	if err != nil {
		return demoDatabase{}, newProblem("DATABASE_URL", "%v", badAddress(err))
	}
	name := demoPrefix + strings.ToLower(rand.Text()[:8])
	err = onServer(ctx, settings, func(conn *pgx.Conn) error {
		left, err := leftDatabases(ctx, conn)
		if err != nil {
			return err
		}
		for _, old := range left {
			p.tell("  an earlier demo was killed and left a database behind: DROP DATABASE %s;", old)
		}
		_, err = conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0")
		return err
	})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42501" {
		return demoDatabase{}, fmt.Errorf("user %s of DATABASE_URL may not create a database, and the demo does not write to one that may hold something: "+
			"ALTER ROLE %s CREATEDB, or unset DATABASE_URL for a PostgreSQL that is started for the demo", settings.User, pgx.Identifier{settings.User}.Sanitize())
	}
	if err != nil {
		return demoDatabase{}, fmt.Errorf("create a database for the demo on the server of DATABASE_URL: %w", err)
	}
	there, psql := inDatabase(address, name)
	return demoDatabase{
		demoPart: demoPart{
			name:    "PostgreSQL",
			address: fmt.Sprintf("%s, database %s, made for the demo", net.JoinHostPort(settings.Host, strconv.Itoa(int(settings.Port))), name),
			stopped: "Dropped the database " + name + "; nothing is left on the server.",
			stop: func() error {
				ctx, cancel := context.WithTimeout(context.Background(), demoDropTime)
				defer cancel()
				err := onServer(ctx, settings, func(conn *pgx.Conn) error {
					_, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
					return err
				})
				if err != nil {
					return fmt.Errorf("the database %s is left on the server of DATABASE_URL, drop it yourself: %w", name, err)
				}
				return nil
			},
		},
		url:  there,
		psql: psql,
	}, nil
}

// onServer works with a connection of its own.
func onServer(ctx context.Context, settings *pgx.ConnConfig, work func(*pgx.Conn) error) error {
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return err
	}
	return errors.Join(work(conn), conn.Close(ctx))
}

// leftDatabases are the demos' databases that nobody uses.
func leftDatabases(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `
		SELECT datname
		FROM pg_database AS d
		WHERE starts_with(datname, $1)
			AND NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datname = d.datname)`, demoPrefix)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// inDatabase is the address with another database in it, and the command that opens
// that. The command shows no password.
func inDatabase(address, name string) (there, psql string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		// Settings as name=value: the last one of a name counts.
		return address + " dbname=" + name, "psql, with the settings of DATABASE_URL and dbname=" + name
	}
	query := u.Query()
	query.Del("dbname")
	query.Del("database")
	u.Path, u.RawQuery = "/"+name, query.Encode()
	there = u.String()
	query.Del("password")
	u.RawQuery = query.Encode()
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	return there, "psql '" + u.String() + "'"
}
