package sink_test

import (
	"slices"
	"testing"

	"github.com/paymosync/paymosync/sink"
)

// What was dropped is counted for each table of the account, over all runs.
func TestDropped(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	exec(t, tb.pool, `
		INSERT INTO paymosync.runs (account, table_name, mode, reason, dropped)
		VALUES ('default', 'users', 'full', 'manual', 2), ('default', 'users', 'full', 'manual', 3), ('default', 'tasks', 'full', 'manual', 0),
			('another', 'tasks', 'full', 'manual', 7)`)
	got, err := tb.store.Dropped(t.Context())
	if want := []sink.DroppedFields{{Table: "users", Values: 5}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}
