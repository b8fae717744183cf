package jobs

import (
	"strings"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// Freshness says in words which changes of a table are found when; "" for none.
type Freshness struct {
	AtOnce  string `json:"at_once"` // by the next incremental
	Hot     string `json:"hot"`     // by the next incremental too, as far back as that reads
	Nightly string `json:"nightly"` // by the next full
}

// Contract is what the syncs of a table promise, by what was learned of the server.
func Contract(r *catalog.Resource, learned map[string]sink.Capability) Freshness {
	works := func(name string) bool {
		capability, known := learned[name]
		return !known || capability.Works
	}
	f := Freshness{Nightly: "deletions, and changes that do not move updated_on"}
	listing := r.Listings[0]
	for _, way := range r.Listings {
		if works(way.String()) {
			listing = way
			break
		}
	}
	const recent = "the last 21 days" // hotWindow
	switch active := listing == catalog.ByParent && !works(batches); {
	case listing == catalog.WithParent:
		f.AtOnce = "rows of parents that changed"
	case works(filterUpdated) && listing != catalog.Single:
		f.AtOnce = "changes that move updated_on"
		if active {
			f.AtOnce += ", where something moved in " + recent
		}
		if r.Table == "time_entries" && works(filterTimers) {
			f.AtOnce += ", and running timers"
		}
	case active:
		f.Hot = "rows where something moved in " + recent
	case r.Window != "":
		f.Hot = recent
	default: // every incremental reads and compares all
		f.AtOnce, f.Nightly = "everything", ""
		if movesQuietly(r) {
			f.AtOnce, f.Nightly = "everything but columns that move without updated_on", "these columns"
		}
	}
	if r.Scope.Optional && !works(filterUnscoped) {
		f.Nightly = strings.TrimPrefix(f.Nightly+"; ", "; ") + "rows without a project (receipts) are not reached"
	}
	return f
}

// movesQuietly reports whether an incremental leaves columns of the table alone.
func movesQuietly(r *catalog.Resource) bool {
	for _, column := range r.Stored() {
		if column.Has(catalog.Volatile) {
			return true
		}
	}
	return false
}
