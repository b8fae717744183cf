package paymotest

import (
	"slices"
	"sync"
)

// links finds the rows of one version of a table by a column that leads to another
// table. An index is made when it is first asked for.
type links struct {
	mu sync.Mutex
	by map[string]map[int64][]ref
}

// linked are the rows whose column holds an id, by that id and in the order of
// their own. Time entries may be a million: they have no such index.
func (t *table) linked(column string) (map[int64][]ref, bool) {
	if t.gen != nil || t.links == nil {
		return nil, false
	}
	t.links.mu.Lock()
	defer t.links.mu.Unlock()
	if index, ok := t.links.by[column]; ok {
		return index, true
	}
	index := map[int64][]ref{}
	for _, r := range t.rows {
		if v := r.value(column); v.kind == number {
			index[int64(v.num)] = append(index[int64(v.num)], ref{row: r})
		}
	}
	if t.links.by == nil {
		t.links.by = map[string]map[int64][]ref{}
	}
	t.links.by[column] = index
	return index, true
}

// candidates are the rows that a query has to look at, where its conditions name
// few enough ids, or parents: all that can match, by ascending id.
func (q *query) candidates() ([]ref, bool) {
	for _, c := range q.filter.tests {
		if c.field != "id" || c.op != "=" && c.op != "in" || c.null || c.never {
			continue
		}
		var found []ref
		for _, n := range c.nums {
			if r, ok := q.table.find(int64(n)); ok && float64(int64(n)) == n {
				found = append(found, r)
			}
		}
		return q.unique(found), true
	}
	for _, c := range q.filter.tests {
		if col, ok := q.table.res.Column(c.field); !ok || col.Ref == "" || c.op != "=" && c.op != "in" || c.null || c.never ||
			q.table.res.Table == "bookings" { // these are found through their assignments too
			continue
		}
		index, ok := q.table.linked(c.field)
		if !ok {
			continue
		}
		var found []ref
		for _, n := range c.nums {
			found = append(found, index[int64(n)]...)
		}
		return q.unique(found), true
	}
	return nil, false
}

func (q *query) unique(found []ref) []ref {
	slices.SortFunc(found, func(x, y ref) int { return int(q.table.id(x) - q.table.id(y)) })
	return slices.CompactFunc(found, func(x, y ref) bool { return q.table.id(x) == q.table.id(y) })
}

// scan calls yield for the rows that may match the query, in its order.
func (q *query) scan(yield func(ref) bool) {
	found, ok := q.candidates()
	if !ok {
		q.table.each(q.order, q.filter.span, yield)
		return
	}
	switch q.order {
	case Descending:
		slices.Reverse(found)
	case Shuffled:
		slices.SortFunc(found, func(x, y ref) int { return compareScattered(q.table.id(x), q.table.id(y)) })
	}
	for _, r := range found {
		if !yield(r) {
			return
		}
	}
}
