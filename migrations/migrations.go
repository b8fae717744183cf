// Package migrations brings a database to the layout that this version needs.
//
// There are three sets, each in a schema of its own: paymosync's bookkeeping, River's
// queue, and the warehouse, whose schema the operator names. A database has all three, or
// the queue's alone, or the other two: rows and checkpoints commit together. They are
// applied under one lock, so that any number of processes may start at once.
package migrations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// The schemas whose names are fixed.
const (
	BookkeepingSchema = "paymosync"
	RiverSchema       = "river"
)

// ErrNewer says that a newer paymosync has migrated the database: this one does not
// know what it would break.
var ErrNewer = errors.New("the database was migrated by a newer paymosync")

// Step is one migration of one set.
type Step struct {
	Set       string
	Version   int64
	Name      string
	AppliedAt time.Time // zero while it is pending
}

// Pending reports whether the step has still to be applied.
func (s Step) Pending() bool { return s.AppliedAt.IsZero() }

// String names the step as its file does: warehouse 00001_tables.
func (s Step) String() string { return fmt.Sprintf("%s %05d_%s", s.Set, s.Version, s.Name) }

// Applied is a step that a call of Up applied.
type Applied struct {
	Step
	Took time.Duration
}

// Up applies what is pending of the named sets, or of all, the warehouse's set in the
// schema named warehouse, and returns what it applied, also beside an error. It creates the schemas that are
// missing. With nothing pending it needs no rights and writes nothing. Concurrent
// calls wait for each other, across processes.
func Up(ctx context.Context, pool *pgxpool.Pool, warehouse string, sets ...string) ([]Applied, error) {
	pending, err := Pending(ctx, pool, warehouse, sets...)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	if err := allowed(ctx, pool, warehouse, sets); err != nil {
		return nil, err
	}
	release, err := lock(ctx, pool)
	if err != nil {
		return nil, err
	}
	defer release()

	// Another process may have done the work while this one waited, or be newer.
	pending, err = Pending(ctx, pool, warehouse, sets...)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	if err := prepare(ctx, pool, warehouse, sets); err != nil {
		return nil, err
	}
	var applied []Applied
	for _, set := range chosen(sets) {
		done, err := upSet(ctx, pool, set, warehouse)
		applied = append(applied, done...)
		if err != nil {
			return applied, err
		}
	}
	return applied, nil
}

func upSet(ctx context.Context, pool *pgxpool.Pool, set, warehouse string) ([]Applied, error) {
	if set == River {
		return upRiver(ctx, pool)
	}
	return upGoose(ctx, pool, set, warehouse)
}

// prepare creates the missing schemas and the table of applied migrations. River keeps
// its own.
func prepare(ctx context.Context, pool *pgxpool.Pool, warehouse string, sets []string) error {
	for _, schema := range schemas(sets, warehouse) {
		// Not IF NOT EXISTS alone: that asks for the right to create even where the schema
		// is there, and a careful administrator may have made it and kept the right.
		var exists bool
		if err := pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, schema).Scan(&exists); err != nil {
			return fmt.Errorf("look for schema %s: %w", schema, err)
		}
		if exists {
			continue
		}
		if _, err := pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+quote(schema)); err != nil {
			return fmt.Errorf("create schema %s: %w", schema, err)
		}
	}
	if !slices.Contains(chosen(sets), Bookkeeping) {
		return nil
	}
	if _, err := pool.Exec(ctx, createVersions); err != nil {
		return fmt.Errorf("create paymosync.migrations: %w", err)
	}
	return nil
}

// upGoose applies a set of SQL files.
func upGoose(ctx context.Context, pool *pgxpool.Pool, set, warehouse string) ([]Applied, error) {
	files, err := files(set, warehouse)
	if err != nil {
		return nil, err
	}
	store, err := database.NewStoreFromQuerier(versionsTable, versions{key: versionsKey(set, warehouse)})
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close() // the pool stays open
	provider, err := goose.NewProvider(goose.DialectCustom, db, files,
		goose.WithStore(store), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("read the %s migrations: %w", set, err)
	}
	results, err := provider.Up(ctx)
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		results = partial.Applied
		err = fmt.Errorf("apply %s: %w", fileStep(set, partial.Failed.Source.Version, partial.Failed.Source.Path), explain(partial.Err, warehouse))
	} else if err != nil {
		err = fmt.Errorf("apply the %s migrations: %w", set, err)
	}
	applied := make([]Applied, 0, len(results))
	for _, r := range results {
		applied = append(applied, Applied{Step: fileStep(set, r.Source.Version, r.Source.Path), Took: r.Duration})
	}
	return applied, err
}

// upRiver applies River's migrations.
func upRiver(ctx context.Context, pool *pgxpool.Pool) ([]Applied, error) {
	migrator, err := riverMigrator(pool)
	if err != nil {
		return nil, err
	}
	result, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return nil, fmt.Errorf("apply the river migrations: %w", err)
	}
	applied := make([]Applied, 0, len(result.Versions))
	for _, v := range result.Versions {
		applied = append(applied, Applied{Step: Step{Set: River, Version: int64(v.Version), Name: riverName(v.Name)}, Took: v.Duration})
	}
	return applied, nil
}

func riverMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool),
		&rivermigrate.Config{Schema: RiverSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("read the river migrations: %w", err)
	}
	return migrator, nil
}
