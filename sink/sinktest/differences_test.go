package sinktest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// Differences must find what is wrong, or no test that relies on it means anything.
//
//nolint:paralleltest // the cases share a table
func TestDifferences(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	resource, ok := catalog.Lookup("tasks")
	if !ok {
		t.Fatal("no tasks")
	}
	const insert = `INSERT INTO paymo.tasks (id, name, price, users, complete, due_date, completed_on, _synced_at, _extra, _issues) VALUES `
	object := `{"id": "7", "name": "one", "price": "1.50", "users": [1, {"a": 2.0}], "complete": "yes", "due_date": "2026-03-04T23:00:00-05:00",
		"completed_on": 1772600767, "priority": "high", "mood": {"now": "good", "token": "s"}, "api_key": "s", "description": null, "code": ""}`
	const row = `(7, 'one', 1.5, '[1, {"a": 2}]', true, '2026-03-04', '2026-03-04T05:06:07Z', now(), '{"mood": {"now": "good"}}', '{"priority": "high"}')`
	for _, tt := range []struct {
		name, rows, update string
		objects            []string
		want               []string
	}{
		{name: "equal but for the empty code", rows: row, objects: []string{object}, want: []string{`code is null in the table and "" in Paymo`}},
		{name: "equal", rows: row, update: `code = ''`, objects: []string{object}},
		{name: "nothing at all"},
		{name: "only in Paymo", objects: []string{object}, want: []string{"row 7 is served and not in the table"}},
		{name: "only in the table", rows: row, want: []string{"row 7 is in the table and not served"}},
		{name: "gone and marked so", rows: row, update: `_deleted_at = now()`},
		{name: "others around", rows: row + `, (6, NULL, NULL, NULL, NULL, NULL, NULL, now(), NULL, NULL), (8, NULL, NULL, NULL, NULL, NULL, NULL, now(), NULL, NULL)`,
			update: `code = ''`, objects: []string{`{"id": 5}`, object, `{"id": 9}`},
			want: []string{"row 5 is served", "row 6 is in the table", "row 8 is in the table", "row 9 is served"}},
		{name: "marked deleted", rows: row, update: `code = '', _deleted_at = now()`, objects: []string{object}, want: []string{"row 7 is served and marked deleted"}},
		{name: "text", rows: row, update: `code = '', name = 'One'`, objects: []string{object}, want: []string{"name is"}},
		{name: "number", rows: row, update: `code = '', price = 1.51`, objects: []string{object}, want: []string{"price is 1.51 in the table and 1.5 in Paymo"}},
		{name: "json", rows: row, update: `code = '', users = '[1]'`, objects: []string{object}, want: []string{"users is [1]"}},
		{name: "null of JSON", rows: row, update: `code = '', users = 'null'`, objects: []string{object}, want: []string{"users: the table holds JSON's null"}},
		{name: "boolean", rows: row, update: `code = '', complete = false`, objects: []string{object}, want: []string{"complete is"}},
		{name: "date", rows: row, update: `code = '', due_date = '2026-03-05'`, objects: []string{object}, want: []string{"due_date is"}},
		{name: "time", rows: row, update: `code = '', completed_on = completed_on + interval '1 microsecond'`, objects: []string{object}, want: []string{"completed_on is"}},
		{name: "absent", rows: row, update: `code = '', seq = 3`, objects: []string{object}, want: []string{`seq is "3" in the table and null in Paymo`}},
		{name: "secret in _extra", rows: row, update: `code = '', _extra = '{"mood": {"now": "good", "token": "s"}}'`, objects: []string{object}, want: []string{"_extra is"}},
		{name: "no _extra", rows: row, update: `code = '', _extra = NULL`, objects: []string{object}, want: []string{"_extra is null and should be"}},
		{name: "empty _issues", rows: row, update: `code = '', _issues = '{}'`, objects: []string{object}, want: []string{"_issues is {} and should be"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			statements := []string{`TRUNCATE paymo.tasks`}
			if tt.rows != "" {
				statements = append(statements, insert+tt.rows)
			}
			if tt.update != "" {
				statements = append(statements, `UPDATE paymo.tasks SET `+tt.update+` WHERE id = 7`)
			}
			for _, sql := range statements {
				if _, err := pool.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			found, err := sinktest.Differences(t.Context(), pool, sinktest.Warehouse, resource, objects(tt.objects))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != len(tt.want) {
				t.Fatalf("found %q, want %q", found, tt.want)
			}
			for i, want := range tt.want {
				if !strings.Contains(found[i], want) {
					t.Errorf("found %q, want %q", found[i], want)
				}
			}
		})
	}

	// It ends early where everything is wrong, and refuses what is no object.
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf(`{"id": %d}`, i+100)
	}
	found, err := sinktest.Differences(t.Context(), pool, sinktest.Warehouse, resource, objects(many))
	if err != nil || len(found) > 30 || !strings.Contains(found[len(found)-1], "more") {
		t.Errorf("%d differences, %v", len(found), err)
	}
	if _, err := sinktest.Differences(t.Context(), pool, sinktest.Warehouse, resource, objects([]string{`{"name": "no id"}`})); err == nil {
		t.Error("an object without an id is compared")
	}
}

func objects(texts []string) func(func(json.RawMessage) bool) {
	return func(yield func(json.RawMessage) bool) {
		for text := range slices.Values(texts) {
			if !yield(json.RawMessage(text)) {
				return
			}
		}
	}
}
