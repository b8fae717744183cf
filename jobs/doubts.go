package jobs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// WholeListing is the name under which the doubt about a listing of everything is kept
// among what is learned, until the next one.
const WholeListing = "whole listing"

// quarantined says that records are in quarantine, and what follows from it.
func (r *run) quarantined(kept int64) Doubt {
	text := fmt.Sprintf("%d records are in quarantine", kept)
	if kept == 1 {
		text = "1 record is in quarantine"
	}
	if r.progress.Rejected {
		text += "; rows that are gone from lists with them are not looked for meanwhile"
	}
	return Doubt{CauseQuarantine, text}
}

// stuck says that Paymo's clock stands still, none when it does not: the cursor follows it.
func (r *run) stuck() Doubt {
	p, cp := r.progress, r.checkpoint
	if !p.Dated || p.Listing == catalog.WithParent || p.Mode == Backfill || cp.ReadAt.IsZero() ||
		p.StartedAt.Sub(cp.ReadAt) < 2*overlap || p.Horizon.After(cp.FreshAsOf) {
		return Doubt{}
	}
	return doubtf(CauseStuck, "stuck cursor: Paymo's clock says %s and said so %s ago: what is newer may come late",
		p.Horizon.Format(time.RFC3339), p.StartedAt.Sub(cp.ReadAt).Round(time.Second))
}

// keepDoubt keeps a doubt until a full can tell anew.
func (r *run) keepDoubt(doubt Doubt) {
	switch {
	case doubt.some() && (r.everything() || r.sweeps()):
		r.checkpoint.Capabilities[WholeListing] = sink.Capability{Since: r.progress.StartedAt, Reason: doubt.Sentence, Cause: string(doubt.Cause)}
	case !doubt.some() && r.everything() && r.progress.Mode == Full:
		delete(r.checkpoint.Capabilities, WholeListing)
	}
}

// doubtedParents says that a table which is read by its parents may lack rows because the
// parents' own table may lack some, none when it does not.
func (r *run) doubtedParents(ctx context.Context) (Doubt, error) {
	if r.progress.Parents == nil {
		return Doubt{}, nil
	}
	parent, err := r.Store.Checkpoint(ctx, r.parent())
	if err != nil {
		return Doubt{}, err
	}
	doubt, doubted := parent.Capabilities[WholeListing]
	if !doubted {
		return Doubt{}, nil
	}
	return doubtf(CauseParentDoubted, "its %s may not be all there, and it is read by them: %s", r.parent(), doubt.Reason), nil
}

// remark says what is to be known of a table whose rows are Paymo's all the same.
func (r *run) remark() string {
	var remarks []string
	for _, name := range []string{filterUpdated, filterUnscoped} {
		if learned, ok := r.checkpoint.Capabilities[name]; ok && !learned.Works {
			remarks = append(remarks, fmt.Sprintf("%s does not work: %s", name, learned.Reason))
		}
	}
	if r.progress.Misfits {
		remarks = append(remarks, "some rows hold values that do not fit their columns: paymosync drift lists them")
	}
	return strings.Join(remarks, "; ")
}
