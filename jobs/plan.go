package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// Bound says what a number of planned requests is.
type Bound string

// The bounds, the firmest first.
const (
	Exactly Bound = "exactly"
	AtLeast Bound = "at least" // as many where nothing has changed in Paymo
	About   Bound = "about"    // an estimate
)

// Plan says which requests a sync of tables would make now, and how long they take.
type Plan struct {
	Identity []PlannedRequest `json:"identity"` // that tell whose key it is, once for all tables
	Asked    int              `json:"identity_asked"`
	Tables   []TablePlan      `json:"tables"`
	Requests int              `json:"requests"` // of all tables, with those of the identity
	Bound    Bound            `json:"bound"`
	Pace     Pace             `json:"pace"`
	Takes    time.Duration    `json:"takes_ns"` // from now on, with the time until the first may go
}

// TablePlan says which requests a sync of one table would make now.
type TablePlan struct {
	Table    string           `json:"table"`
	Mode     Mode             `json:"mode"`    // "" where it would not be synced
	Why      string           `json:"why"`     // it is read so, or not at all
	Listing  string           `json:"listing"` // "" where nothing is listed
	Requests int              `json:"requests"`
	Bound    Bound            `json:"bound"`
	Because  string           `json:"because"`  // of which the number is what it is
	Takes    time.Duration    `json:"takes_ns"` // at the pace, by itself
	Planned  []PlannedRequest `json:"planned"`
}

// PlannedRequest is a request that a sync would make.
type PlannedRequest struct {
	Method  string `json:"method"`
	Path    string `json:"path"`
	Query   string `json:"query,omitempty"` // as it is sent
	Where   string `json:"where,omitempty"` // as people read it
	Include string `json:"include,omitempty"`
	Page    string `json:"page,omitempty"`
}

// String is the request as people read it.
func (r PlannedRequest) String() string {
	text := r.Method + " " + r.Path
	if r.Where != "" {
		text += " where " + r.Where
	}
	if r.Include != "" {
		text += " include " + r.Include
	}
	if r.Page != "" {
		text += " page " + r.Page
	}
	return text
}

// PlanConfig is what a plan depends on. Store is required; the rest is as the Syncer's.
type PlanConfig struct {
	Store     *sink.Store
	StartDate time.Time
	Share     int // percentage of Paymo's limit that is used; 0: all of it
	FullDue   func(last, now time.Time) bool
}

// MakePlan plans syncs of tables, in their order. It reads the database alone: nothing is
// written, and nothing asked of Paymo.
//
// Each sync is rehearsed, with the code of a sync, against a Paymo that has what the
// warehouse has. So the plan of an incremental is exact where nothing has changed in
// Paymo, and that of a full where nothing has and Paymo lists by ids, least first.
func MakePlan(ctx context.Context, config PlanConfig, requests []Request) (Plan, error) {
	state, err := config.Store.Budget(config.Share).State(ctx)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Identity: []PlannedRequest{}, Tables: []TablePlan{}, Bound: Exactly, Pace: newPace(state)}
	first, unread := map[string]bool{}, map[string]bool{}
	total := 0
	for _, req := range requests {
		hearing := &rehearsal{store: config.Store, first: first, unread: unread}
		table, err := hearing.plan(ctx, config, req)
		if err != nil {
			return Plan{}, fmt.Errorf("plan %s: %w", req.Resource.Table, err)
		}
		table.Takes = plan.Pace.Spend(table.Requests + 1)
		first[table.Table] = table.Mode != ""
		plan.Tables = append(plan.Tables, table)
		total += table.Requests
		plan.Bound = looser(plan.Bound, table.Bound)
	}
	if slices.ContainsFunc(plan.Tables, func(t TablePlan) bool { return t.Mode != "" }) {
		plan.Identity, plan.Asked = identityRequests(), plan.Pace.identities(total)
	}
	if plan.Asked > 1 {
		plan.Bound = About
	}
	plan.Requests = total + plan.Asked*len(plan.Identity)
	plan.Takes = plan.Pace.Takes(plan.Requests)
	return plan, nil
}

// looser is the less firm of two bounds.
func looser(a, b Bound) Bound {
	firmness := []Bound{Exactly, AtLeast, About}
	return firmness[max(slices.Index(firmness, a), slices.Index(firmness, b))]
}

// plan plans one sync.
func (h *rehearsal) plan(ctx context.Context, config PlanConfig, req Request) (TablePlan, error) {
	table := TablePlan{Table: req.Resource.Table, Bound: Exactly, Planned: []PlannedRequest{}}
	client, err := h.client()
	if err != nil {
		return table, err
	}
	syncer := NewSyncer(SyncerConfig{Client: client, Store: config.Store, StartDate: config.StartDate, FullDue: config.FullDue})
	now, err := config.Store.Now(ctx)
	if err != nil {
		return table, err
	}
	checkpoint, err := config.Store.Checkpoint(ctx, table.Table)
	if err != nil {
		return table, err
	}
	switch why, err := syncer.paused(ctx, req.Resource, checkpoint); {
	case err != nil:
		return table, err
	case why.some():
		table.Why, table.Because = why.Sentence, "it is paused"
		return table, nil
	}
	h.run = &run{Syncer: syncer, resource: req.Resource, checkpoint: checkpoint, rehearsal: h, begun: now}
	decided, err := h.run.decide(ctx, req, now)
	if _, awaits := errors.AsType[*ParentsError](err); awaits {
		table.Why, table.Because = err.Error(), "it is not synced before its parents"
		return table, nil
	}
	if err != nil {
		return table, err
	}
	h.refuses = notServed(checkpoint)
	unread, err := h.isUnread(ctx, req.Resource)
	if err != nil {
		return table, err
	}
	table.Mode, table.Why = h.run.progress.Mode, h.run.why(decided)
	unfinished := decided.goesOn && checkpoint.FullAt.IsZero()
	if unfinished {
		if h.unfinished, err = h.grid(ctx); err != nil {
			return table, err
		}
	}
	err = h.run.read(ctx)
	if api, denied := errors.AsType[*paymo.APIError](err); err != nil && !(denied && h.refuses && api.Denied()) {
		if _, awaits := errors.AsType[*ParentsError](err); !awaits {
			return table, err
		}
		table.Why += "; " + err.Error()
	}
	table.Listing = h.run.way()
	table.Planned = append(table.Planned, h.requests...)
	table.Requests = len(table.Planned)
	table.Bound, table.Because = h.bound(unread, unfinished)
	return table, nil
}

// why says in words how much is read, and why.
func (r *run) why(decided decision) string {
	p := r.progress
	switch {
	case decided.goesOn && p.Mode == Full:
		return "it goes on with the full that began at " + p.StartedAt.UTC().Format(time.RFC3339)
	case decided.goesOn:
		return "it goes on with the incremental that began at " + p.StartedAt.UTC().Format(time.RFC3339)
	case p.Mode == Full:
		return string(decided.why)
	case r.resource.Listings[0] == catalog.Single:
		return "it is one object"
	case r.resource.Listings[0] == catalog.WithParent:
		return "rows of the " + r.resource.Embedded.Parent + " that changed are read"
	case !r.works(filterUpdated):
		return "Paymo does not tell what changed: " + r.checkpoint.Capabilities[filterUpdated].Reason
	case r.checkpoint.Cursor.IsZero():
		return "there is no cursor yet: everything is read"
	}
	return "what changed since " + r.checkpoint.Cursor.UTC().Format(time.RFC3339) + " is read"
}

// way is how the table is listed, in words.
func (r *run) way() string {
	p := r.progress
	way := p.Listing.String()
	switch p.Listing {
	case catalog.ByParent:
		way += fmt.Sprintf(": %s, %d a request", r.parent(), p.Parents.Size)
	case catalog.WithParent:
		way += fmt.Sprintf(": %s, %d a request", r.parent(), p.Parents.Size)
	case catalog.ByPage:
		way += fmt.Sprintf(" of %d rows, twice", pageSize)
	}
	return way
}

// bound says how firm the number of requests is, and why.
func (h *rehearsal) bound(unread, unfinished bool) (Bound, string) {
	p := h.run.progress
	switch {
	case h.refuses:
		return AtLeast, "Paymo did not serve the table when it was last asked; it is asked whether it does now"
	case p.Listing == catalog.Single:
		return Exactly, "it is one request"
	case unread:
		return About, fmt.Sprintf("nothing is known of its rows: it is so many where they fit one reply, and more with %d rows or more", h.run.cap())
	case unfinished:
		return About, "what is left to read is taken to be as dense as what was read"
	case p.Mode == Full:
		return About, fmt.Sprintf("it is counted from the %s of the warehouse and replies of at most %d; rows that are gone are asked for besides",
			rows(p.Known), h.run.cap())
	case h.run.everything() && p.Listing != catalog.WithParent:
		return About, "everything is read: it is counted from the rows of the warehouse"
	}
	return AtLeast, "it is so many where nothing has changed in Paymo"
}
