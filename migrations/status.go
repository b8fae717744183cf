package migrations

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
)

// Status lists every migration of the named sets, or of all three, in the order in which they are
// applied, with the time at which each was. It writes and creates nothing. A database
// that a newer paymosync has migrated is an error, ErrNewer.
func Status(ctx context.Context, pool *pgxpool.Pool, warehouse string, sets ...string) ([]Step, error) {
	if err := usable(warehouse); err != nil {
		return nil, err
	}
	known, err := knownSteps(warehouse, sets)
	if err != nil {
		return nil, err
	}
	var applied map[stepKey]time.Time
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := supported(ctx, tx); err != nil {
			return err
		}
		applied, err = appliedSteps(ctx, tx, warehouse, sets)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, step := range known {
		key := stepKey{step.Set, step.Version}
		known[i].AppliedAt = applied[key]
		delete(applied, key)
	}
	for key := range applied {
		return nil, fmt.Errorf("%w: migration %d of the %s set is unknown to this one: run that version, or a newer one",
			ErrNewer, key.version, key.set)
	}
	return known, nil
}

// Pending lists the migrations that Up would apply, in order.
func Pending(ctx context.Context, pool *pgxpool.Pool, warehouse string, sets ...string) ([]Step, error) {
	steps, err := Status(ctx, pool, warehouse, sets...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(steps, func(s Step) bool { return !s.Pending() }), nil
}

type stepKey struct {
	set     string
	version int64
}

// knownSteps are the migrations in this program, in the order of their application.
func knownSteps(warehouse string, sets []string) ([]Step, error) {
	var steps []Step
	for _, set := range chosen(sets) {
		if set == River {
			migrator, err := riverMigrator(nil)
			if err != nil {
				return nil, err
			}
			for _, m := range migrator.AllVersions() {
				steps = append(steps, Step{Set: River, Version: int64(m.Version), Name: riverName(m.Name)})
			}
			continue
		}
		dir, err := files(set, warehouse)
		if err != nil {
			return nil, err
		}
		names, err := fs.Glob(dir, "*.sql")
		if err != nil {
			return nil, fmt.Errorf("read the %s migrations: %w", set, err)
		}
		for _, name := range names {
			version, err := goose.NumericComponent(name)
			if err != nil {
				return nil, fmt.Errorf("read the %s migrations: %s: %w", set, name, err)
			}
			steps = append(steps, fileStep(set, version, name))
		}
	}
	return steps, nil
}

const listVersions = `
SELECT version, applied_at
FROM ` + versionsTable + `
WHERE set_name = $1 AND version > 0`

// Through jsonb, because River's first four migrations have no column "line".
const listRiver = `
SELECT version, created_at
FROM ` + RiverSchema + `.river_migration AS m
WHERE coalesce(to_jsonb(m) ->> 'line', 'main') = $1`

// appliedSteps are the migrations that the database says were applied.
func appliedSteps(ctx context.Context, tx pgx.Tx, warehouse string, sets []string) (map[stepKey]time.Time, error) {
	applied := make(map[stepKey]time.Time)
	for _, record := range []struct{ set, schema, table, query, key string }{
		{Bookkeeping, BookkeepingSchema, "migrations", listVersions, versionsKey(Bookkeeping, warehouse)},
		{Warehouse, BookkeepingSchema, "migrations", listVersions, versionsKey(Warehouse, warehouse)},
		{River, RiverSchema, "river_migration", listRiver, "main"},
	} {
		if !slices.Contains(chosen(sets), record.set) {
			continue
		}
		// Not to_regclass: it is an error for a role that may not look into the schema.
		var exists bool
		err := tx.QueryRow(ctx, `
SELECT EXISTS (
    SELECT
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2
)`, record.schema, record.table).Scan(&exists)
		if err != nil {
			return nil, fmt.Errorf("look for %s.%s: %w", record.schema, record.table, err)
		}
		if !exists {
			continue
		}
		rows, _ := tx.Query(ctx, record.query, record.key)
		var version int64
		var at time.Time
		if _, err := pgx.ForEachRow(rows, []any{&version, &at}, func() error {
			applied[stepKey{record.set, version}] = at
			return nil
		}); err != nil {
			return nil, fmt.Errorf("read which migrations were applied from %s.%s: %w", record.schema, record.table, explain(err, warehouse))
		}
	}
	return applied, present(ctx, tx, applied, warehouse)
}

// present makes sure that the schemas that are recorded as migrated are there. Were a
// dropped warehouse made anew beside old checkpoints, it would stay empty and look fresh.
func present(ctx context.Context, tx pgx.Tx, applied map[stepKey]time.Time, warehouse string) error {
	var exists bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, warehouse).Scan(&exists); err != nil {
		return fmt.Errorf("look for schema %s: %w", warehouse, err)
	}
	for key := range applied {
		if key.set == Warehouse && !exists {
			return fmt.Errorf("schema %s is recorded as migrated but does not exist: restore it, "+
				"or run DROP SCHEMA %s CASCADE to have everything created and loaded anew", quote(warehouse), BookkeepingSchema)
		}
	}
	return nil
}

// fileStep is the migration in a file.
func fileStep(set string, version int64, file string) Step {
	_, name, _ := strings.Cut(strings.TrimSuffix(path.Base(file), ".sql"), "_")
	return Step{Set: set, Version: version, Name: name}
}

func riverName(name string) string { return strings.ReplaceAll(name, " ", "_") }

// usable refuses names that cannot be a warehouse's.
func usable(warehouse string) error {
	switch {
	case warehouse == "":
		return errors.New("the warehouse schema has no name")
	case len(warehouse) > 63 || strings.ContainsRune(warehouse, 0):
		return fmt.Errorf("warehouse schema %q: a schema's name is at most 63 bytes, without U+0000", warehouse)
	case warehouse == BookkeepingSchema, warehouse == RiverSchema,
		warehouse == "information_schema", strings.HasPrefix(warehouse, "pg_"):
		return fmt.Errorf("warehouse schema %q: the name is taken; choose another", warehouse)
	}
	return nil
}
