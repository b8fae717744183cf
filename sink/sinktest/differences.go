package sinktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// maxDifferences is where Differences stops: more would be read by nobody.
const maxDifferences = 20

// Differences holds a table of the warehouse against the objects that a Paymo serves,
// by ascending id, field by field, and says in words where they disagree: a row that
// only one of them has, a tombstone on a row that is served, a column, _extra or
// _issues with another value. None means that the table is what a first full sync of
// these objects has to make of it. After some differences it stops and says so.
//
// It reads both as streams and converts with code of its own, so that it shares no
// mistake with the program: only the list of columns is the catalogue's. A key that
// an object lacks is expected to be null; a caller who took a key away from a row that
// had been synced has to remember that absent is not null.
func Differences(ctx context.Context, pool *pgxpool.Pool, schema string, resource *catalog.Resource, rows iter.Seq[json.RawMessage]) ([]string, error) {
	table, err := openTable(ctx, pool, schema, resource)
	if err != nil {
		return nil, err
	}
	defer table.rows.Close()
	found := differences{table: resource.Table}
	for object := range rows {
		want, err := expect(resource, object)
		if err != nil {
			return nil, fmt.Errorf("read an object of %s: %w", resource.Table, err)
		}
		for table.more && table.id < want.id && !found.full() {
			found.spare(table)
			table.next()
		}
		switch {
		case found.full():
		case !table.more || table.id > want.id:
			found.add("row %d is served and not in the table", want.id)
		default:
			found.compare(table, want)
			table.next()
		}
		if found.full() || table.err != nil {
			break
		}
	}
	for table.more && !found.full() {
		found.spare(table)
		table.next()
	}
	if table.err != nil {
		return nil, fmt.Errorf("read table %s: %w", resource.Table, table.err)
	}
	if found.full() {
		found.words = append(found.words, "… and perhaps more")
	}
	return found.words, nil
}

// differences collects what is found.
type differences struct {
	table string
	words []string
}

func (d *differences) full() bool { return len(d.words) >= maxDifferences }

func (d *differences) add(format string, arguments ...any) {
	d.words = append(d.words, d.table+": "+fmt.Sprintf(format, arguments...))
}

// spare notes a row that is not served. Tombstoned ones may be there.
func (d *differences) spare(t *tableRows) {
	if !t.deleted {
		d.add("row %d is in the table and not served", t.id)
	}
}

func (d *differences) compare(t *tableRows, want expected) {
	if t.deleted {
		d.add("row %d is served and marked deleted", t.id)
	}
	for i, column := range t.columns {
		got, err := fromTable(column.Kind, t.values[i])
		if err != nil {
			d.add("row %d: %s: %v", t.id, column.Name, err)
			continue
		}
		if wanted := want.values[i]; !equal(got, wanted) {
			d.add("row %d: %s is %s in the table and %s in Paymo", t.id, column.Name, show(got), show(wanted))
		}
	}
	for i, name := range []string{"_extra", "_issues"} {
		got, err := fromTable(catalog.JSON, t.values[len(t.columns)+i])
		if err != nil {
			d.add("row %d: %s: %v", t.id, name, err)
			continue
		}
		var wanted any
		if rest := [2]map[string]any{want.extra, want.issues}[i]; len(rest) > 0 {
			wanted = rest
		}
		if !equal(got, wanted) {
			d.add("row %d: %s is %s and should be %s", t.id, name, show(got), show(wanted))
		}
	}
}

// tableRows are a table's rows by ascending id, one at a time.
type tableRows struct {
	rows    pgx.Rows
	columns []catalog.Column
	more    bool
	err     error
	id      int64
	deleted bool
	values  []any // of the columns, then _extra and _issues
}

func openTable(ctx context.Context, pool *pgxpool.Pool, schema string, resource *catalog.Resource) (*tableRows, error) {
	t := &tableRows{}
	selected := []string{"id", "_deleted_at IS NOT NULL"}
	for _, column := range resource.Columns {
		if column.Has(catalog.Secret) {
			continue
		}
		t.columns = append(t.columns, column)
		name := pgx.Identifier{column.Name}.Sanitize()
		switch column.Kind {
		case catalog.Decimal, catalog.Date, catalog.JSON:
			name += "::text" // exact, and the same for every reader
		}
		selected = append(selected, name)
	}
	selected = append(selected, "_extra::text", "_issues::text")
	rows, err := pool.Query(ctx, "SELECT "+strings.Join(selected, ", ")+
		" FROM "+pgx.Identifier{schema, resource.Table}.Sanitize()+" ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", resource.Table, err)
	}
	t.rows = rows
	t.next()
	return t, nil
}

func (t *tableRows) next() {
	if t.more = t.rows.Next(); !t.more {
		t.err = t.rows.Err()
		return
	}
	values, err := t.rows.Values()
	if err != nil {
		t.more, t.err = false, err
		return
	}
	t.id, t.deleted, t.values = values[0].(int64), values[1].(bool), values[2:]
}

// expected is what the table should hold of an object.
type expected struct {
	id            int64
	values        []any // by stored column; nil is null
	extra, issues map[string]any
}

// expect works out what the table should hold of an object.
func expect(resource *catalog.Resource, object json.RawMessage) (expected, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return expected{}, err
	}
	id, ok := fromPaymo(catalog.Integer, fields["id"])
	if !ok || id == nil {
		return expected{}, fmt.Errorf("it has no usable id: %.200s", object)
	}
	want := expected{id: id.(int64), extra: map[string]any{}, issues: map[string]any{}}
	known := map[string]bool{}
	for _, column := range resource.Columns {
		known[column.Name] = true
		if column.Has(catalog.Secret) {
			continue
		}
		value, ok := fromPaymo(column.Kind, fields[column.Name])
		if !ok {
			want.issues[column.Name] = withoutSecrets(fields[column.Name])
		}
		want.values = append(want.values, value)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !known[name] && !resource.AllowList && !catalog.SmellsSecret(name) {
			want.extra[withoutNUL(name)] = withoutSecrets(fields[name])
		}
	}
	return want, nil
}

// withoutSecrets drops the members whose names smell of a secret, at any depth, and
// what PostgreSQL's jsonb refuses.
func withoutSecrets(value any) any {
	switch value := value.(type) {
	case map[string]any:
		kept := make(map[string]any, len(value))
		for name, member := range value {
			if !catalog.SmellsSecret(name) {
				kept[withoutNUL(name)] = withoutSecrets(member)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(value))
		for i := range value {
			kept[i] = withoutSecrets(value[i])
		}
		return kept
	}
	return storable(value)
}
