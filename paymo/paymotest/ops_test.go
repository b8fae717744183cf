package paymotest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// worked is a server on which n operations were performed, and what they were.
func worked(seed uint64, n int, each func(*paymotest.Server, paymotest.Op)) (*paymotest.Server, []paymotest.Op) {
	now := time.Date(2026, 6, 2, 9, 0, 0, 0, time.UTC)
	s := paymotest.New(paymotest.Config{Seed: seed, Now: func() time.Time { return now }, Entries: 300, Projects: 8, Tasks: 60, Clients: 6})
	s.AddKey("employee", "Employee")
	rng := rand.New(rand.NewPCG(seed, 1))
	var ops []paymotest.Op
	for range n {
		now = now.Add(time.Second)
		op := s.RandomOp(rng)
		ops = append(ops, op)
		if each != nil {
			each(s, op)
		}
	}
	return s, ops
}

func TestRandomOpIsDeterministic(t *testing.T) {
	t.Parallel()
	a, opsA := worked(3, 400, nil)
	b, opsB := worked(3, 400, nil)
	if diff := cmp.Diff(opsA, opsB); diff != "" {
		t.Errorf("operations (-first +second):\n%s", diff)
	}
	for _, res := range catalog.All() {
		if !slices.EqualFunc(slices.Collect(a.Rows(res.Table)), slices.Collect(b.Rows(res.Table)), func(x, y json.RawMessage) bool { return string(x) == string(y) }) {
			t.Errorf("%s differ", res.Table)
		}
	}
	if _, other := worked(4, 400, nil); slices.Equal(opsA, other) {
		t.Error("another seed, the same operations")
	}
}

// Operations of all kinds happen to all tables, do what they say, and break nothing.
func TestRandomOp(t *testing.T) {
	t.Parallel()
	kinds, tables := map[string]int{}, map[string]int{}
	state := map[string]map[string]string{} // the rows by table and id
	load := func(s *paymotest.Server, table string) map[string]string {
		rows := map[string]string{}
		for raw := range s.Rows(table) {
			rows[fmt.Sprintf("%.0f", object(t, raw)["id"])] = string(raw)
		}
		return rows
	}
	s, ops := worked(5, 1500, func(s *paymotest.Server, op paymotest.Op) {
		kinds[op.Kind]++
		tables[op.Table]++
		was, known := state[op.Table][fmt.Sprint(op.ID)]
		raw, err := s.Get(op.Table, op.ID)
		gone := op.Kind == paymotest.OpDelete || op.Kind == paymotest.OpItems && strings.HasPrefix(op.What, "removed")
		if gone != errors.Is(err, paymotest.ErrNotFound) {
			t.Errorf("%s: %v", op, err)
		}
		if known && !gone {
			before, after := object(t, json.RawMessage(was)), object(t, raw)
			quiet := before["updated_on"] == after["updated_on"]
			if was == string(raw) || quiet != (op.Kind == paymotest.OpQuiet) {
				t.Errorf("%s:\n%s\n%s", op, was, raw)
			}
		}
		if !gone && op.Kind == paymotest.OpCreate {
			res, _ := catalog.Lookup(op.Table)
			o := object(t, raw)
			for _, c := range res.Columns {
				id, ok := o[c.Name].(float64)
				if _, err := s.Get(c.Ref, int64(id)); ok && c.Ref != "" && err != nil {
					t.Errorf("%s: %s: %v", op, c.Name, err)
				}
			}
		}
		if state[op.Table] == nil {
			state[op.Table] = load(s, op.Table)
		} else if gone {
			delete(state[op.Table], fmt.Sprint(op.ID))
		} else {
			state[op.Table][fmt.Sprint(op.ID)] = string(raw)
		}
		if op.Kind == paymotest.OpDelete || op.Kind == paymotest.OpRestore || op.Kind == paymotest.OpMove {
			clear(state) // others changed with it
		}
	})
	for _, kind := range []string{paymotest.OpCreate, paymotest.OpChange, paymotest.OpQuiet, paymotest.OpMove, paymotest.OpArchive, paymotest.OpUnarchive,
		paymotest.OpDelete, paymotest.OpRestore, paymotest.OpStart, paymotest.OpStop, paymotest.OpItems} {
		if kinds[kind] < 3 {
			t.Errorf("%d of %s in %d", kinds[kind], kind, len(ops))
		}
	}
	for _, res := range catalog.All() {
		if tables[res.Table] < 3 {
			t.Errorf("%d operations on %s", tables[res.Table], res.Table)
		}
		if s.Count(res.Table) == 0 {
			t.Errorf("no %s are left", res.Table)
		}
	}
	for key, role := range map[string]string{paymotest.DefaultKey: "Admin", "employee": "Employee"} {
		if r := getAs(t, s, key, "/api/me"); r.status != http.StatusOK || r.rows[0]["type"] != role || r.rows[0]["active"] != true {
			t.Errorf("%s: %d %s", key, r.status, r.body)
		}
	}
	valid(t, s)
}

// valid holds every value against its column's kind.
func valid(t *testing.T, s *paymotest.Server) {
	t.Helper()
	patterns := map[catalog.Kind]*regexp.Regexp{
		catalog.Text:     regexp.MustCompile(`(?s)^".*"$`),
		catalog.Integer:  regexp.MustCompile(`^"?\d+"?$`),
		catalog.Decimal:  regexp.MustCompile(`^"?\d+(\.\d+)?"?$`),
		catalog.Boolean:  regexp.MustCompile(`^(true|false)$`),
		catalog.Datetime: regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"$`),
		catalog.Date:     regexp.MustCompile(`^"(\d{4}-\d\d-\d\d)?"$`),
		catalog.JSON:     regexp.MustCompile(`.`),
	}
	for _, res := range catalog.All() {
		for raw := range s.Rows(res.Table) {
			var o map[string]json.RawMessage
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			_, timed := o["start_time"]
			if _, bulk := o["date"]; res.Table == "time_entries" && timed == bulk {
				t.Errorf("an entry with both or neither of date and times: %s", raw)
			}
			for _, c := range res.Columns {
				if v, ok := o[c.Name]; ok && string(v) != "null" && !patterns[c.Kind].Match(v) {
					t.Errorf("%s.%s, which is %s: %s", res.Table, c.Name, c.Kind, v)
				}
			}
		}
	}
}

// A mutation changes one field that is served, and nothing else.
func TestMutateField(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: 200, Projects: 8, Tasks: 60})
	rng := rand.New(rand.NewPCG(1, 2))
	for _, res := range catalog.All() {
		hit := map[string]bool{}
		before := map[float64]map[string]any{}
		for raw := range s.Rows(res.Table) {
			o := object(t, raw)
			before[o["id"].(float64)] = o
		}
		for range 60 {
			id, field, err := s.MutateField(rng, res.Table)
			if err != nil {
				t.Fatal(err)
			}
			c, known := res.Column(field)
			if !known || c.Has(catalog.Secret) || field == "id" || field == "updated_on" {
				t.Errorf("%s: changed %s", res.Table, field)
			}
			hit[field] = true
			after := object(t, must(s.Get(res.Table, id)))
			was := before[float64(id)]
			if cmp.Equal(was[field], after[field]) || after[field] == nil {
				t.Errorf("%s.%s: %v → %v", res.Table, field, was[field], after[field])
			}
			was[field] = after[field]
			if diff := cmp.Diff(was, after); diff != "" {
				t.Errorf("%s: more than %s changed:\n%s", res.Table, field, diff)
			}
		}
		if len(hit) < min(20, len(res.Stored())/2) {
			t.Errorf("%s: only %v changed", res.Table, hit)
		}
	}
	if r := get(t, s, "/api/me"); r.status != http.StatusOK || r.rows[0]["type"] != "Admin" {
		t.Errorf("the key's user: %s", r.body)
	}
	valid(t, s)
	if _, _, err := s.MutateField(rng, "nothing"); err == nil {
		t.Error("no such table: no error")
	}
	empty := paymotest.New(paymotest.Config{Entries: -1})
	if _, _, err := empty.MutateField(rng, "time_entries"); !errors.Is(err, paymotest.ErrNotFound) {
		t.Errorf("an empty table: %v", err)
	}
}

// There is something to do in a company of any size.
func TestRandomOpInSmallCompanies(t *testing.T) {
	t.Parallel()
	for seed, cfg := range []paymotest.Config{{Projects: -1}, {Clients: -1}, {Tasks: -1}, {Entries: -1}, {Invoices: -1},
		{Users: 4, Projects: 1, Tasks: 1, Entries: 1, Clients: 1}} {
		s := paymotest.New(cfg)
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		for range 150 {
			s.RandomOp(rng)
		}
		valid(t, s)
	}
}
