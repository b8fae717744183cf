package jobs_test

import (
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/migrations"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// A warehouse that moved to another schema is read whole there, and the old schema
// does not get fresher by it.
func TestSchemaIsSwitched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	if _, err := migrations.Up(t.Context(), w.pool, "other"); err != nil {
		t.Fatal(err)
	}
	w.mustSync("clients", jobs.Full)
	w.patch("clients", query[int64](w, `SELECT min(id) FROM paymo.clients`), map[string]any{"name": "new name"})

	store := sink.New(w.pool, "other", catalog.DefaultAccount)
	moved := w.newSyncer("worker-2", func(_ *paymo.Config, config *jobs.SyncerConfig) { config.Store = store })
	request := jobs.Request{Resource: resource(t, "clients"), Mode: jobs.Incremental, Reason: jobs.ReasonManual}
	outcome, err := moved.Sync(t.Context(), request)
	if err != nil || outcome.Mode != jobs.Full || outcome.State != sink.StateOK || outcome.Inserted == 0 {
		t.Fatal(unexpected(outcome, err))
	}
	for schema, want := range map[string]string{"paymo": "unavailable: another schema was synced last, not this one", "other": "ok: "} {
		got := query[string](w, `SELECT state || ': ' || reason FROM `+schema+`._sync_status WHERE "table" = 'clients'`)
		if got != want {
			t.Errorf("%s: %q, want %q", schema, got, want)
		}
	}
	if s := w.status("clients"); s.State != sink.StateUnavailable || s.FreshAsOf != nil || s.FullAt != nil {
		t.Errorf("the old schema's status is %+v", s)
	}
	// Back again, the change that went elsewhere is read.
	if outcome := w.mustSync("clients", jobs.Incremental); outcome.Mode != jobs.Full || outcome.Updated != 1 {
		t.Error(unexpected(outcome, nil))
	}
	w.mustEqual("clients")
	if s := w.status("clients"); s.State != sink.StateOK || s.FreshAsOf == nil || s.FullAt == nil {
		t.Errorf("back again, the status is %+v", s)
	}
}
