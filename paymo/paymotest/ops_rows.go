package paymotest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// raw is a loaded object's field as JSON.
func (f fields) raw(name string) json.RawMessage {
	raw, _ := f[name].(json.RawMessage)
	return raw
}

// create puts an object like one that there is, under parents of its own.
func (o *operator) create(table string) (Op, bool) {
	res, f, ok := o.load(table, o.draw(o.rng, table))
	switch {
	case !ok || res.Singleton || onlyEmbedded(res) || table == "time_entries" && f.running():
		return Op{}, false
	case table == "comment_threads":
		if f, ok = o.silent(); !ok {
			return Op{}, false
		}
	default:
		if f, ok = o.like(res, f); !ok {
			return Op{}, false
		}
	}
	r, err := o.put(table, f)
	if err != nil {
		return Op{}, false
	}
	op := Op{Kind: OpCreate, Table: table, ID: r.id, What: "like another"}
	for _, child := range embedded() {
		if child.Embedded.Parent == table {
			if item, ok := o.items(child, r.id); ok {
				op.What += fmt.Sprintf(", with %s %d", item.Table, item.ID)
			}
		}
	}
	if table == "comments" {
		o.try(o.patch("comment_threads", r.decode().id("thread_id"), fields{}))
	}
	return op, true
}

// like makes a new object of one that was loaded: its references lead somewhere,
// and some of its fields are different.
func (o *operator) like(res *catalog.Resource, f fields) (fields, bool) {
	for _, name := range []string{"id", "created_on", "updated_on"} {
		delete(f, name)
	}
	if res.Table == "comments" {
		return o.comment(f)
	}
	if len(res.Owners) > 0 {
		if _, ok := o.adopted(res, f); !ok {
			return nil, false
		}
	}
	for _, c := range res.Columns {
		if c.Ref == "" || f.null(c.Name) {
			continue
		}
		if _, there := o.snapshotOf(c.Ref).find(f.id(c.Name)); !there {
			id := o.draw(o.rng, c.Ref)
			if id == 0 {
				return nil, false
			}
			f.set(c.Name, id)
		}
	}
	columns := o.mutable(res, f, 0, false)
	o.shuffle(columns)
	for _, c := range columns[:min(3, len(columns))] {
		if v, ok := o.another(res, c, f); ok {
			f.set(c.Name, v)
		}
	}
	canaries(res, f)
	return f, true
}

// set gives a loaded object's field a value, in the form of a loaded one.
func (f fields) set(name string, v any) {
	if raw, err := appendValue(nil, v); err == nil {
		f[name] = json.RawMessage(raw)
	}
}

// comment hangs a comment on a thread, and names the thread's owner if it named one.
func (o *operator) comment(f fields) (fields, bool) {
	_, thread, ok := o.load("comment_threads", o.draw(o.rng, "comment_threads"))
	if !ok {
		return nil, false
	}
	f.set("thread_id", thread.id("id"))
	f.set("user_id", o.draw(o.rng, "users"))
	f.set("content", fmt.Sprintf("%s %d", phrase(o.rng.Uint64()), o.rng.IntN(1_000_000)))
	owners := []string{"discussion_id", "task_id", "file_id"}
	named := slices.ContainsFunc(owners, func(owner string) bool { return !f.null(owner) })
	for _, owner := range owners {
		delete(f, owner)
		if named && !thread.null(owner) {
			f[owner] = thread[owner]
		}
	}
	return f, true
}

// silent is a thread for a task that has none.
func (o *operator) silent() (fields, bool) {
	threads := o.snapshotOf("comment_threads")
	by, _ := threads.linked("task_id")
	for range 20 {
		id := o.draw(o.rng, "tasks")
		if _, task, ok := o.load("tasks", id); ok && len(by[id]) == 0 {
			return fields{"project_id": task["project_id"], "task_id": id}, true
		}
	}
	return nil, false
}

// adopted gives a loaded object another parent, and the fields that follow from it.
// It returns the column that changed.
func (o *operator) adopted(res *catalog.Resource, f fields) (string, bool) {
	owners := slices.DeleteFunc(slices.Clone(res.Owners), f.null)
	if res.Table == "time_entries" && f.running() { // a user has one timer
		owners = slices.DeleteFunc(owners, func(name string) bool { return name == "user_id" })
	}
	if len(owners) == 0 {
		return "", false
	}
	// The first owner is the nearest; the further ones follow from it, but for users.
	name := owners[0]
	if slices.Contains(owners, "user_id") && res.Table != "bookings" && o.chance(3) {
		name = "user_id"
	}
	c, _ := res.Column(name)
	for range 10 {
		id := o.draw(o.rng, c.Ref)
		to, parent, ok := o.load(c.Ref, id)
		if !ok || id == f.id(name) {
			continue
		}
		f.set(name, id)
		follow := []string{"project_id"}
		switch res.Table {
		case "expenses":
			follow = []string{"client_id"}
		case "bookings":
			follow = []string{"user_id"}
		}
		for _, field := range follow {
			if _, has := f[field]; has && field != name && !parent.null(field) {
				if _, known := to.Column(field); known {
					f[field] = parent[field]
				}
			}
		}
		if lists, ok := o.snapshotOf("tasklists").linked("project_id"); ok && res.Table == "task_recurring_profiles" && len(lists[id]) > 0 {
			f.set("tasklist_id", lists[id][0].row.id)
		}
		return name, true
	}
	return "", false
}

// move gives an object another parent.
func (o *operator) move(table string) (Op, bool) {
	switch table { // what hangs on these says where they are
	case "comment_threads", "comments", "tasklists", "workflow_statuses":
		return Op{}, false
	}
	id := o.draw(o.rng, table)
	res, f, ok := o.load(table, id)
	if !ok || onlyEmbedded(res) {
		return Op{}, false
	}
	was := maps.Clone(f)
	name, ok := o.adopted(res, f)
	if !ok {
		return Op{}, false
	}
	changes := fields{}
	for field, v := range f {
		if string(was.raw(field)) != string(f.raw(field)) {
			changes[field] = v
		}
	}
	if _, err := o.patch(table, id, changes); err != nil {
		return Op{}, false
	}
	if project, ok := changes["project_id"].(json.RawMessage); ok {
		o.follow(table, id, project)
	}
	return Op{Kind: OpMove, Table: table, ID: id, What: fmt.Sprintf("%s %s → %s", name, was[name], f[name])}, true
}

// follow moves what hangs on an object to the object's new project, all at once and
// without a trace in updated_on.
func (o *operator) follow(table string, id int64, project json.RawMessage) {
	for _, c := range cascades(table) {
		o.mu.RLock()
		children := slices.Sorted(maps.Keys(o.children(c[0], c[1], map[int64]bool{id: true})))
		o.mu.RUnlock()
		for _, child := range children {
			if _, f, ok := o.load(c[0], child); ok && !f.null("project_id") {
				o.try(o.patch(c[0], child, fields{"project_id": project, "updated_on": keep{}}))
			}
			o.follow(c[0], child, project)
		}
	}
}

// items adds, changes or removes an embedded row of a parent, and touches the
// parent; with a parent given it adds one to it.
func (o *operator) items(res *catalog.Resource, to int64) (Op, bool) {
	parents, link := res.Embedded.Parent, res.Scope.Filter
	parent := to
	if to == 0 {
		parent = o.draw(o.rng, parents)
	}
	if parent == 0 {
		return Op{}, false
	}
	index, _ := o.snapshotOf(res.Table).linked(link)
	op := Op{Kind: OpItems, Table: res.Table}
	n := o.rng.IntN(3)
	if to != 0 || len(index[parent]) == 0 {
		n = 0
	}
	if n > 0 {
		op.ID = pick(o.rng, index[parent]).row.id
	}
	switch n {
	case 0:
		id, ok := o.addItem(res, link, parent)
		if !ok {
			return Op{}, false
		}
		op.ID, op.What = id, "added"
	case 1:
		_, f, _ := o.load(res.Table, op.ID)
		columns := slices.DeleteFunc(o.mutable(res, f, op.ID, false), func(c catalog.Column) bool { return c.Ref != "" })
		c := pick(o.rng, columns)
		v, ok := o.another(res, c, f)
		if !ok {
			return Op{}, false
		}
		if _, err := o.patch(res.Table, op.ID, fields{c.Name: v}); err != nil {
			return Op{}, false
		}
		op.What = fmt.Sprintf("%s %s → %v", c.Name, f[c.Name], v)
	default:
		if _, err := o.account.remove(res.Table, op.ID, true); err != nil {
			return Op{}, false
		}
		op.What = "removed"
	}
	o.try(o.patch(parents, parent, fields{}))
	op.What += fmt.Sprintf(", of %s %d", parents, parent)
	return op, true
}

// addItem puts an embedded row like another one under a parent.
func (o *operator) addItem(res *catalog.Resource, link string, parent int64) (int64, bool) {
	_, f, ok := o.load(res.Table, o.draw(o.rng, res.Table))
	if !ok {
		return 0, false
	}
	for _, name := range []string{"id", "created_on", "updated_on", "entries", "expense_id"} {
		delete(f, name)
	}
	if res.Table == "project_template_tasks" {
		lists, _ := o.snapshotOf("project_template_tasklists").linked(link)
		if len(lists[parent]) == 0 {
			return 0, false
		}
		f.set("tasklist_id", pick(o.rng, lists[parent]).row.id)
	}
	f.set(link, parent)
	for _, name := range []string{"item", "name"} {
		if _, has := f[name]; has {
			f.set(name, fmt.Sprintf("%s %d", pick(o.rng, itemNames()), o.rng.IntN(1_000_000)))
		}
	}
	r, err := o.put(res.Table, f)
	if err != nil {
		return 0, false
	}
	return r.id, true
}

// start starts somebody's timer.
func (o *operator) start() (Op, bool) {
	_, task, ok := o.load("tasks", o.draw(o.rng, "tasks"))
	user := o.draw(o.rng, "users")
	if _, busy := o.timers()[user]; !ok || user == 0 || busy {
		return Op{}, false
	}
	f := fields{"task_id": task["id"], "project_id": task["project_id"], "user_id": user, "billed": false, "invoice_item_id": nil,
		"description": phrase(o.rng.Uint64()), "is_bulk": false, "added_manually": false, "start_time": o.cfg.Now().UTC().Truncate(time.Second), "end_time": nil}
	r, err := o.put("time_entries", f)
	if err != nil {
		return Op{}, false
	}
	return Op{Kind: OpStart, Table: "time_entries", ID: r.id, What: fmt.Sprintf("by user %d", user)}, true
}

// stop stops a timer: after a minute at least, and twelve hours at most.
func (o *operator) stop() (Op, bool) {
	running := o.timers()
	users := slices.Sorted(maps.Keys(running))
	if len(users) == 0 {
		return Op{}, false
	}
	user := pick(o.rng, users)
	t := o.snapshotOf("time_entries")
	id := t.id(running[user])
	_, f, ok := o.load("time_entries", id)
	from := unixOf(f.text("start_time"))
	end := min(max(o.cfg.Now().Unix(), from+60), from+12*3600)
	if !ok {
		return Op{}, false
	}
	if _, err := o.patch("time_entries", id, fields{"end_time": time.Unix(end, 0), "duration": end - from}); err != nil {
		return Op{}, false
	}
	return Op{Kind: OpStop, Table: "time_entries", ID: id, What: fmt.Sprintf("of user %d, after %d s", user, end-from)}, true
}
