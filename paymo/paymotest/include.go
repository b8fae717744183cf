package paymotest

import (
	"slices"
	"strings"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// relation is what an include key of a resource leads to.
type relation struct {
	key   string
	res   *catalog.Resource
	link  string // column that joins the two
	many  bool   // the link is the other's column: a list, or one object if the key is singular
	list  bool
	hop   string // table on the way, whose column link is; "" for none
	hopBy string // column that leads to hop
}

// singular maps the include keys of one object to their tables.
func singular(key string) string {
	switch key {
	case "usertask":
		return "task_assignments"
	case "projecttemplatetasklist":
		return "project_template_tasklists"
	case "projectstatus":
		return "project_statuses"
	case "workflowstatus":
		return "workflow_statuses"
	case "entry":
		return "time_entries"
	}
	for _, r := range catalog.All() {
		if tail(r) == key+"s" {
			return r.Table
		}
	}
	return ""
}

// tail is a resource's name in URLs and include keys.
func tail(r *catalog.Resource) string { return r.Path[strings.LastIndexByte(r.Path, '/')+1:] }

// linkTo finds the column of from that holds ids of table: user_id rather than completed_by.
func linkTo(from *catalog.Resource, table string) string {
	link := ""
	for _, c := range from.Columns {
		if c.Ref == table && (link == "" || c.Name == strings.TrimSuffix(table, "s")+"_id") {
			link = c.Name
		}
	}
	return link
}

// relationOf resolves an include key of a resource.
func relationOf(res *catalog.Resource, key string) (relation, bool) {
	if !slices.Contains(res.Includes, key) {
		return relation{}, false
	}
	rel := relation{key: key}
	for _, r := range catalog.All() {
		if tail(r) == key {
			rel.res, rel.list = r, true
		}
	}
	if rel.res == nil {
		rel.res, _ = catalog.Lookup(singular(key))
	}
	if rel.res == nil {
		return rel, false
	}
	if !rel.list {
		if rel.link = linkTo(res, rel.res.Table); rel.link != "" {
			return rel, true
		}
		for _, c := range res.Columns {
			if hop, ok := catalog.Lookup(c.Ref); ok && linkTo(hop, rel.res.Table) != "" {
				rel.hop, rel.hopBy, rel.link = c.Ref, c.Name, linkTo(hop, rel.res.Table)
				return rel, true
			}
		}
	}
	rel.many = true
	rel.link = linkTo(rel.res, res.Table)
	return rel, rel.link != ""
}

// shape is what to render of a resource: all own fields or some, and relations.
type shape struct {
	own  []string // nil is all
	subs []sub
}

type sub struct {
	relation
	shape shape
}

// parseInclude reads the include parameter. Naming own fields restricts a row to
// them (and its id), unless * asks for all.
func parseInclude(res *catalog.Resource, include string) (shape, error) {
	var s shape
	star := false
	for path := range strings.SplitSeq(include, ",") {
		switch path = strings.TrimSpace(path); path {
		case "":
		case "*":
			star = true
		default:
			if err := s.add(res, path); err != nil {
				return s, err
			}
		}
	}
	if star {
		s.own = nil
	}
	return s, nil
}

func (s *shape) add(res *catalog.Resource, path string) error {
	head, rest, dotted := strings.Cut(path, ".")
	if rel, ok := relationOf(res, head); ok {
		i := slices.IndexFunc(s.subs, func(x sub) bool { return x.key == head })
		if i < 0 {
			i = len(s.subs)
			s.subs = append(s.subs, sub{relation: rel})
		}
		if !dotted || rest == "*" {
			return nil
		}
		return s.subs[i].shape.add(rel.res, rest)
	}
	if c, ok := res.Column(head); !ok || dotted || unnameable(res, head) || c.Has(catalog.Secret) {
		return unknownField(path)
	}
	s.own = append(s.own, head)
	return nil
}

// unnameable are own fields that Paymo serves but refuses in an include.
func unnameable(res *catalog.Resource, name string) bool {
	switch res.Table {
	case "users":
		return unfilterable(name) || slices.Contains([]string{"date_format", "time_format", "language", "theme", "is_online",
			"assigned_projects", "managed_projects", "additional_privileges"}, name)
	case "clients":
		return unfilterable(name) || name == "additional_privileges"
	case "milestones":
		return name == "linked_tasklists"
	}
	return unfilterable(name)
}

// branch is a relation prepared for the rows of one reply.
type branch struct {
	sub
	table    *table
	lists    map[int64][]ref // by parent, when many
	branches []*branch
}

// grow looks up the children of the parents, level by level. filled counts the
// objects of each type in the reply: a list that would take its type above the
// cap comes back empty, without a marker, as Paymo's do.
func (q *query) grow(subs []sub, parent *table, parents []ref, nested map[string][]test, filled map[string]int) []*branch {
	var branches []*branch
	for _, s := range subs {
		b := &branch{sub: s, table: q.view.table(s.res.Table)}
		var children []ref
		if s.many {
			children = q.adopt(b, parent, parents, nested[s.key], filled)
		} else if len(s.shape.subs) > 0 {
			for _, p := range parents {
				if child, ok := q.one(b, parent, p); ok {
					children = append(children, child)
				}
			}
		}
		b.branches = q.grow(s.shape.subs, b.table, children, nil, filled)
		branches = append(branches, b)
	}
	return branches
}

func (q *query) adopt(b *branch, parent *table, parents []ref, tests []test, filled map[string]int) []ref {
	b.lists = make(map[int64][]ref, len(parents))
	for _, p := range parents {
		b.lists[parent.id(p)] = nil
	}
	if q.emptyNested {
		return nil
	}
	take := func(id int64, r ref) {
		list, ok := b.lists[id]
		if ok && len(list) <= q.cap && q.visible(b.table, r) && q.match(b.table, r, tests) {
			b.lists[id] = append(list, r)
		}
	}
	if index, ok := b.table.linked(b.link); ok {
		for id := range b.lists {
			for _, r := range index[id] {
				take(id, r)
			}
		}
	} else {
		b.table.each(Ascending, everything(), func(r ref) bool {
			take(int64(b.table.value(r, b.link).num), r)
			return true
		})
	}
	var children []ref
	for _, p := range parents {
		id := parent.id(p)
		filled[b.res.Table] += len(b.lists[id])
		if filled[b.res.Table] > q.cap {
			b.lists[id] = nil
		}
		children = append(children, b.lists[id]...)
	}
	return children
}

// one follows a relation to a single object.
func (q *query) one(b *branch, parent *table, p ref) (ref, bool) {
	from, at := parent, p
	if b.hop != "" {
		from = q.view.table(b.hop)
		var ok bool
		if at, ok = from.find(int64(parent.value(p, b.hopBy).num)); !ok {
			return ref{}, false
		}
	}
	r, ok := b.table.find(int64(from.value(at, b.link).num))
	return r, ok && q.visible(b.table, r)
}
