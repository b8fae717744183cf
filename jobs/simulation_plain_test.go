package jobs_test

import (
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// asking says how a connector asks for tables. What it asks is counted by rules, and
// nothing is sent: it finds whatever changed before it began with a table.
type asking struct {
	page    int  // rows in a reply
	batch   int  // parents in a request, of lists that are shown by parent alone; 0: all
	with    bool // children come with their parents, where that is how paymosync reads them
	changed bool // and only with those that changed
}

// plainAsking is what Paymo's reference shows: pages of a hundred, and one parent a request.
func plainAsking() asking { return asking{page: 100, batch: 1} }

// requests is how many a sync of the table takes: of all its rows, or of so many that
// changed.
func (a asking) requests(fake *paymotest.Server, r *catalog.Resource, mode jobs.Mode, changed int) int {
	rows := changed
	if mode == jobs.Full {
		rows = fake.Count(r.Table)
	}
	pages := 1 + rows/a.page // the last one is short
	parent := r.Scope.Parent
	switch {
	case r.Embedded.Parent != "" && r.Listings[0] == catalog.WithParent:
		parent = r.Embedded.Parent
		switch {
		case a.changed && mode == jobs.Incremental:
			return min(changed, 1+changed/100)
		case a.with:
			return 1 + fake.Count(parent)/100
		}
	case r.Window != "", parent == "":
		return pages // windows of time bring the rows of all parents
	}
	if a.batch == 0 {
		return pages
	}
	batches := (fake.Count(parent) + a.batch - 1) / a.batch
	return batches + rows/a.page
}

// plain makes the syncs those of a connector that asks so, with nothing beside: it does
// not make sure of what it is told, and finds no deletion.
func (s *simulation) plain(a asking) {
	s.sync = func(j job) (more, wrote bool) {
		began := time.Now()
		r := resource(s.t, j.table)
		changed := len(s.changes.ids(j.table))
		for range a.requests(s.fake, r, j.mode, changed) {
			s.requests.Add(1)
			passUntil(time.Now().Add(simulatedPace))
		}
		s.changes.allArrived(j.table, began)
		return false, false
	}
}
