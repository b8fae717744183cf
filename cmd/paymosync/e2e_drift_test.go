package main

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// What Paymo sends beyond what is known, and what does not fit, is listed with queries
// that show it; without any, words say so.
func TestProgramDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 100})
	w.run("sync", "users").mustExit(exitOK)
	w.run("drift").mustExit(exitOK).mustSay("No drift: ")
	w.run("sync", "projects").mustExit(exitOK)
	id := value[int64](w, `SELECT min(id) FROM paymo.projects`)
	fields := map[string]any{
		"it's a \"flavour\"": "sweet", "weight": 1.5, "crispy": true, "toppings": []string{"salt"}, "crust": map[string]any{"thin": true},
		"budget_hours": "plenty",
	}
	if err := w.paymo.Patch("projects", id, fields); err != nil {
		t.Fatal(err)
	}
	// The types of a field vary.
	others := value[[]int64](w, `SELECT array_agg(id ORDER BY id DESC) FROM paymo.projects`)
	for i, other := range []any{"n/a", []int{1}} {
		if err := w.paymo.Patch("projects", others[i], map[string]any{"weight": other, "crispy": other, "access_token": "a secret"}); err != nil {
			t.Fatal(err)
		}
	}
	w.run("sync", "projects").mustExit(exitOK)
	value[string](w, `UPDATE paymosync.drift SET type = CASE field WHEN 'weight' THEN 'number' WHEN 'crispy' THEN 'boolean' ELSE type END WHERE field IN ('weight', 'crispy') RETURNING type`)

	w.run("drift").mustExit(exitOK).mustSay("TABLE", "FIRST SEEN", "projects", "flavour", "toppings", "budget_hours", `CASE jsonb_typeof(_extra -> 'weight') WHEN 'number' THEN (_extra ->> 'weight')::numeric END AS "weight"`,
		"because their names smell of secrets:\n\nTABLE     VALUES\nprojects       2\n")
	var report driftReport
	if err := json.Unmarshal([]byte(w.run("drift", "--json").mustExit(exitOK).mustSay(" -> 'crust' AS ").out), &report); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(report.Dropped, []droppedFields{{"projects", 2}}) {
		t.Errorf("dropped: %v", report.Dropped)
	}
	types := map[string]string{}
	for _, f := range report.Unknown {
		types[f.Field] = value[string](w, `SELECT pg_typeof(found.value)::text FROM (`+f.SQL[:len(f.SQL)-1]+`) AS found (id, value) LIMIT 1`)
		if f.Table != "projects" || f.FirstSeen.IsZero() || f.Field != "health_score" && value[int64](w, `SELECT min(id) FROM (`+f.SQL[:len(f.SQL)-1]+`) AS found (id, value)`) != id {
			t.Errorf("%+v", f)
		}
	}
	want := map[string]string{"it's a \"flavour\"": "text", "health_score": "numeric", "weight": "numeric", "crispy": "boolean", "toppings": "jsonb", "crust": "jsonb"}
	if !maps.Equal(types, want) {
		t.Errorf("got %v, want %v", types, want)
	}
	if i := slices.IndexFunc(report.Issues, func(f issueField) bool { return f.Table == "projects" && f.Field == "budget_hours" && f.Rows == 1 }); i != 0 || len(report.Issues) != 1 {
		t.Fatalf("%+v", report.Issues)
	}
	if got := value[string](w, `SELECT found.value::text FROM (`+report.Issues[0].SQL[:len(report.Issues[0].SQL)-1]+`) AS found (id, value)`); got != `"plenty"` {
		t.Errorf("the value that does not fit is %s", got)
	}
}
