package paymotest

// version is the row that the ref points at, to be kept as what it was.
func (t *table) version(r ref) *row {
	if r.row == nil {
		var e entry
		t.gen.fill(r.index, &e)
		return &row{id: e.id, created: e.created, updated: e.updated, raw: t.append(nil, r)}
	}
	was := *r.row
	was.was = nil // one version is kept, not a chain
	return &was
}

// before is the view of a replica that lags behind by one change of each row. A
// row that was put once is there as it was put, and a deleted one is gone.
func (v *view) before() view {
	old := view{index: v.index, tables: make([]table, len(v.tables))}
	for i, t := range v.tables {
		old.tables[i] = table{res: t.res, gen: t.gen, rows: make([]*row, len(t.rows)), links: &links{}}
		for n, r := range t.rows {
			if r.was != nil {
				r = r.was
			}
			old.tables[i].rows[n] = r
		}
	}
	return old
}

// forgotten reports whether lists leave a row out: every q.forget-th of the table
// by id, so that it is the same ones however the table is listed.
func (q *query) forgotten(r ref) bool {
	if q.forget <= 0 {
		return false
	}
	place := r.index
	if r.row != nil {
		if i, ok := q.table.generated(r.row.id); ok {
			place = i
		} else {
			place = q.table.search(r.row.id)
		}
	}
	return (place+1)%q.forget == 0
}

// generated is the index of a generated row, also of one that was changed since.
func (t *table) generated(id int64) (int, bool) {
	if t.gen == nil {
		return 0, false
	}
	return t.gen.indexOf(id)
}
