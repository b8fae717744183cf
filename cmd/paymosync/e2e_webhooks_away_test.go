package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// toldTables are the tables whose changes Paymo tells of.
func toldTables() []*catalog.Resource {
	var tables []*catalog.Resource
	for _, r := range catalog.All() {
		if r.Model != "" {
			tables = append(tables, r)
		}
	}
	return tables
}

// touch changes some rows of each of those tables.
func (w *told) touch(rows int) {
	w.t.Helper()
	for _, r := range toldTables() {
		n := 0
		for raw := range w.paymo.Rows(r.Table) {
			var object struct {
				ID int64 `json:"id"`
			}
			if err := json.Unmarshal(raw, &object); err != nil {
				w.t.Fatal(err)
			}
			if err := w.paymo.Patch(r.Table, object.ID, map[string]any{}); err != nil {
				w.t.Fatal(err)
			}
			if n++; n == rows {
				break
			}
		}
		if n == 0 {
			w.t.Fatalf("there are no %s", r.Table)
		}
	}
}

// differ tells what of the tables that Paymo tells of is not as it serves them.
func (w *told) differ() error {
	w.t.Helper()
	for _, r := range toldTables() {
		found, err := sinktest.Differences(w.t.Context(), w.pool, sinktest.Warehouse, r, w.paymo.Rows(r.Table))
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return fmt.Errorf("%s", strings.Join(found[:min(len(found), 3)], "\n"))
		}
	}
	return nil
}

// heard waits until every hook told of something.
func (w *told) heard() {
	w.t.Helper()
	within(w.t, 30*time.Second, "every hook is heard", func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymosync.hooks WHERE heard_at IS NULL`); n > 0 {
			return fmt.Errorf("%d are not", n)
		}
		return nil
	})
}

// post calls the service as Paymo would.
func (w *told) post(client *http.Client, event, signature string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://"+w.variables["HTTP_ADDR"]+webhookPath, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Paymo-Event", event)
	if signature != "" {
		req.Header.Set("X-Paymo-Signature", signature)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// hookSignature is that of a hook which was made with the account's secret, for the event's
// model.
func hookSignature(event string, body []byte, secret string) string {
	return paymotest.Signature(body, jobs.HookSecret(secret, event[strings.LastIndexByte(event, '.')+1:]))
}

// answers fails the test where the service answers a client that changed otherwise.
func (w *told) answers(status int, secret string) {
	w.t.Helper()
	client := w.object("clients", func(map[string]any) bool { return true })
	body, err := json.Marshal(client)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := w.post(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "model.update.Client", hookSignature("model.update.Client", body, secret), body)
	if err != nil || got != status {
		w.t.Errorf("a call is answered with %d, %v, want %d", got, err, status)
	}
}

// What happened while no service listened is there after the first syncs of the next one,
// though tables whose hooks tell of all are read once a day.
func TestProgramWebhooksAway(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 8, Entries: 200, Projects: 5, Tasks: 40})
	w.run("sync").mustExit(exitOK)
	schedules := []string{"SYNC_SCHEDULE", "@every 4s", "SYNC_SCHEDULE_WITH_WEBHOOKS", "@every 24h"}
	service := w.serve(schedules...)
	w.touch(1)
	w.heard()
	service.mustStop()
	for range 3 {
		w.touch(5) // of which nobody hears
	}
	if w.differ() == nil {
		t.Fatal("nothing has changed")
	}
	<-time.After(5 * time.Second) // the calls have failed by then
	service = w.with(schedules...).start("serve")
	took := within(t, time.Minute, "what happened meanwhile is there", w.differ)
	t.Logf("after %v", took)
	w.touch(3)
	within(t, time.Minute, "what happens from then on is there", w.differ)

	// Nor is what happened while Paymo had no hooks missed, though the next ones are heard
	// before the next sync.
	for id := range w.hooksOf(w.target()) {
		if _, err := w.paymo.Delete("webhooks", id); err != nil {
			t.Fatal(err)
		}
	}
	w.touch(5)
	w.run("webhooks", "install").mustExit(exitOK)
	<-time.After(1100 * time.Millisecond) // within the second of before they would be the same calls again
	w.touch(1)
	w.heard()
	took = within(t, time.Minute, "what happened without hooks is there", w.differ)
	t.Logf("what happened without hooks is there after %v", took)
	service.mustStop()
	w.bury()
	w.mustEqual()
}
