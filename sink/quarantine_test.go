package sink_test

import (
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

func TestReadQuarantine(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	ctx := t.Context()
	reject := func(tb *table, payloads ...string) {
		t.Helper()
		page := tb.page()
		for _, payload := range payloads {
			page.Rejects = append(page.Rejects, catalog.Reject{Payload: payload, Problem: "the id is missing"})
		}
		tb.apply(page)
	}
	reject(tb, `{"name":"a"}`)
	reject(tb, `{"name":"b"}`)
	users := openTable(t, tb.pool, tb.store, "users")
	reject(users, `{"name":"a"}`)
	exec(t, tb.pool, `INSERT INTO paymosync.quarantine (account, table_name, hash, payload, problem) VALUES ('another', 'tasks', 'abc', '', '')`)

	all, err := tb.store.Quarantined(ctx, "")
	tb.must(err)
	if len(all) != 3 || all[0].Table != "tasks" || all[0].Payload != `{"name":"b"}` || all[2].Table != "users" || all[0].Problem != "the id is missing" || all[0].FirstSeen.IsZero() || all[0].LastSeen.IsZero() {
		t.Errorf("%+v", all)
	}
	if some, err := tb.store.Quarantined(ctx, "users"); err != nil || len(some) != 1 || some[0] != all[2] {
		t.Errorf("of users: %+v, %v", some, err)
	}

	a, b := all[1], all[0]
	for _, prefix := range []string{b.Hash, strings.ToUpper(b.Hash[:12])} {
		if got, err := tb.store.QuarantinedRecord(ctx, prefix); err != nil || got != b {
			t.Errorf("%s: %+v, %v", prefix, got, err)
		}
	}
	for prefix, want := range map[string]string{
		"xyz":  `no record in quarantine has a hash that begins with "xyz"`,
		"%":    `no record in quarantine has a hash that begins with "%"`,
		"abc":  `no record in quarantine has a hash that begins with "abc"`,
		"":     `several records in quarantine have a hash that begins with "": give more of it`,
		a.Hash: "is in quarantine for both tasks and users",
	} {
		if _, err := tb.store.QuarantinedRecord(ctx, prefix); err == nil || !strings.Contains(err.Error(), want) {
			// Which of the records comes first is chance.
			if prefix != "" || err == nil || !strings.Contains(err.Error(), "is in quarantine for both") {
				t.Errorf("%q: %v", prefix, err)
			}
		}
	}

	tb.must(tb.lease.Release(ctx, a.Hash))
	tb.must(tb.lease.Release(ctx, a.Hash))
	left, err := tb.store.Quarantined(ctx, "")
	if err != nil || len(left) != 2 || left[0] != b || left[1].Table != "users" {
		t.Errorf("left: %+v, %v", left, err)
	}
	if got, err := tb.store.QuarantinedRecord(ctx, a.Hash); err != nil || got.Table != "users" {
		t.Errorf("%+v, %v", got, err)
	}
	if other, err := sink.New(tb.pool, "paymo", "another").Quarantined(ctx, "tasks"); err != nil || len(other) != 1 {
		t.Errorf("another account's: %+v, %v", other, err)
	}
}
