package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/migrations"
)

// maxConns is enough for the workers, their leases, the queue and the HTTP checks.
// minConns is how few serve: with fewer they wait for each other.
const (
	maxConns = 16
	minConns = 4
)

// database is one that a command has opened.
type database struct {
	*pgxpool.Pool
	place
	schema string       // of the warehouse
	leased *credentials // nil where the address has the user and the password
}

// Close closes the connections, and gives back the credentials that Vault made for them.
func (d *database) Close() {
	d.Pool.Close()
	if d.leased != nil {
		d.leased.Close()
	}
}

// openDatabase makes the pool of connections to a place. Where its address is a
// reference it is resolved anew for every connection, so that a changed password
// takes effect; when Vault is out of reach the last answer serves. The parameters are
// of each session, beyond those of the address.
func openDatabase(ctx context.Context, config Config, where place, vault *Vault, parameters map[string]string) (*database, error) {
	address := where.address.Reveal()
	resolved, err := vault.Resolve(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", where.variable, err)
	}
	settings, err := poolSettings(where.variable, resolved)
	if err != nil {
		return nil, err
	}
	if settings.ConnConfig.RuntimeParams["application_name"] == "" {
		settings.ConnConfig.RuntimeParams["application_name"] = "paymosync"
	}
	maps.Copy(settings.ConnConfig.RuntimeParams, parameters)
	if where.address.IsReference() {
		var mu sync.Mutex
		settings.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
			mu.Lock()
			defer mu.Unlock()
			if fresh, err := vault.Resolve(ctx, address); err == nil {
				resolved = fresh
			}
			now, err := pgx.ParseConfig(resolved)
			if err != nil {
				return fmt.Errorf("parse %s: %w", where.variable, badAddress(err))
			}
			conn.Host, conn.Port, conn.User, conn.Password, conn.Database = now.Host, now.Port, now.User, now.Password, now.Database
			return nil
		}
	}
	opened := &database{place: where, schema: config.WarehouseSchema}
	if where.credentials != "" {
		opened.leased = keepCredentials(vault, where.credentials)
		opened.leased.changed = func() { opened.Reset() }
		before := settings.BeforeConnect
		settings.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
			if before != nil {
				if err := before(ctx, conn); err != nil {
					return err
				}
			}
			return opened.leased.connect(ctx, conn)
		}
	}
	if opened.Pool, err = pgxpool.NewWithConfig(ctx, settings); err != nil {
		if opened.leased != nil {
			opened.leased.Close()
		}
		return nil, err
	}
	return opened, nil
}

// poolSettings reads a connection string. One that says how many connections there may
// be is heeded; the driver's own default follows the number of processors.
func poolSettings(variable, address string) (*pgxpool.Config, error) {
	settings, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, newProblem(variable, "%v", badAddress(err))
	}
	plain, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, newProblem(variable, "%v", badAddress(err))
	}
	switch _, said := plain.RuntimeParams["pool_max_conns"]; {
	case said && settings.MaxConns < minConns:
		return nil, newProblem(variable, "pool_max_conns=%d is too few: give %d or more, or leave it out for %d", settings.MaxConns, minConns, maxConns)
	case !said:
		settings.MaxConns = max(settings.MaxConns, maxConns)
	}
	return settings, nil
}

// badAddress is what is wrong with a connection string, without repeating it.
func badAddress(err error) error {
	if cause := errors.Unwrap(err); cause != nil {
		return fmt.Errorf("it is not a PostgreSQL connection string: %w", cause)
	}
	return errors.New("it is not a PostgreSQL connection string")
}

// layout says what the database lacks of this version's layout, or has beyond it.
func (d *database) layout(ctx context.Context) error {
	pending, err := d.pending(ctx)
	if err == nil && len(pending) > 0 {
		err = fmt.Errorf("%s lacks %d migrations, the first is %s: run paymosync migrate up, or set MIGRATE_ON_START=true", d.name(), len(pending), pending[0])
	}
	return err
}

func (d *database) pending(ctx context.Context) ([]migrations.Step, error) {
	return migrations.Pending(ctx, d.Pool, d.schema, d.sets...)
}

// prepare makes sure that the database has the layout of this version: it migrates it,
// or refuses one that is behind.
func (d *database) prepare(ctx context.Context, config Config, log *slog.Logger) error {
	if !config.MigrateOnStart {
		return d.layout(ctx)
	}
	applied, err := migrations.Up(ctx, d.Pool, d.schema, d.sets...)
	for _, step := range applied {
		log.InfoContext(ctx, "migrated", "step", step.String(), "took", step.Took)
	}
	return err
}
