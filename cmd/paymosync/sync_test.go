package main

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// withParents are the tables whose rows come with others first.
func withParents() []*catalog.Resource {
	return slices.DeleteFunc(slices.Clone(catalog.All()), func(r *catalog.Resource) bool { return !comesWithParents(r) })
}

// However few tables are synced at once, what a table waits for is under way: it comes
// earlier, whatever the order of the arguments is, and waits for nothing itself.
func TestParentsComeFirst(t *testing.T) {
	t.Parallel()
	var names []string
	for _, r := range withParents() {
		names = append(names, r.Table)
	}
	for _, r := range withParents() {
		names = append(names, r.Embedded.Parent)
	}
	chosen, err := chosenTables(Config{}, names)
	if err != nil || len(chosen) == 0 {
		t.Fatalf("%d tables, %v", len(chosen), err)
	}
	for _, resources := range [][]*catalog.Resource{catalog.All(), chosen} {
		for i, r := range resources {
			if !comesWithParents(r) {
				continue
			}
			if !slices.ContainsFunc(resources[:i], func(p *catalog.Resource) bool {
				return p.Table == r.Embedded.Parent && !comesWithParents(p)
			}) {
				t.Errorf("%s comes before its %s, or they wait too", r.Table, r.Embedded.Parent)
			}
		}
	}
}

// A table waits for its parents where they are synced, and for nothing else.
func TestAwaitParents(t *testing.T) {
	t.Parallel()
	items, tasks := mustLookup(t, "invoice_items"), mustLookup(t, "tasks")
	synctest.Test(t, func(t *testing.T) {
		ended := endings([]jobs.Request{{Resource: mustLookup(t, "invoices")}, {Resource: items}, {Resource: tasks}})
		waited := make(chan struct{})
		go func() {
			awaitParents(t.Context(), items, ended)
			close(waited)
		}()
		synctest.Wait()
		select {
		case <-waited:
			t.Error("it did not wait")
		default:
		}
		close(ended["invoices"])
		<-waited
		awaitParents(t.Context(), tasks, ended)
		awaitParents(t.Context(), items, endings([]jobs.Request{{Resource: items}}))
	})
}

func mustLookup(t *testing.T, table string) *catalog.Resource {
	t.Helper()
	resource, ok := catalog.Lookup(table)
	if !ok {
		t.Fatalf("there is no table %s", table)
	}
	return resource
}
