package jobs_test

import (
	"encoding/json"
	"testing"

	"github.com/paymosync/paymosync/jobs"
)

// Rows that a database's clock left behind that was set back are mended by a full,
// without being asked for one by one.
func TestFullAfterTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	requests := w.mustSync("tasks", jobs.Full).Requests
	exec(w, `UPDATE paymo.tasks SET _synced_at = now() + interval '1 hour'`)
	changed := 0
	for object := range w.fake.Rows("tasks") {
		id, err := decode(t, object)["id"].(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.fake.PatchQuietly("tasks", id, map[string]any{"name": "changed"}); err != nil {
			t.Fatal(err)
		}
		changed++
	}
	outcome := w.mustSync("tasks", jobs.Full)
	if outcome.Updated != int64(changed) || outcome.Requests > requests+5 {
		t.Errorf("%d rows changed, the full tells %+v", changed, outcome)
	}
	w.mustEqual("tasks")
}
