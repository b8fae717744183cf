package paymotest

import (
	"errors"
	"fmt"
	"slices"
)

// kept is the number of deletions that can be undone.
const kept = 500

// removal is what one deletion took: the object and what went with it.
type removal struct {
	table string
	id    int64
	rows  map[string][]*row // by table, by id; one without raw is as it was generated
}

// errSpared says that a deletion would leave a table without rows.
var errSpared = errors.New("it would empty a table")

// remove deletes an object with what cascades from it, and counts both. If it is to
// spare the last rows, it deletes nothing where that would empty a table.
func (a *account) remove(name string, id int64, spare bool) (int, error) {
	i, ok := a.view.index[name]
	if !ok || a.view.tables[i].res.Singleton {
		return 0, fmt.Errorf("delete %s: no such table", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.view.tables[i].find(id); !ok {
		return 0, fmt.Errorf("delete %s %d: %w", name, id, ErrNotFound)
	}
	for _, refusal := range [][3]string{{"workflows", "projects", "workflow_id"}, {"workflow_statuses", "tasks", "status_id"}} {
		if refusal[0] == name && len(a.children(refusal[1], refusal[2], map[int64]bool{id: true})) > 0 {
			return 0, fmt.Errorf("delete %s %d: it has %s", name, id, refusal[1])
		}
	}
	doomed := map[string]map[int64]bool{}
	a.doom(doomed, name, map[int64]bool{id: true})
	for table, ids := range doomed {
		if spare && len(ids) > 0 && a.view.table(table).count() <= len(ids) {
			return 0, fmt.Errorf("delete %s %d: %w", name, id, errSpared)
		}
	}
	gone := removal{table: name, id: id, rows: map[string][]*row{}}
	n := 0
	for table, ids := range doomed {
		t := a.view.table(table)
		changes := make([]*row, 0, len(ids))
		for id := range ids {
			changes = append(changes, &row{id: id})
		}
		slices.SortFunc(changes, func(x, y *row) int { return int(x.id - y.id) })
		for _, c := range changes {
			if was := t.stored(c.id); was != nil {
				gone.rows[table] = append(gone.rows[table], was)
			} else {
				gone.rows[table] = append(gone.rows[table], c)
			}
		}
		t.apply(changes)
		for _, c := range changes {
			a.cfg.Changed(table, c.id, true)
			if a.cfg.Hooks.Cascades || table == name && c.id == id {
				a.tell(verbDelete, t.res, c)
			}
		}
		n += len(changes)
	}
	if name == "webhooks" {
		delete(a.hooks, id)
	}
	if a.trash = append(a.trash, gone); len(a.trash) > kept {
		a.trash = slices.Delete(a.trash, 0, 1)
	}
	return n, nil
}

// restore undoes the last deletion of an object.
func (a *account) restore(name string, id int64) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := -1
	for i, gone := range a.trash {
		if gone.table == name && gone.id == id {
			last = i
		}
	}
	if last < 0 {
		return 0, fmt.Errorf("restore %s %d: %w", name, id, ErrNotFound)
	}
	now := a.cfg.Now().UTC()
	back := map[string][]*row{}
	n := 0
	for table, rows := range a.trash[last].rows {
		t := a.view.table(table)
		for _, r := range rows {
			if _, there := t.find(r.id); there {
				continue
			}
			if r.raw == nil {
				i, _ := t.generated(r.id)
				r = t.version(ref{index: i})
			}
			o := r.decode()
			o["updated_on"] = now
			r, err := newRow(t.res, o)
			if err != nil {
				return 0, fmt.Errorf("restore %s %d: %w", name, id, err)
			}
			back[table] = append(back[table], r)
			n++
		}
	}
	for table, rows := range back {
		a.view.table(table).apply(rows)
		for _, r := range rows {
			a.cfg.Changed(table, r.id, false)
			if a.cfg.Hooks.Cascades || table == name && r.id == id {
				a.tell(verbInsert, a.view.table(table).res, r)
			}
		}
	}
	a.trash = slices.Delete(a.trash, last, last+1)
	return n, nil
}
