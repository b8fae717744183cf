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

// Rights reports everything that the role lacks to bring the database to this version's
// layout and to keep it: what Up would stop at, and tables that the role may not read or
// write, each with its remedy, a line each. It writes nothing.
func Rights(ctx context.Context, pool *pgxpool.Pool, warehouse string, sets ...string) error {
	pending, err := Pending(ctx, pool, warehouse, sets...)
	if err != nil {
		return err
	}
	if len(pending) > 0 {
		if err := allowed(ctx, pool, warehouse, sets); err != nil {
			return err
		}
	} else if _, err := writable(ctx, pool); err != nil {
		return err
	}
	return mayWrite(ctx, pool, schemas(sets, warehouse))
}

// mayWrite reports the schemas whose tables the role may not work with.
func mayWrite(ctx context.Context, pool *pgxpool.Pool, schemas []string) error {
	rows, err := pool.Query(ctx, `
SELECT n.nspname, current_user
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p')
GROUP BY n.oid, n.nspname
HAVING NOT has_schema_privilege(n.oid, 'USAGE') OR NOT bool_and(
    has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND
    has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
ORDER BY n.nspname`, schemas)
	if err != nil {
		return fmt.Errorf("ask PostgreSQL for the role's rights on the tables: %w", err)
	}
	var problems []error
	var schema, role string
	_, err = pgx.ForEachRow(rows, []any{&schema, &role}, func() error {
		problems = append(problems, fmt.Errorf("role %[1]s may not read and write every table of schema %[2]s: "+
			"connect as the role that owns them, or as a member of it", quote(role), quote(schema)))
		return nil
	})
	if err != nil {
		return fmt.Errorf("ask PostgreSQL for the role's rights on the tables: %w", err)
	}
	return errors.Join(problems...)
}

// session is what the server tells of a connection to it.
type session struct {
	role, database string
	mayCreate      bool // schemas in the database
}

// writable refuses servers and sessions on which nothing can be written.
func writable(ctx context.Context, pool *pgxpool.Pool) (session, error) {
	var s session
	var standby, readOnly bool
	err := pool.QueryRow(ctx, `
SELECT current_user,
       current_database(),
       pg_is_in_recovery(),
       current_setting('transaction_read_only')::boolean,
       has_database_privilege(current_database(), 'CREATE')`).
		Scan(&s.role, &s.database, &standby, &readOnly, &s.mayCreate)
	if err != nil {
		return s, fmt.Errorf("ask PostgreSQL for the role's rights: %w", err)
	}
	if standby {
		return s, fmt.Errorf("the server of database %s is a standby, which is read-only: connect to the primary", quote(s.database))
	}
	if readOnly {
		return s, fmt.Errorf("sessions of role %[1]s in database %[2]s are read-only: "+
			"run ALTER ROLE %[1]s IN DATABASE %[2]s SET default_transaction_read_only = off, or connect as another role", quote(s.role), quote(s.database))
	}
	return s, nil
}

// allowed reports everything that keeps the role from migrating, each with its remedy.
func allowed(ctx context.Context, pool *pgxpool.Pool, warehouse string, sets []string) error {
	session, err := writable(ctx, pool)
	if err != nil {
		return err
	}
	role, db := session.role, session.database
	var problems []error
	for _, schema := range schemas(sets, warehouse) {
		var mayUse bool
		err := pool.QueryRow(ctx, `
SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE')
FROM pg_namespace
WHERE nspname = $1`, schema).Scan(&mayUse)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			if !session.mayCreate {
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
