package paymotest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// Every column that the warehouse stores has a value on some row.
func TestSeedFillsEveryColumn(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{})
	for _, res := range catalog.All() {
		seen := map[string]bool{}
		rows := 0
		for raw := range s.Rows(res.Table) {
			rows++
			var o map[string]any
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatalf("%s: %v: %s", res.Table, err, raw)
			}
			for name, v := range o {
				if v != nil && v != "" {
					seen[name] = true
				}
			}
			for _, c := range res.Columns {
				if v, ok := o[c.Name].(string); c.Has(catalog.Secret) && (!ok || !strings.HasPrefix(v, paymotest.Canary)) {
					t.Errorf("%s.%s: secret %v is no canary", res.Table, c.Name, o[c.Name])
				}
			}
		}
		if rows == 0 {
			t.Errorf("%s: no rows", res.Table)
		}
		for _, c := range res.Stored() {
			if !seen[c.Name] {
				t.Errorf("%s.%s: no row has a value", res.Table, c.Name)
			}
		}
	}
}

// References lead to rows that exist, in both directions of the money.
func TestSeedIsConsistent(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Seed: 7})
	ids := map[string]map[int64]bool{}
	for _, res := range catalog.All() {
		ids[res.Table] = map[int64]bool{}
		last := int64(0)
		for raw := range s.Rows(res.Table) {
			id := int64(object(t, raw)["id"].(float64))
			if id <= last {
				t.Fatalf("%s: id %d after %d", res.Table, id, last)
			}
			last = id
			ids[res.Table][id] = true
		}
	}
	for _, res := range catalog.All() {
		for raw := range s.Rows(res.Table) {
			o := object(t, raw)
			if o["updated_on"].(string) < o["created_on"].(string) || o["updated_on"].(string) > "2026-06-01T00:00:00Z" {
				t.Errorf("%s %v: created %v, updated %v", res.Table, o["id"], o["created_on"], o["updated_on"])
			}
			for _, c := range res.Columns {
				if v, ok := o[c.Name].(float64); ok && c.Ref != "" && !ids[c.Ref][int64(v)] {
					t.Errorf("%s %v: %s leads to %s %v, which is not there", res.Table, o["id"], c.Name, c.Ref, v)
				}
			}
		}
	}

	subtotal, paid := map[float64]float64{}, map[float64]float64{}
	for raw := range s.Rows("invoice_items") {
		o := object(t, raw)
		line := o["price_unit"].(float64) * o["quantity"].(float64)
		subtotal[o["invoice_id"].(float64)] += float64(int64(line*100+0.5)) / 100
	}
	for raw := range s.Rows("invoice_payments") {
		o := object(t, raw)
		paid[o["invoice_id"].(float64)] += o["amount"].(float64)
	}
	near := func(a, b float64) bool { return a-b < 0.02 && b-a < 0.02 }
	for raw := range s.Rows("invoices") {
		o := object(t, raw)
		id, f := o["id"].(float64), func(name string) float64 { return o[name].(float64) }
		if !near(f("subtotal"), subtotal[id]) {
			t.Errorf("invoice %v: subtotal %v, items %v", id, f("subtotal"), subtotal[id])
		}
		if want := f("subtotal") - f("discount_amount") + f("tax_amount") + f("tax2_amount"); !near(f("total"), want) {
			t.Errorf("invoice %v: total %v, want %v", id, f("total"), want)
		}
		if o["status"] != "void" && !near(f("outstanding"), f("total")-paid[id]) {
			t.Errorf("invoice %v: outstanding %v of %v, paid %v", id, f("outstanding"), f("total"), paid[id])
		}
	}
}

func object(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return o
}

func TestSeedIsDeterministic(t *testing.T) {
	t.Parallel()
	dump := func(cfg paymotest.Config) []byte {
		var b bytes.Buffer
		s := paymotest.New(cfg)
		for _, res := range catalog.All() {
			for raw := range s.Rows(res.Table) {
				b.Write(raw)
			}
		}
		return b.Bytes()
	}
	one, same, other := dump(paymotest.Config{Seed: 1}), dump(paymotest.Config{Seed: 1}), dump(paymotest.Config{Seed: 2})
	if !bytes.Equal(one, same) {
		t.Error("the same seed gave other bytes")
	}
	if bytes.Equal(one, other) {
		t.Error("another seed gave the same bytes")
	}
}

// The three kinds of entries each leave out what Paymo leaves out.
func TestSeedEntryKinds(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: 3000})
	kinds := map[string]int{}
	for raw := range s.Rows("time_entries") {
		o := object(t, raw)
		_, start := o["start_time"]
		end, hasEnd := o["end_time"]
		_, date := o["date"]
		switch {
		case o["is_bulk"] == true && date && !start && !hasEnd:
			kinds["bulk"]++
		case start && end != nil && !date:
			kinds["timed"]++
		case start && end == nil && !date:
			kinds["running"]++
		default:
			t.Fatalf("entry of no kind: %s", raw)
		}
		if o["billed"] == true {
			kinds["billed"]++
		}
		if o["updated_on"].(string) > o["created_on"].(string)[:10]+"T99" {
			kinds["edited later"]++
		}
	}
	for _, kind := range []string{"bulk", "timed", "running", "billed", "edited later"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s entries in %v", kind, kinds)
		}
	}
	if kinds["running"] > 12 {
		t.Errorf("%d running timers for 12 people", kinds["running"])
	}
}

// A million entries cost no more memory than a thousand: they are computed when asked for.
//
//nolint:paralleltest // it measures the heap
func TestSeedMillionEntries(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	s := paymotest.New(paymotest.Config{Entries: 1_000_000})
	if grown := int64(heap()) - int64(before); grown > 16<<20 {
		t.Errorf("a million entries take %d MiB", grown>>20)
	}
	if n := s.Count("time_entries"); n != 1_000_000 {
		t.Errorf("%d entries", n)
	}
	first := slices.Collect(func(yield func(json.RawMessage) bool) {
		for raw := range s.Rows("time_entries") {
			yield(raw)
			return
		}
	})
	if id := object(t, first[0])["id"].(float64); id < 1_000_000 {
		t.Errorf("first id %v", id)
	}
}

// A company of any size has something of everything.
func TestSeedWide(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Users: 60, Projects: 400, Tasks: 8000, Entries: 100_000, Invoices: 2000})
	for _, res := range catalog.All() {
		if s.Count(res.Table) == 0 {
			t.Errorf("no %s", res.Table)
		}
	}
	for table, want := range map[string]int{"users": 60, "projects": 400, "tasks": 8000, "time_entries": 100_000, "invoices": 2000} {
		if n := s.Count(table); n != want {
			t.Errorf("%d %s, want %d", n, table, want)
		}
	}
}

// Tasks and discussions count what hangs on them.
func TestSeedCounts(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: -1})
	comments, files := map[string]int{}, map[string]int{}
	owner := map[any]string{}
	for raw := range s.Rows("comment_threads") {
		o := object(t, raw)
		owner[o["id"]] = fmt.Sprint("tasks ", o["task_id"])
		if o["task_id"] == nil {
			owner[o["id"]] = fmt.Sprint("discussions ", o["discussion_id"])
		}
	}
	for raw := range s.Rows("comments") {
		comments[owner[object(t, raw)["thread_id"]]]++
	}
	for raw := range s.Rows("files") {
		files[fmt.Sprint("tasks ", object(t, raw)["task_id"])]++
	}
	for _, table := range []string{"tasks", "discussions"} {
		for raw := range s.Rows(table) {
			o := object(t, raw)
			name := fmt.Sprint(table, " ", o["id"])
			if n, ok := o["comments_count"].(float64); ok && int(n) != comments[name] {
				t.Errorf("%s: comments_count %v of %d", name, n, comments[name])
			}
			if n, ok := o["files_count"].(float64); ok && int(n) != files[name] {
				t.Errorf("%s: files_count %v of %d", name, n, files[name])
			}
		}
	}
}
