package sink

import (
	"fmt"
	"strings"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// DDL is the SQL that makes a resource's table, its indexes and its comments. The
// text of schema goes before the table's name as it is: an identifier, quoted if need
// be, or a placeholder that a migration fills in.
//
// Migrations are written from it by people and then stay as they are: a test holds
// the migrated database against the catalogue, so that a change here or there needs
// a migration.
func DDL(r *catalog.Resource, schema string) string {
	var b strings.Builder
	table := schema + "." + identifier(r.Table)

	fmt.Fprintf(&b, "CREATE TABLE %s (\n", table)
	for _, c := range r.Stored() {
		constraint := ""
		if c.Name == "id" {
			constraint = " PRIMARY KEY"
		}
		fmt.Fprintf(&b, "    %s %s%s,\n", identifier(c.Name), c.Kind.SQLType(), constraint)
	}
	b.WriteString("    _synced_at timestamptz NOT NULL,\n    _deleted_at timestamptz,\n    _extra jsonb,\n    _issues jsonb\n);\n")

	for _, c := range Indexed(r) {
		fmt.Fprintf(&b, "CREATE INDEX %s ON %s (%s);\n", identifier(r.Table+"_"+c), table, identifier(c))
	}

	fmt.Fprintf(&b, "COMMENT ON TABLE %s IS %s;\n", table, literal(tableComment(r)))
	for _, c := range r.Stored() {
		fmt.Fprintf(&b, "COMMENT ON COLUMN %s.%s IS %s;\n", table, identifier(c.Name), literal(columnComment(c)))
	}
	for _, c := range [][2]string{
		{"_synced_at", "when paymosync last wrote this row"},
		{"_deleted_at", "when it was proven that the row is gone from Paymo; null while it is there"},
		{"_extra", "fields of the row that paymosync has no column for; null for none"},
		{"_issues", "values that do not fit their column, as Paymo sent them; null for none"},
	} {
		fmt.Fprintf(&b, "COMMENT ON COLUMN %s.%s IS %s;\n", table, c[0], literal(c[1]))
	}
	return b.String()
}

// Indexed are the columns with an index of their own: those that hold ids of other
// tables, to join by, and updated_on. A table of one row needs none.
func Indexed(r *catalog.Resource) []string {
	if r.Singleton {
		return nil
	}
	var columns []string
	for _, c := range r.Stored() {
		if c.Ref != "" || c.Name == "updated_on" {
			columns = append(columns, c.Name)
		}
	}
	return columns
}

func tableComment(r *catalog.Resource) string {
	comment := fmt.Sprintf("%s%s. From Paymo's %s", strings.ToUpper(r.About[:1]), r.About[1:], r.Path)
	if r.Embedded.Parent != "" {
		comment += ", read with " + r.Embedded.Parent
	}
	return comment + "."
}

func columnComment(c catalog.Column) string {
	parts := []string{"Paymo field " + c.Name}
	if c.Ref != "" {
		parts = append(parts, "references "+c.Ref+".id")
	}
	if c.Note != "" {
		parts = append(parts, c.Note)
	}
	if c.Has(catalog.PII) {
		parts = append(parts, "personal data")
	}
	if c.Has(catalog.Undocumented) {
		parts = append(parts, "undocumented: may be absent")
	}
	if c.Has(catalog.Volatile) {
		parts = append(parts, "moves without updated_on: brought up to date by a full sync")
	}
	return strings.Join(parts, "; ")
}

// reserved are the words that PostgreSQL does not take as a name without quotes.
const reserved = " all analyse analyze and any array as asc asymmetric authorization binary both " +
	"case cast check collate collation column concurrently constraint create cross current_catalog current_date " +
	"current_role current_schema current_time current_timestamp current_user default deferrable desc distinct do else end " +
	"except false fetch for foreign freeze from full grant group having ilike " +
	"in initially inner intersect into is isnull join lateral leading left like " +
	"limit localtime localtimestamp natural not notnull null offset on only or order " +
	"outer overlaps placing primary references returning right select session_user similar some symmetric " +
	"system_user table tablesample then to trailing true union unique user using variadic " +
	"verbose when where window with "

// identifier is a name of the catalogue as SQL, quoted only where SQL wants it: people
// read this text, and type these names.
func identifier(name string) string {
	if strings.Contains(reserved, " "+name+" ") {
		return quote(name)
	}
	return name
}

// literal is a text as an SQL string.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
