package paymotest

import (
	"cmp"
	"slices"
	"sort"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// table is a snapshot of one resource's rows: the generated ones, if any, with
// the stored ones laid over them. The slice is only appended to or replaced.
type table struct {
	res   *catalog.Resource
	gen   *entries // nil but for time entries
	rows  []*row   // by id
	links *links   // of these rows; replaced with them
}

// ref points at a row of a table: a stored one, or a generated one by its index.
type ref struct {
	row   *row
	index int
}

// view is a consistent snapshot of all tables of an account, in catalogue order.
type view struct {
	index  map[string]int
	tables []table
}

func (v *view) table(name string) *table { return &v.tables[v.index[name]] }

// find looks an id up.
func (t *table) find(id int64) (ref, bool) {
	if r := t.stored(id); r != nil {
		return ref{row: r}, r.raw != nil
	}
	if t.gen != nil {
		if i, ok := t.gen.indexOf(id); ok {
			return ref{index: i}, true
		}
	}
	return ref{}, false
}

func (t *table) stored(id int64) *row {
	i := t.search(id)
	if i < len(t.rows) && t.rows[i].id == id {
		return t.rows[i]
	}
	return nil
}

// search is the place of the first stored row whose id is not below id.
func (t *table) search(id int64) int {
	return sort.Search(len(t.rows), func(i int) bool { return t.rows[i].id >= id })
}

// span limits a scan: ids in [idLo, idHi], generated rows in [genLo, genHi).
type span struct {
	idLo, idHi   int64
	genLo, genHi int
}

// each calls yield for the rows in the span, in the order, until it returns false.
func (t *table) each(order Order, s span, yield func(ref) bool) {
	rows := t.rows[t.search(s.idLo):]
	if end := sort.Search(len(rows), func(i int) bool { return rows[i].id > s.idHi }); end < len(rows) {
		rows = rows[:end]
	}
	lo, hi := 0, 0
	if t.gen != nil {
		lo, hi = t.gen.between(s.idLo, s.idHi)
		lo, hi = max(lo, s.genLo), min(hi, s.genHi)
	}
	switch order {
	case Descending:
		t.merge(rows, lo, hi, true, yield)
	case Shuffled:
		t.shuffle(rows, lo, hi, yield)
	default:
		t.merge(rows, lo, hi, false, yield)
	}
}

func (t *table) merge(rows []*row, lo, hi int, down bool, yield func(ref) bool) {
	nextRow, nextGen := 0, lo
	for nextRow < len(rows) || nextGen < hi {
		at, r := nextGen, (*row)(nil)
		if nextRow < len(rows) {
			r = rows[nextRow]
			if down {
				r = rows[len(rows)-1-nextRow]
			}
		}
		if nextGen < hi {
			if down {
				at = hi - 1 - (nextGen - lo)
			}
			id := t.gen.id(at)
			switch {
			case r == nil || (id < r.id) != down && id != r.id:
				nextGen++
				if !yield(ref{index: at}) {
					return
				}
				continue
			case id == r.id: // the stored row replaces the generated one
				nextGen++
			}
		}
		nextRow++
		if r.raw != nil && !yield(ref{row: r}) {
			return
		}
	}
}

// shuffle yields the generated rows by a fixed permutation of their indexes, then
// the stored ones by a hash of their ids.
func (t *table) shuffle(rows []*row, lo, hi int, yield func(ref) bool) {
	const prime = 2_654_435_761 // above any number of rows, so coprime with it
	for p := range max(hi-lo, 0) {
		at := lo + int((uint64(p)*prime+uint64(t.gen.count/3))%uint64(hi-lo))
		if t.stored(t.gen.id(at)) == nil && !yield(ref{index: at}) {
			return
		}
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b *row) int { return compareScattered(a.id, b.id) })
	for _, r := range rows {
		if r.raw != nil && !yield(ref{row: r}) {
			return
		}
	}
}

func compareScattered(a, b int64) int { return cmp.Compare(scatter(a), scatter(b)) }

func scatter(id int64) uint64 {
	h := uint64(id) * 0x9E3779B97F4A7C15
	return h ^ h>>29
}

// count is the number of rows.
func (t *table) count() int {
	if t.gen == nil {
		return len(t.rows)
	}
	n := t.gen.count
	for _, r := range t.rows {
		if _, over := t.generated(r.id); over {
			n--
		}
		if r.raw != nil {
			n++
		}
	}
	return n
}

// id of the row that the ref points at.
func (t *table) id(r ref) int64 {
	if r.row != nil {
		return r.row.id
	}
	return t.gen.id(r.index)
}

// value reads a field of the row that the ref points at.
func (t *table) value(r ref, field string) value {
	if r.row != nil {
		return r.row.value(field)
	}
	var e entry
	t.gen.fill(r.index, &e)
	return e.value(field)
}

// append renders the row that the ref points at.
func (t *table) append(buf []byte, r ref) []byte {
	if r.row != nil {
		return append(buf, r.row.raw...)
	}
	var e entry
	t.gen.fill(r.index, &e)
	return e.append(buf)
}

// apply lays changes over the table; they are by id and win over what is there.
func (t *table) apply(changes []*row) {
	if len(changes) == 0 {
		return
	}
	t.links = &links{}
	// Appending past the end of older snapshots leaves them untouched.
	if len(t.rows) == 0 || changes[0].id > t.rows[len(t.rows)-1].id {
		t.rows = append(t.rows, changes...)
		return
	}
	merged := make([]*row, 0, len(t.rows)+len(changes)+8)
	old := t.rows
	for _, r := range changes {
		for len(old) > 0 && old[0].id < r.id {
			merged, old = append(merged, old[0]), old[1:]
		}
		if len(old) > 0 && old[0].id == r.id {
			old = old[1:]
		}
		if r.raw != nil || t.gen != nil {
			merged = append(merged, r)
		}
	}
	t.rows = append(merged, old...)
}
