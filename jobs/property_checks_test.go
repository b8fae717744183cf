package jobs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// looked is what a row of the warehouse looks like.
type looked struct {
	deleted bool
	empty   []string // columns that are null
	issues  []string // columns whose values would not convert
}

// looks are a table's rows by id.
type looks map[int64]looked

// look reads what a table's rows look like.
func (w *world) look(table string) looks {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), `
		SELECT id, _deleted_at IS NOT NULL,
			ARRAY (SELECT key FROM jsonb_each(to_jsonb(t)) WHERE value = 'null'),
			ARRAY (SELECT jsonb_object_keys(_issues))
		FROM paymo.`+table+` AS t`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	found := looks{}
	for rows.Next() {
		var id int64
		var row looked
		if err := rows.Scan(&id, &row.deleted, &row.empty, &row.issues); err != nil {
			w.t.Fatal(err)
		}
		found[id] = row
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return found
}

// live are the rows that are not marked deleted.
func (l looks) live() int {
	n := 0
	for _, row := range l {
		if !row.deleted {
			n++
		}
	}
	return n
}

// objects are the rows that the company has, as objects.
func (w *world) objects(table string) map[int64]map[string]any {
	w.t.Helper()
	rows := map[int64]map[string]any{}
	for object := range w.fake.Rows(table) {
		fields := decode(w.t, object)
		id, err := fields["id"].(json.Number).Int64()
		if err != nil {
			w.t.Fatal(err)
		}
		rows[id] = fields
	}
	return rows
}

// unfinished reports whether a run of the table is to be gone on with.
func (s *sequence) unfinished(table string) bool {
	s.t.Helper()
	return query[bool](s.world, `SELECT EXISTS (SELECT FROM paymosync.checkpoints WHERE table_name = $1 AND progress IS NOT NULL)`, table)
}

// harm says what a sync did to a table that it should not have done: a row that is there
// was marked deleted, or a column was emptied that is not empty.
func (w *world) harm(table string, before, after looks) (deleted, emptied []string) {
	w.t.Helper()
	served := w.objects(table)
	for _, id := range slices.Sorted(maps.Keys(before)) {
		is, ok := after[id]
		if !ok {
			deleted = append(deleted, fmt.Sprintf("%s: row %d is not in the table any more", table, id))
		}
		was, fields := before[id], served[id]
		if is.deleted || was.deleted || fields == nil {
			continue
		}
		for _, column := range is.empty {
			if value := fields[column]; value != nil && value != "" && !slices.Contains(was.empty, column) && !slices.Contains(is.issues, column) {
				emptied = append(emptied, fmt.Sprintf("%s: row %d: %s was emptied and is %v", table, id, column, value))
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(after)) {
		if after[id].deleted && !before[id].deleted && served[id] != nil {
			deleted = append(deleted, fmt.Sprintf("%s: row %d was marked deleted and is there", table, id))
		}
	}
	return deleted, emptied
}

// lacking are the rows that are served and not in the table, or marked deleted there.
func (w *world) lacking(table string) (ids []int64) {
	w.t.Helper()
	rows := w.look(table)
	for _, id := range slices.Sorted(maps.Keys(w.objects(table))) {
		if row, known := rows[id]; !known || row.deleted {
			ids = append(ids, id)
		}
	}
	return ids
}

// compare holds what became of a table against the company.
func (s *sequence) compare(table string, before, after looks) {
	s.t.Helper()
	deleted, emptied := s.harm(table, before, after)
	if s.restored[table] { // while it was gone it may have been found to be
		deleted = nil
	}
	if s.working || s.fault != nil && s.fault.Kind == paymotest.FaultStale { // it may have been empty
		emptied = nil
	}
	for _, harm := range slices.Concat(deleted, emptied) {
		s.t.Error(harm)
	}
}

// hangs reports whether what is read of a table depends on what is known of its parents.
func hangs(r *catalog.Resource) bool {
	return r.Listings[0] == catalog.WithParent || r.Strict != "" && r.Window == ""
}

// parentsShort reports whether the table of a resource's parents says that it is not whole.
func (s *sequence) parentsShort(r *catalog.Resource) bool {
	return slices.ContainsFunc([]string{r.Scope.Parent, r.Embedded.Parent}, func(parent string) bool {
		return parent != "" && s.status(parent).State != sink.StateOK
	})
}

// believe holds a sync that says that all is well against the company.
func (s *sequence) believe(table string, outcome jobs.Outcome, before looks, resumed, fresh bool) {
	s.t.Helper()
	r := resource(s.t, table)
	each := hangs(r) && s.company.Scopes == paymotest.ScopesEqual && outcome.Mode == jobs.Incremental // only of some parents
	if resumed || hangs(r) && (!fresh || s.parentsShort(r)) || each || table == "files" && (s.company.Scopes == paymotest.ScopesIn || s.company.Scopes == paymotest.ScopesEqual) {
		return // rows may be there of which it could not know
	}
	full := outcome.Mode == jobs.Full
	if s.fault == nil && full {
		for _, difference := range s.differences(table) {
			s.t.Errorf("%s is well after a full: %s", table, difference)
		}
		delete(s.tainted, table)
		return
	}
	if s.fault == nil && !s.tainted[table] || s.fault != nil && full && s.noticeable(before) {
		if ids := s.lacking(table); len(ids) > 0 {
			s.t.Errorf("%s is well after %s and lacks rows %d", table, outcome.Mode, ids)
		}
	}
}

// noticeable reports whether a full could notice that the fault hides rows which it does
// not know.
func (s *sequence) noticeable(before looks) bool {
	switch s.fault.Kind {
	case paymotest.FaultStale, paymotest.FaultForget:
		return false
	}
	return before.live() > 0
}
