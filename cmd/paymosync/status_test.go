package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// A doubt about a listing is the reason of a state, and no way to ask that fails.
func TestStatusWays(t *testing.T) {
	t.Parallel()
	report := newTableReport(jobs.TableOverview{TableStatus: sink.TableStatus{Table: "tasks", State: sink.StateDegraded, Reason: "listing incomplete", Capabilities: map[string]sink.Capability{
		jobs.WholeListing: {Reason: "listing incomplete"}, "id ranges": {Reason: "refused"}, "updated_on filter": {Works: true},
	}}})
	if text := (statusReport{tables: []tableReport{report}}).page(look{}); strings.Contains(text, jobs.WholeListing) || !strings.Contains(text, "tasks: id ranges does not work since ") || strings.Count(text, "listing incomplete") != 1 {
		t.Error(text)
	}
	encoded, err := json.Marshal(report)
	if err != nil || strings.Contains(string(encoded), jobs.WholeListing) || !strings.Contains(string(encoded), `"id ranges":`) {
		t.Errorf("%v: %s", err, encoded)
	}
}

// The tables with the same promise are all named, wrapped at the terminal's width.
func TestContracts(t *testing.T) {
	t.Parallel()
	at, part := jobs.Freshness{AtOnce: "everything"}, jobs.Freshness{Hot: "the last 21 days", Nightly: "deletions"}
	got := contracts([]tableReport{{Table: "users", Found: at}, {Table: "time_entries", Found: part}, {Table: "clients", Found: at}, {Table: "projects", Found: at}}, 24)
	want := `Found at once:
    everything.
    users, clients,
    projects
Found at once, for a
    part of the table:
    the last 21 days; by
    the full: deletions.
    time_entries
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}
