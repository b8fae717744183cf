package jobs

import (
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

func TestContract(t *testing.T) {
	t.Parallel()
	const full = "deletions, and changes that do not move updated_on"
	for _, tt := range []struct {
		table string
		fails []string
		want  Freshness
	}{
		{"expenses", nil, Freshness{AtOnce: "changes that move updated_on", Nightly: full}},
		{"expenses", []string{"id ranges"}, Freshness{AtOnce: "changes that move updated_on", Nightly: full}},
		{"workflows", []string{filterUpdated}, Freshness{AtOnce: "everything"}},
		{"time_entries", nil, Freshness{AtOnce: "changes that move updated_on, and running timers", Nightly: full}},
		{"time_entries", []string{filterTimers}, Freshness{AtOnce: "changes that move updated_on", Nightly: full}},
		{"time_entries", []string{filterUpdated}, Freshness{Hot: "the last 21 days", Nightly: full}},
		{"invoice_items", nil, Freshness{AtOnce: "rows of parents that changed", Nightly: full}},
		{"invoice_items", []string{"with parents"}, Freshness{AtOnce: "changes that move updated_on", Nightly: full}},
		{"comments", []string{"id ranges", batches}, Freshness{AtOnce: "changes that move updated_on, where something moved in the last 21 days", Nightly: full}},
		{"comments", []string{"id ranges", batches, filterUpdated}, Freshness{Hot: "rows where something moved in the last 21 days", Nightly: full}},
		{"files", []string{filterUnscoped}, Freshness{AtOnce: "changes that move updated_on", Nightly: full + "; rows without a project (receipts) are not reached"}},
	} {
		resource, ok := catalog.Lookup(tt.table)
		if !ok {
			t.Fatal(tt.table)
		}
		learned := map[string]sink.Capability{}
		for _, name := range tt.fails {
			learned[name] = sink.Capability{Since: time.Now()}
		}
		if got := Contract(resource, learned); got != tt.want {
			t.Errorf("%s without %s: %+v", tt.table, strings.Join(tt.fails, ", "), got)
		}
	}
	company, _ := catalog.Lookup("company")
	if got := Contract(company, nil); !strings.HasPrefix(got.AtOnce, "everything") || got.Hot != "" {
		t.Errorf("company: %+v", got)
	}
	// The words name the window.
	if hotWindow != 21*24*time.Hour {
		t.Errorf("the hot window is %s", hotWindow)
	}
}
