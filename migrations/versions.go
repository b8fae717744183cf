package migrations

import (
	"fmt"
	"strings"
)

// versionsTable records what was applied. It is one table for all sets that goose
// runs, keyed by the set, so that several warehouse schemas of any name can live in
// one database, and it keeps times with their zone, which goose's own table does not.
const versionsTable = BookkeepingSchema + ".migrations"

const createVersions = `
CREATE TABLE IF NOT EXISTS ` + versionsTable + ` (
    set_name    text NOT NULL,
    version     bigint NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (set_name, version)
);
COMMENT ON TABLE ` + versionsTable + ` IS 'The migrations that were applied: the set (with the schema of a warehouse) and the file''s number; 0 begins a set.'`

// versionsKey is the set's name in the table.
func versionsKey(set, warehouse string) string {
	if set == Warehouse {
		return set + " " + warehouse
	}
	return set
}

// versions are the statements with which goose keeps one set's rows of the table.
type versions struct{ key string }

// CreateTable begins the set's record; the table itself may be there for another set.
func (v versions) CreateTable(string) string { return createVersions }

// TableExists reports whether the set's record has begun. The table exists by then.
func (v versions) TableExists(table string) string {
	return fmt.Sprintf(`SELECT EXISTS (SELECT FROM %s WHERE set_name = %s)`, table, v.set())
}

// InsertVersion records a version as applied. goose's second parameter says that it
// was, which a row's being there says already.
func (v versions) InsertVersion(table string) string {
	return fmt.Sprintf(`INSERT INTO %s (set_name, version) SELECT %s, $1 WHERE $2::boolean`, table, v.set())
}

// DeleteVersion forgets a version.
func (v versions) DeleteVersion(table string) string {
	return fmt.Sprintf(`DELETE FROM %s WHERE set_name = %s AND version = $1`, table, v.set())
}

// GetMigrationByVersion finds a version.
func (v versions) GetMigrationByVersion(table string) string {
	return fmt.Sprintf(`SELECT applied_at, true FROM %s WHERE set_name = %s AND version = $1`, table, v.set())
}

// ListMigrations lists the set, newest first.
func (v versions) ListMigrations(table string) string {
	return fmt.Sprintf(`SELECT version, true FROM %s WHERE set_name = %s ORDER BY version DESC`, table, v.set())
}

// GetLatestVersion finds the set's newest version.
func (v versions) GetLatestVersion(table string) string {
	return fmt.Sprintf(`SELECT max(version) FROM %s WHERE set_name = %s`, table, v.set())
}

// set is the key as a string constant: goose passes no parameter for it.
func (v versions) set() string { return "'" + strings.ReplaceAll(v.key, "'", "''") + "'" }
