package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// inventedRows is how many rows a table that nobody has read is taken to have: so many that
// their order shows, and so few that they fit one reply.
const inventedRows = 4

// rehearsal stands in for Paymo while a sync is planned, and notes what it is asked for.
// It answers as a Paymo would that has what the warehouse has, in the order of the ids;
// of a table that was never read, it has a few rows. Nothing is sent and nothing written.
type rehearsal struct {
	store      *sink.Store
	first      map[string]bool // tables that will have been read whole before this one
	run        *run
	refuses    bool // Paymo does not serve the table
	requests   []PlannedRequest
	unread     map[string]bool // tables that nobody has read, as far as it was asked
	unfinished grid            // what a first load has still to read
}

// comesFirst reports whether the table will have been read whole by then. To a sync that
// is no rehearsal that means nothing.
func (h *rehearsal) comesFirst(table string) bool { return h != nil && h.first[table] }

// parents are the ids of a table of parents as they will be by then, least first.
func (h *rehearsal) parents(ctx context.Context, table string) ([]int64, error) {
	resource, ok := catalog.Lookup(table)
	if !ok {
		return nil, fmt.Errorf("list by %s: there is no such table", table)
	}
	ids, err := h.store.IDs(ctx, table)
	if err != nil || len(ids) > 0 || !h.first[table] {
		return ids, err
	}
	unread, err := h.isUnread(ctx, resource)
	if err != nil || !unread {
		return nil, err
	}
	return inventedIDs(), nil
}

func inventedIDs() []int64 {
	ids := make([]int64, inventedRows)
	for i := range ids {
		ids[i] = int64(i) + 1
	}
	return ids
}

// isUnread reports whether nothing is known of the table's rows.
func (h *rehearsal) isUnread(ctx context.Context, resource *catalog.Resource) (bool, error) {
	if unread, known := h.unread[resource.Table]; known {
		return unread, nil
	}
	checkpoint, err := h.store.Checkpoint(ctx, resource.Table)
	if err != nil {
		return false, err
	}
	unread := !notServed(checkpoint) && (checkpoint.FullAt.IsZero() || !strings.HasPrefix(checkpoint.Layout, h.store.Layout(resource)))
	if unread {
		extent, err := h.store.Extent(ctx, resource)
		if err != nil {
			return false, err
		}
		unread = extent.Rows == 0
	}
	h.unread[resource.Table] = unread
	return unread, nil
}

// notServed reports whether Paymo denied the table when it was last asked for it.
func notServed(checkpoint sink.Checkpoint) bool {
	cause := Cause(checkpoint.Cause)
	return cause == CauseNotServed || cause == CauseWithdrawn ||
		checkpoint.State == sink.StateUnavailable && checkpoint.Reason != sink.Unsynced
}

// RoundTrip notes a request and answers it.
func (h *rehearsal) RoundTrip(req *http.Request) (*http.Response, error) {
	resource, id, ok := resourceAt(req.URL.Path)
	if !ok {
		return nil, fmt.Errorf("plan %s: no table is at that path", req.URL.Path)
	}
	query := req.URL.Query()
	conditions, err := parseWhere(query.Get("where"))
	if err != nil {
		return nil, err
	}
	h.requests = append(h.requests, PlannedRequest{
		Method: req.Method, Path: req.URL.Path, Query: req.URL.RawQuery,
		Where: readable(conditions), Include: query.Get("include"), Page: query.Get("page"),
	})
	if h.refuses {
		return answered(req, http.StatusForbidden, []byte(`{"message":"Paymo did not serve it when it was last asked"}`)), nil
	}
	if id != 0 {
		conditions = []condition{{field: "id", op: "=", values: []int64{id}}}
	}
	rows, err := h.rows(req.Context(), resource, conditions, query)
	switch {
	case err != nil:
		return nil, err
	case id != 0 && len(rows) == 0:
		return answered(req, http.StatusNotFound, []byte(`{"message":"Object not found"}`)), nil
	}
	objects := make([]json.RawMessage, len(rows))
	for i, row := range rows {
		objects[i] = row.Object
	}
	if include := query.Get("include"); include != "" {
		if objects, err = h.families(req.Context(), rows, include); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(map[string][]json.RawMessage{resource.Key: objects})
	if err != nil {
		return nil, err
	}
	return answered(req, http.StatusOK, body), nil
}

func answered(req *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}},
		Body:   io.NopCloser(bytes.NewReader(body)), Request: req,
	}
}

// resourceAt finds the resource, and the row if one is named, at a path.
func resourceAt(path string) (resource *catalog.Resource, id int64, ok bool) {
	for _, r := range catalog.All() {
		if r.Path == path {
			return r, 0, true
		}
		if rest, found := strings.CutPrefix(path, r.Path+"/"); found {
			id, err := strconv.ParseInt(rest, 10, 64)
			return r, id, err == nil
		}
	}
	return nil, 0, false
}

// rows are what a list of the resource would bring.
func (h *rehearsal) rows(ctx context.Context, resource *catalog.Resource, conditions []condition, query map[string][]string) ([]sink.MirrorRow, error) {
	if resource.Table == "time_entries" && slices.ContainsFunc(conditions, func(c condition) bool { return c.field == "end_time" }) {
		return nil, nil // no timer runs, as far as anybody knows
	}
	unread, err := h.isUnread(ctx, resource)
	if err != nil {
		return nil, err
	}
	if unread {
		return invented(resource, conditions), nil
	}
	if resource == h.run.resource {
		if ids, ok := h.unfinished.ids(conditions, h.run.progress.Witnesses, h.run.cap()); ok {
			rows := make([]sink.MirrorRow, len(ids))
			for i, id := range ids {
				rows[i] = made(resource, id, 1)
			}
			return rows, nil
		}
	}
	wanted := mirror(resource, conditions)
	if p := h.run.progress.Parents; resource == h.run.resource && p != nil && p.After == 0 {
		wanted.OrNull = true
	}
	wanted.Limit = h.run.cap()
	if size := query["page_size"]; len(size) > 0 {
		pages, err := numbers(size[0] + "," + query["page"][0])
		if err != nil {
			return nil, err
		}
		wanted.Limit, wanted.Offset = min(wanted.Limit, int(pages[0])), int(pages[0]*pages[1])
	}
	return h.store.Mirror(ctx, resource, wanted)
}

// invented are rows of a table that nobody has read: a few, or one of each parent that is
// asked for.
func invented(resource *catalog.Resource, conditions []condition) []sink.MirrorRow {
	var rows []sink.MirrorRow
	ids := inventedIDs()
	for _, c := range conditions {
		switch {
		case c.op == "null":
			return nil
		case c.op == "=" && c.field == resource.Scope.Filter:
			ids = c.values
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(conditions, func(c condition) bool { return c.field == "id" && !c.has(id) }) {
			rows = append(rows, made(resource, id, id))
		}
	}
	return rows
}

// made is a row that is made up.
func made(resource *catalog.Resource, id, owner int64) sink.MirrorRow {
	scope := ""
	if column := resource.OwnerScope(); column != "" {
		scope = fmt.Sprintf(`,%q:%d`, column, owner)
	}
	const long = "2020-01-01T00:00:00Z"
	return sink.MirrorRow{ID: id, Owner: owner, Object: fmt.Appendf(nil, `{"id":%d,"created_on":%q,"updated_on":%[2]q%[3]s}`, id, long, scope)}
}

// grid is what an unfinished first load has still to read, taken to be as dense as what
// it has read. The zero grid is none.
type grid struct{ from, to, step int64 }

// grid is that of the run, none where it is not known how far the ids go.
func (h *rehearsal) grid(ctx context.Context) (grid, error) {
	p := h.run.progress
	if p.Mode != Full || p.Listing != catalog.ByID || p.Ranges == nil || len(p.Ranges.Todo) == 0 {
		return grid{}, nil
	}
	next := p.Ranges.Todo[len(p.Ranges.Todo)-1]
	if next.To == nil {
		return grid{}, nil
	}
	from := p.Ranges.Floor
	if len(p.Ranges.Todo) == 1 && next.From != nil {
		from = max(from, *next.From)
	}
	gap, err := h.store.Gap(ctx, h.run.resource)
	return grid{from: from, to: *next.To, step: max(1, gap)}, err
}

// ids are those of the grid that the conditions ask for, and of the others that lie in it,
// so many at most. It reports false where the conditions ask for what was read.
func (g grid) ids(conditions []condition, others []int64, most int) (ids []int64, ok bool) {
	from, to := g.from, g.to
	for _, c := range conditions {
		switch {
		case c.field != "id":
		case c.op == ">=":
			from = max(from, c.values[0])
		case c.op == "<":
			to = min(to, c.values[0])
		default:
			from, to = max(from, c.values[0]), min(to, c.values[0]+1)
		}
	}
	if from >= to {
		return nil, false
	}
	half := max(1, g.step/2)
	for id := from + (half-from%half)%half; id < to && len(ids) < most; id += half {
		if g.step == 1 || mix(id)&1 == 0 { // no two replies are to be of the same length
			ids = append(ids, id)
		}
	}
	for _, id := range others {
		if id >= from && id < to && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), most)], true
}

// families are parents with their children in them.
func (h *rehearsal) families(ctx context.Context, parents []sink.MirrorRow, include string) ([]json.RawMessage, error) {
	child := h.run.resource
	ids := make([]int64, len(parents))
	for i, parent := range parents {
		ids[i] = parent.ID
	}
	children := map[int64][]json.RawMessage{}
	if len(ids) > 0 {
		rows, err := h.rows(ctx, child, []condition{{field: child.Scope.Filter, op: "=", values: ids}}, nil)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			children[row.Owner] = append(children[row.Owner], row.Object)
		}
	}
	list, inner, deep := strings.Cut(include, ".")
	objects := make([]json.RawMessage, len(parents))
	for i, parent := range parents {
		held := children[parent.ID]
		if held == nil {
			held = []json.RawMessage{}
		}
		object := map[string]any{"id": parent.ID, list: held}
		if deep {
			object[list] = []any{map[string]any{"id": 1, inner: held}}
		}
		text, err := json.Marshal(object)
		if err != nil {
			return nil, err
		}
		objects[i] = text
	}
	return objects, nil
}

// client is a Paymo client that asks the rehearsal.
func (h *rehearsal) client() (*paymo.Client, error) {
	return paymo.New(paymo.Config{
		BaseURL:   "https://plan.invalid",
		Key:       func(context.Context) (string, error) { return "nobody", nil },
		Scheme:    paymo.SchemeRaw,
		Transport: h,
	})
}
