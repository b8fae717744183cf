package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/jobs"
)

// What a verification comes to tells what differs and what mends it, and of which tables
// only a part was compared. What is not known is a dash.
func TestPrintVerified(t *testing.T) {
	t.Parallel()
	found := []jobs.Verified{
		{Table: "users", Verdict: jobs.VerdictEqual, Paymo: 5, Warehouse: 5, Requests: 2},
		{Table: "clients", Verdict: jobs.VerdictDifferent, Paymo: 1200, Warehouse: 1201, Different: 1, Extra: 1, Rows: []jobs.RowDifference{
			{ID: 7, Kind: jobs.RowExtra}, {ID: 8, Kind: jobs.RowMissing, Older: true},
		}, Omitted: 3},
		{Table: "tasks", Verdict: jobs.VerdictDifferent, Paymo: 100, Warehouse: 160, Extra: 60},
		{Table: "time_entries", Verdict: jobs.VerdictUnproven, Reason: "a reason", Paymo: jobs.Unknown, Warehouse: 30, Missing: jobs.Unknown, Extra: jobs.Unknown, Different: jobs.Unknown, From: "2024-01-01"},
		{Table: "bookings", Verdict: jobs.VerdictEqual, From: "2024-01-01"},
	}
	for _, tt := range []struct {
		found []jobs.Verified
		says  []string
	}{
		{found, []string{
			"time_entries  unproven       -         30        -      -          -",
			"clients 8: missing in the warehouse (older than the warehouse's)", "clients: … and 3 rows more",
			"62 rows differ in 2 of 5 tables (1,305 rows, 2 requests; time_entries and bookings from 2024-01-01): " +
				"to mend it, run paymosync verify --repair clients; " +
				"if it is right that so many rows are gone, run paymosync sync --full --accept-deletes tasks tasks",
		}},
		{found[:1], []string{"The warehouse equals Paymo: 1 table, 5 rows, 2 requests."}},
		{found[4:], []string{"The warehouse equals Paymo: 1 table, 0 rows, 0 requests; bookings from 2024-01-01."}},
	} {
		var out bytes.Buffer
		if err := (&program{terminal: terminal{out: &out, err: &out}}).printVerified(tt.found, false); err != nil {
			t.Fatal(err)
		}
		for _, words := range tt.says {
			if !strings.Contains(out.String(), words) {
				t.Errorf("it does not say %q:\n%s", words, out.String())
			}
		}
	}
}

// JSON is for programs, and for people to copy SQL from.
func TestPrintJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := (terminal{out: &out}).printJSON("a -> 'b' <> c & d"); err != nil || out.String() != "\"a -> 'b' <> c & d\"\n" {
		t.Errorf("%v: %s", err, out.String())
	}
}
