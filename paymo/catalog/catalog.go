// Package catalog is the one table of Paymo's resources: where each is served,
// what columns it has, how it can be listed and what hangs on it. Decoder, merge
// SQL, migrations, fake server and the documentation all derive from it.
//
// It is data and vocabulary only and imports nothing but the standard library.
// Facts come from Paymo's reference and from what clients observed; a test holds
// the table against testdata/resources.json, another holds the migrated database
// against the table.
package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// DefaultAccount names the one account (a Paymo company and its key) that an
// installation syncs. It is part of every job, checkpoint, run, lease and budget.
const DefaultAccount = "default"

// PageCap is the number of objects of one type that Paymo fills into a response
// (paymo-org/api issue 68); a reply of as many or more is taken as cut short.
const PageCap = 2500

// Kind is the type of a column's values.
type Kind uint8

// The kinds, each with the PostgreSQL type that stores it. Hours, days,
// quantities and money are always Decimal.
const (
	Text     Kind = iota // text
	Integer              // bigint
	Decimal              // numeric
	Boolean              // boolean
	Datetime             // timestamptz, UTC, whole seconds
	Date                 // date, without a zone
	JSON                 // jsonb
)

// String is the kind's name in the reference.
func (k Kind) String() string {
	return [...]string{"text", "integer", "decimal", "boolean", "datetime", "date", "json"}[k]
}

// SQLType is the PostgreSQL type that stores the kind.
func (k Kind) SQLType() string {
	return [...]string{"text", "bigint", "numeric", "boolean", "timestamptz", "date", "jsonb"}[k]
}

// Flag marks a column that needs care.
type Flag uint8

// The flags.
const (
	PII          Flag = 1 << iota // personal data
	Secret                        // never stored and never logged: the table has no such column
	Volatile                      // moves without updated_on: no reason for an incremental to rewrite a row
	Undocumented                  // seen live, not in the reference: may be absent
)

// Column is one field of a resource and, unless Secret, one column of its table.
type Column struct {
	Name  string
	Kind  Kind
	Flags Flag
	Ref   string // the table whose id this column holds, "" for none
	Note  string // unit or meaning, for the column's comment
}

// Has reports whether the column bears the flag.
func (c Column) Has(f Flag) bool { return c.Flags&f != 0 }

// Listing is a way to list a resource.
type Listing uint8

// The ways to list a resource.
const (
	Single     Listing = iota + 1 // one object
	ByID                          // whole, then by ranges of ids where that is too much
	ByWindow                      // by windows of Resource.Window
	ByParent                      // by Scope: one parent's children a slice
	ByPage                        // by page and page_size, read twice
	WithParent                    // by Embedded: included in parents that are asked for by id
)

// String is the listing's name in checkpoints, logs and status.
func (l Listing) String() string {
	return [...]string{"none", "single", "id ranges", "time windows", "per parent", "pages", "with parents"}[l]
}

// Deep reports whether the rows come as the children of its parent's children: their own
// column for the parent may then name another one.
func (e Embedded) Deep() bool { return strings.Contains(e.Include, ".") }

// Scope is a filter that lists the children of one parent.
type Scope struct {
	Filter   string // column to filter on
	Parent   string // table of the parent
	Optional bool   // rows may have no such parent
}

// Embedded says that a resource comes as an include of its parent's list.
type Embedded struct {
	Parent  string // table of the parent
	Include string // include key, dotted for a grandchild
}

// Resource is a Paymo collection and the warehouse table that it fills.
type Resource struct {
	Table     string   // warehouse table
	About     string   // what its rows are, in words
	Model     string   // its name in the events of webhooks, "" where there are none
	Path      string   // below the base URL
	Key       string   // member of the reply that holds the list
	AlsoKey   string   // another spelling of Key, where sources disagree
	Includes  []string // valid include keys
	Filters   []string // documented filters
	Scope     Scope
	Embedded  Embedded
	Strict    string    // what the reference demands of a list
	Singleton bool      // the reply holds one object
	AllowList bool      // unknown fields may be secrets: none goes to _extra
	Window    string    // pseudo-field of a time range that satisfies a demanded filter
	Listings  []Listing // in order of preference; none: not read yet
	Together  []string  // columns that are absent because another is present: one present empties the others
	Owners    []string  // columns of the rows that take this one with them when they are deleted
	Spans     bool      // a row lasts for days: Window brings those that touch it
	When      []string  // columns that say what time a row is about, the first one that is set: it lies in Window
	Columns   []Column
}

// OwnerScope is the column by which the rows of one parent are told, "" where the
// parent is not a column of the table.
func (r *Resource) OwnerScope() string {
	if _, own := r.Column(r.Scope.Filter); own && r.Scope.Filter != "" {
		return r.Scope.Filter
	}
	return ""
}

// Readable reports whether the resource can be read by itself.
func (r *Resource) Readable() bool { return len(r.Listings) > 0 }

// Stored are the columns of the table, in order: all but the secret ones.
func (r *Resource) Stored() []Column {
	return slices.DeleteFunc(slices.Clone(r.Columns), func(c Column) bool { return c.Has(Secret) })
}

// Column finds a column by name.
func (r *Resource) Column(name string) (Column, bool) {
	i := slices.IndexFunc(r.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return r.Columns[i], true
}

// Hash names the table's columns: it changes when they do.
func (r *Resource) Hash() string {
	sum := sha256.New()
	for _, c := range r.Stored() {
		fmt.Fprintf(sum, "%s %s\n", c.Name, c.Kind)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// All are the resources, in the order in which a first load serves people best:
// small tables and parents first, time entries last. Callers must not change them.
func All() []*Resource { return all() }

// Lookup finds a resource by the name of its table.
func Lookup(table string) (*Resource, bool) {
	i := slices.IndexFunc(all(), func(r *Resource) bool { return r.Table == table })
	if i < 0 {
		return nil, false
	}
	return all()[i], true
}

//nolint:gochecknoglobals // a table that is built once and never changes
var all = sync.OnceValue(func() []*Resource {
	var resources []*Resource
	for _, group := range [][]Resource{people(), money(), templates(), work(), talk()} {
		for i := range group {
			resources = append(resources, &group[i])
		}
	}
	slices.SortStableFunc(resources, func(a, b *Resource) int { return size(a) - size(b) })
	return resources
})

// size ranks a resource by how many rows an account usually has of it.
func size(r *Resource) int {
	switch r.Table {
	case "time_entries":
		return 4
	case "tasks", "subtasks", "comments", "files", "task_assignments", "bookings":
		return 3
	case "company", "users", "clients", "projects":
		return 0
	default:
		return 1
	}
}

// SmellsSecret reports whether a field that the catalogue does not know has a
// name that suggests a credential or a link that opens without one.
func SmellsSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"token", "secret", "pass", "key", "hash", "login", "link"},
		func(smell string) bool { return strings.Contains(name, smell) })
}

func column(name string, kind Kind, flags []Flag) Column {
	c := Column{Name: name, Kind: kind}
	for _, f := range flags {
		c.Flags |= f
	}
	return c
}

func text(name string, flags ...Flag) Column     { return column(name, Text, flags) }
func integer(name string, flags ...Flag) Column  { return column(name, Integer, flags) }
func decimal(name string, flags ...Flag) Column  { return column(name, Decimal, flags) }
func boolean(name string, flags ...Flag) Column  { return column(name, Boolean, flags) }
func datetime(name string, flags ...Flag) Column { return column(name, Datetime, flags) }
func date(name string, flags ...Flag) Column     { return column(name, Date, flags) }
func json(name string, flags ...Flag) Column     { return column(name, JSON, flags) }

func ref(name, table string, flags ...Flag) Column {
	c := column(name, Integer, flags)
	c.Ref = table
	return c
}

func (c Column) note(note string) Column {
	c.Note = note
	return c
}
