package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/migrations"
)

// maxConns is enough for the workers, their leases, the queue and the HTTP checks.
// minConns is how few serve: with fewer they wait for each other.
const (
	maxConns = 16
	minConns = 4
)

// openDatabase makes the pool of connections to DATABASE_URL. Where that is a
// reference it is resolved anew for every connection, so that a changed password
// takes effect; when Vault is out of reach the last answer serves.
func openDatabase(ctx context.Context, config Config, vault *Vault) (*pgxpool.Pool, error) {
	return openDatabaseWith(ctx, config, vault, nil)
}

// openDatabaseWith is openDatabase with more parameters of each session.
func openDatabaseWith(ctx context.Context, config Config, vault *Vault, parameters map[string]string) (*pgxpool.Pool, error) {
	address := config.DatabaseURL.Reveal()
	resolved, err := vault.Resolve(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("resolve DATABASE_URL: %w", err)
	}
	settings, err := poolSettings(resolved)
	if err != nil {
		return nil, err
	}
	if settings.ConnConfig.RuntimeParams["application_name"] == "" {
		settings.ConnConfig.RuntimeParams["application_name"] = "paymosync"
	}
	maps.Copy(settings.ConnConfig.RuntimeParams, parameters)
	if config.DatabaseURL.IsReference() {
		var mu sync.Mutex
		settings.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
			mu.Lock()
			defer mu.Unlock()
			if fresh, err := vault.Resolve(ctx, address); err == nil {
				resolved = fresh
			}
			now, err := pgx.ParseConfig(resolved)
			if err != nil {
				return fmt.Errorf("parse DATABASE_URL: %w", badAddress(err))
			}
			conn.Host, conn.Port, conn.User, conn.Password, conn.Database = now.Host, now.Port, now.User, now.Password, now.Database
			return nil
		}
	}
	return pgxpool.NewWithConfig(ctx, settings)
}

// openMigrated opens a database that has the layout of this version. It changes nothing,
// and says what is missing in one that has not.
func openMigrated(ctx context.Context, config Config, vault *Vault) (*pgxpool.Pool, error) {
	return openMigratedWith(ctx, config, vault, nil)
}

// openReadOnly is openMigrated with sessions that cannot write. A connection pooler that
// does not know how to begin such sessions gets the usual ones.
func openReadOnly(ctx context.Context, config Config, vault *Vault) (*pgxpool.Pool, error) {
	pool, err := openMigratedWith(ctx, config, vault, map[string]string{"default_transaction_read_only": "on"})
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == protocolViolation {
		return openMigrated(ctx, config, vault)
	}
	return pool, err
}

// protocolViolation is how PgBouncer answers a parameter that it does not know.
const protocolViolation = "08P01"

func openMigratedWith(ctx context.Context, config Config, vault *Vault, parameters map[string]string) (*pgxpool.Pool, error) {
	pool, err := openDatabaseWith(ctx, config, vault, parameters)
	if err != nil {
		return nil, err
	}
	pending, err := migrations.Pending(ctx, pool, config.WarehouseSchema)
	if err == nil && len(pending) > 0 {
		err = fmt.Errorf("the database lacks %d migrations: run paymosync migrate up", len(pending))
	}
	if err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// poolSettings reads a connection string. One that says how many connections there may
// be is heeded; the driver's own default follows the number of processors.
func poolSettings(address string) (*pgxpool.Config, error) {
	settings, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, newProblem("DATABASE_URL", "%v", badAddress(err))
	}
	plain, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, newProblem("DATABASE_URL", "%v", badAddress(err))
	}
	switch _, said := plain.RuntimeParams["pool_max_conns"]; {
	case said && settings.MaxConns < minConns:
		return nil, newProblem("DATABASE_URL", "pool_max_conns=%d is too few: give %d or more, or leave it out for %d", settings.MaxConns, minConns, maxConns)
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

// prepareDatabase makes sure that the database has the layout of this version:
// it migrates it, or refuses one that is behind.
func prepareDatabase(ctx context.Context, config Config, pool *pgxpool.Pool, log *slog.Logger) error {
	if !config.MigrateOnStart {
		pending, err := migrations.Pending(ctx, pool, config.WarehouseSchema)
		if err != nil {
			return err
		}
		if len(pending) > 0 {
			return fmt.Errorf("the database lacks %d migrations, the first is %s: run paymosync migrate up, or set MIGRATE_ON_START=true", len(pending), pending[0])
		}
		return nil
	}
	applied, err := migrations.Up(ctx, pool, config.WarehouseSchema)
	for _, step := range applied {
		log.InfoContext(ctx, "migrated", "step", step.String(), "took", step.Took)
	}
	return err
}
