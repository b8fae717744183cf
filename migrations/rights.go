package migrations

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// oldest is the oldest PostgreSQL that is supported, as server_version_num has it.
const oldest = 140000

// supported refuses servers that are too old.
func supported(ctx context.Context, tx pgx.Tx) error {
	var number int
	var version string
	err := tx.QueryRow(ctx, `SELECT current_setting('server_version_num')::integer, current_setting('server_version')`).
		Scan(&number, &version)
	if err != nil {
		return fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	return newEnough(number, version)
}

func newEnough(number int, version string) error {
	if number < oldest {
		return fmt.Errorf("the server is PostgreSQL %s: paymosync needs version %d or newer", version, oldest/10000)
	}
	return nil
}

// allowed reports everything that keeps the role from migrating, each with its remedy.
func allowed(ctx context.Context, pool *pgxpool.Pool, warehouse string) error {
	var role, db string
	var standby, readOnly, mayCreate bool
	err := pool.QueryRow(ctx, `
SELECT current_user,
       current_database(),
       pg_is_in_recovery(),
       current_setting('transaction_read_only')::boolean,
       has_database_privilege(current_database(), 'CREATE')`).
		Scan(&role, &db, &standby, &readOnly, &mayCreate)
	if err != nil {
		return fmt.Errorf("ask PostgreSQL for the role's rights: %w", err)
	}
	if standby {
		return fmt.Errorf("the server of database %s is a standby, which is read-only: connect to the primary", quote(db))
	}
	if readOnly {
		return fmt.Errorf("sessions of role %[1]s in database %[2]s are read-only: "+
			"run ALTER ROLE %[1]s IN DATABASE %[2]s SET default_transaction_read_only = off, or connect as another role", quote(role), quote(db))
	}
	var problems []error
	for _, schema := range []string{BookkeepingSchema, RiverSchema, warehouse} {
		var mayUse bool
		err := pool.QueryRow(ctx, `
SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE')
FROM pg_namespace
WHERE nspname = $1`, schema).Scan(&mayUse)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			if !mayCreate {
				problems = append(problems, fmt.Errorf("role %[1]s lacks the right CREATE on database %[2]s, which schema %[3]s needs: "+
					"run GRANT CREATE ON DATABASE %[2]s TO %[1]s, or CREATE SCHEMA %[3]s AUTHORIZATION %[1]s", quote(role), quote(db), quote(schema)))
			}
		case err != nil:
			return fmt.Errorf("ask PostgreSQL for the role's rights on schema %s: %w", schema, err)
		case !mayUse:
			problems = append(problems, fmt.Errorf("role %[1]s lacks the rights USAGE and CREATE on schema %[2]s of database %[3]s: "+
				"run GRANT USAGE, CREATE ON SCHEMA %[2]s TO %[1]s", quote(role), quote(schema), quote(db)))
		}
	}
	return errors.Join(problems...)
}

// explain adds what to do about an error that has one usual cause.
func explain(err error, warehouse string) error {
	const duplicateTable, insufficientPrivilege = "42P07", "42501"
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch refused.Code {
	case duplicateTable:
		return fmt.Errorf("schema %s holds a table that paymosync has no record of making: "+
			"choose another schema, or move the table away: %w", quote(warehouse), err)
	case insufficientPrivilege:
		return fmt.Errorf("the role lacks a right on what another role made: "+
			"connect as the role that owns the schemas %s, %s and %s, or as a member of it: %w", BookkeepingSchema, RiverSchema, quote(warehouse), err)
	}
	return err
}
