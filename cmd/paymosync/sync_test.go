package main

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// withParents are the tables that wait for others.
func withParents() []*catalog.Resource {
	return slices.DeleteFunc(slices.Clone(catalog.All()), func(r *catalog.Resource) bool { return len(parentsOf(r)) == 0 })
}

// However few tables are synced at once, what a table waits for is under way: it comes
// earlier, whatever the order of the arguments is, and what it waits for itself comes
// earlier still.
func TestParentsComeFirst(t *testing.T) {
	t.Parallel()
	var names []string
	for _, r := range withParents() {
		names = append(names, r.Table)
	}
	for _, r := range withParents() {
		names = append(names, parentsOf(r)...)
	}
	chosen, err := chosenTables(Config{}, names)
	if err != nil || len(chosen) == 0 {
		t.Fatalf("%d tables, %v", len(chosen), err)
	}
	for _, resources := range [][]*catalog.Resource{catalog.All(), chosen} {
		for i, r := range resources {
			for _, parent := range parentsOf(r) {
				if !slices.ContainsFunc(resources[:i], func(p *catalog.Resource) bool { return p.Table == parent }) {
					t.Errorf("%s comes before its %s", r.Table, parent)
				}
			}
		}
	}
}

// What Paymo lists only by others waits for those; what it lists by itself, or by windows
// of time, does not.
func TestParentsOf(t *testing.T) {
	t.Parallel()
	for table, want := range map[string][]string{
		"invoice_items": {"invoices"}, "project_template_tasks": {"project_templates"}, "comments": {"comment_threads"},
		"comment_threads": {"projects"}, "files": {"projects"}, "task_assignments": {"users"},
		"time_entries": nil, "bookings": nil, "tasks": nil, "users": nil,
	} {
		if got := parentsOf(mustLookup(t, table)); !slices.Equal(got, want) {
			t.Errorf("%s waits for %v, want %v", table, got, want)
		}
	}
	for _, r := range catalog.All() {
		if comesWithParents(r) && !slices.Contains(parentsOf(r), r.Embedded.Parent) {
			t.Errorf("%s does not wait for %s", r.Table, r.Embedded.Parent)
		}
	}
}

// A table waits for its parents where they are synced, and for nothing else.
func TestAwaitParents(t *testing.T) {
	t.Parallel()
	tasks := mustLookup(t, "tasks")
	for parent, child := range map[string]string{"invoices": "invoice_items", "projects": "files", "comment_threads": "comments"} {
		testAwaitParents(t, mustLookup(t, parent), mustLookup(t, child), tasks)
	}
}

func testAwaitParents(t *testing.T, parent, child, other *catalog.Resource) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ended := endings([]jobs.Request{{Resource: parent}, {Resource: child}, {Resource: other}})
		waited := make(chan struct{})
		go func() {
			awaitParents(t.Context(), child, ended)
			close(waited)
		}()
		synctest.Wait()
		select {
		case <-waited:
			t.Errorf("%s did not wait", child.Table)
		default:
		}
		close(ended[parent.Table])
		<-waited
		awaitParents(t.Context(), other, ended)
		awaitParents(t.Context(), child, endings([]jobs.Request{{Resource: child}}))
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
