package paymotest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// The kinds of operations that RandomOp draws from.
const (
	OpCreate    = "create"    // an object is put; a document comes with an item, a comment bumps its thread
	OpChange    = "change"    // a field gets another value
	OpQuiet     = "quiet"     // the same, but updated_on stays as it was
	OpMove      = "move"      // an object gets another parent; what follows it changes its project quietly
	OpArchive   = "archive"   // active becomes false
	OpUnarchive = "unarchive" // active becomes true
	OpDelete    = "delete"    // an object goes with all that Paymo takes along
	OpRestore   = "restore"   // a deletion is undone
	OpStart     = "start"     // somebody starts a timer
	OpStop      = "stop"      // a timer stops
	OpItems     = "items"     // an embedded row is added, changed or removed, and its parent's updated_on moves
)

// Op is one operation that was performed.
type Op struct {
	Kind  string
	Table string // of the object; with OpItems of the embedded row
	ID    int64  // of the object; with OpItems of the embedded row
	What  string // in words, for a failing test's log
}

// String is the operation in one line.
func (op Op) String() string { return fmt.Sprintf("%s %s %d: %s", op.Kind, op.Table, op.ID, op.What) }

// RandomOp performs one operation that a person could do in Paymo, on any table,
// and says what it was. What it creates refers to rows that exist. It never deletes
// the user whom a key acts as, nor changes their role or archives them, and leaves
// no table without rows that has some. Rows that come only as an include change
// with their parent, but for OpQuiet. The same server, clock and source of chance
// give the same operations, as long as nobody else changes rows meanwhile.
func (s *Server) RandomOp(rng *rand.Rand) Op {
	a := s.main()
	a.work.mu.Lock()
	defer a.work.mu.Unlock()
	o := &operator{account: a, rng: rng, busy: s.busy()}
	for range 200 {
		if op, ok := o.operate(); ok {
			return op
		}
	}
	op, _ := o.change("company", OpChange) // always possible
	return op
}

// operate tries one operation; it may turn out that there is nothing to do it to.
func (o *operator) operate() (Op, bool) {
	table := pick(o.rng, catalog.All()).Table
	switch n := o.rng.IntN(100); {
	case n < 28:
		return o.change(table, OpChange)
	case n < 40:
		return o.change(table, OpQuiet)
	case n < 56:
		return o.create(table)
	case n < 67:
		return o.move(table)
	case n < 71:
		return o.archive(pick(o.rng, archivable()))
	case n < 79:
		return o.remove(table)
	case n < 84:
		return o.undo()
	case n < 87:
		return o.start()
	case n < 90:
		return o.stop()
	}
	return o.items(pick(o.rng, embedded()), 0)
}

// embedded are the resources that come only as an include.
func embedded() []*catalog.Resource {
	return slices.DeleteFunc(slices.Clone(catalog.All()), func(r *catalog.Resource) bool { return !onlyEmbedded(r) })
}

func onlyEmbedded(r *catalog.Resource) bool { return r.Embedded.Parent != "" && len(r.Filters) == 0 }

// change gives one field another value, and now and then none.
func (o *operator) change(table, kind string) (Op, bool) {
	id := o.draw(o.rng, table)
	res, f, ok := o.load(table, id)
	if !ok || kind == OpChange && onlyEmbedded(res) {
		return Op{}, false
	}
	columns := o.mutable(res, f, id, false)
	o.shuffle(columns)
	for _, c := range columns {
		v, ok := o.another(res, c, f)
		if !ok {
			continue
		}
		if o.chance(8) && optional(res, c) && !f.null(c.Name) {
			v = nil
		}
		changes := fields{c.Name: v}
		if kind == OpQuiet {
			changes["updated_on"] = keep{}
		}
		if _, err := o.patch(table, id, changes); err != nil {
			return Op{}, false
		}
		return Op{Kind: kind, Table: table, ID: id, What: fmt.Sprintf("%s %s → %v", c.Name, f[c.Name], v)}, true
	}
	return Op{}, false
}

// optional reports whether a person can empty a field.
func optional(res *catalog.Resource, c catalog.Column) bool {
	switch c.Kind {
	case catalog.Decimal, catalog.Date:
		return !slices.Contains(res.Together, c.Name) && res.Table != "bookings" && res.Table != "company"
	case catalog.Integer:
		return c.Name == "invoice_item_id" || c.Name == "milestone_id" || c.Name == "completed_by"
	}
	return false
}

// archivable are the tables whose rows Paymo lets people archive.
func archivable() []string { return []string{"clients", "projects", "users"} }

func (o *operator) archive(table string) (Op, bool) {
	id := o.draw(o.rng, table)
	_, f, ok := o.load(table, id)
	if !ok || table == "users" && o.busy[id] {
		return Op{}, false
	}
	active := string(f.raw("active")) != "true"
	if _, err := o.patch(table, id, fields{"active": active}); err != nil {
		return Op{}, false
	}
	op := Op{Kind: OpArchive, Table: table, ID: id, What: fmt.Sprintf("active → %v", active)}
	if active {
		op.Kind = OpUnarchive
	}
	return op, true
}

func (o *operator) remove(table string) (Op, bool) {
	id := o.draw(o.rng, table)
	res, _, ok := o.load(table, id)
	if !ok || res.Singleton || onlyEmbedded(res) || table == "users" && o.busy[id] {
		return Op{}, false
	}
	if len(cascades(table)) > 0 && !o.chance(4) {
		return Op{}, false // seldom, or little would be left before long
	}
	n, err := o.account.remove(table, id, true)
	return Op{Kind: OpDelete, Table: table, ID: id, What: fmt.Sprintf("%d objects went", n)}, err == nil
}

// undo restores something whose parents are there.
func (o *operator) undo() (Op, bool) {
	o.mu.RLock()
	trash := slices.Clone(o.trash)
	o.mu.RUnlock()
	if len(trash) == 0 {
		return Op{}, false
	}
	gone := pick(o.rng, trash)
	t := o.snapshotOf(gone.table)
	if _, there := t.find(gone.id); there || onlyEmbedded(t.res) {
		return Op{}, false
	}
	was := gone.rows[gone.table][slices.IndexFunc(gone.rows[gone.table], func(r *row) bool { return r.id == gone.id })]
	if was.raw == nil {
		i, _ := t.generated(gone.id)
		was = t.version(ref{index: i})
	}
	for _, name := range t.res.Owners {
		if c, _ := t.res.Column(name); c.Ref != "" && was.value(name).kind == number {
			if _, there := o.snapshotOf(c.Ref).find(int64(was.value(name).num)); !there {
				return Op{}, false
			}
		}
	}
	n, err := o.restore(gone.table, gone.id)
	return Op{Kind: OpRestore, Table: gone.table, ID: gone.id, What: fmt.Sprintf("%d objects came back", n)}, err == nil && n > 0
}
