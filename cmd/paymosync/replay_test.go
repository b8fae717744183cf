package main

import (
	"strings"
	"testing"

	"github.com/paymosync/paymosync/sink"
)

// What is left in quarantine settles a state that was about the quarantine, and no other.
func TestSettled(t *testing.T) {
	t.Parallel()
	const unlooked = "; rows that are gone from lists with them are not looked for meanwhile"
	for _, tt := range []struct {
		state, reason string
		left          int64
		want          string
	}{
		{sink.StateDegraded, "12 records are in quarantine", 0, "ok "},
		{sink.StateDegraded, "12 records are in quarantine" + unlooked, 11, "degraded 11 records are in quarantine" + unlooked},
		{sink.StateDegraded, "2 records are in quarantine", 1, "degraded 1 record is in quarantine"},
		{sink.StateDegraded, "1 record is in quarantine", 2, "degraded 2 records are in quarantine"},
		{sink.StateDegraded, "listing incomplete", 0, "degraded listing incomplete"},
		{sink.StateFailing, "1 record is in quarantine", 0, "failing 1 record is in quarantine"},
		{sink.StateOK, "", 3, "ok "},
	} {
		if state, reason := settled(tt.state, tt.reason, tt.left); state+" "+reason != tt.want {
			t.Errorf("%s %s with %d left: %s %s", tt.state, tt.reason, tt.left, state, reason)
		}
	}
}

// A flag that follows is no table.
func TestAcceptedTables(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--accept-deletes", "--full"}, {"--full", "--accept-deletes", "--json"}, {"--full", "--accept-deletes="}, {"--full", "--accept-deletes", "tasks,"}} {
		w := &world{t: t, variables: map[string]string{"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}}
		w.run(append([]string{"sync"}, args...)...).mustExit(exitConfig).mustSay("--accept-deletes needs the name of a table")
	}
	if found, err := acceptedTables([]string{"tasks", " users"}, true); err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := acceptedTables([]string{"tasks"}, false); err == nil || !strings.Contains(err.Error(), "goes with --full") {
		t.Error(err)
	}
}
