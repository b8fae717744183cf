package paymo

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Family is one parent in a reply that holds children with their parents.
type Family struct {
	ID       int64 // of the parent
	Listed   bool  // the reply holds a list of its children, which may be empty
	Children int   // objects in that list
}

// Children makes one request for the parents that the query speaks of, with their
// children included, and returns the children: Records, Rejects and Rows are theirs.
// Families tells of each parent. Where the children are grandchildren, a parent is
// listed if each of the objects in between holds a list, and all their objects count.
// The query's Include is set here. A child that does not say whose it is, by the
// column of its Scope, belongs to the parent that holds it. A parent without a usable
// id is a *DecodeError: nobody could tell whose children were read.
//
// Reading may stop between two parents (Page.Cut): each family is whole. With an error
// the page, if not nil, tells the cost alone.
func (c *Client) Children(ctx context.Context, child *catalog.Resource, query Query) (*Page, error) {
	parent, ok := catalog.Lookup(child.Embedded.Parent)
	if !ok {
		return nil, fmt.Errorf("list %s: they do not come with a parent", child.Table)
	}
	query.Include = ""
	if !query.Fits() {
		return nil, tooLong(parent, query)
	}
	query.Include = child.Embedded.Include
	nest := newNest(c.decoders[child.Table], child)
	decode := func(body io.Reader, limit int) (decoded, error) {
		return c.decoders[parent.Table].decodeNested(body, limit, nest)
	}
	return c.get(ctx, decode, parent.Path, query.encode())
}

// nest says where in the object of a parent its children are.
type nest struct {
	child *decoder
	path  []string // the members that lead to a list of children
	owner int      // the child's column that holds the parent's id, -1 for none
}

func newNest(decoder *decoder, child *catalog.Resource) *nest {
	n := &nest{child: decoder, path: strings.Split(child.Embedded.Include, "."), owner: -1}
	if child.Scope.Parent != child.Embedded.Parent {
		return n
	}
	for i, column := range decoder.stored {
		if column.Name == child.Scope.Filter {
			n.owner = i
		}
	}
	return n
}

// family takes the children of one parent, which is the element that was read.
func (p *page) family() {
	if p.raw[0] != '{' {
		p.orphans("it is " + article(p.raw) + " instead of an object")
		return
	}
	p.parent = p.pick(0, "id")
	if problem := p.identify(p.parent); problem != "" {
		p.orphans(problem)
		return
	}
	id, _ := parseInteger(p.text)
	rows := p.rows
	listed := p.child(0, p.nest.path)
	p.families = append(p.families, Family{ID: id, Listed: listed, Children: p.rows - rows})
}

// orphans refuses a list in which it cannot be told whose children an object holds.
func (p *page) orphans(problem string) {
	p.problem = fmt.Sprintf("parent %d of the list has no usable id: %s", len(p.families)+1, problem)
}

// child takes the object that begins at i: a row, or where the path goes on, one that
// holds rows. It reports whether all lists on the path are there.
func (p *page) child(i int, path []string) (listed bool) {
	switch {
	case len(path) == 0:
		p.row(i)
		return true
	case p.raw[i] != '{':
		return false
	}
	list := p.pick(i, path[0])
	return !list.missing() && p.children(list.from, path[1:])
}

// children takes the list that begins at i, which may also be its only object.
func (p *page) children(i int, path []string) (listed bool) {
	switch p.raw[i] {
	case '[':
	case '{':
		// An empty object is neither a child nor proof that there is none.
		return p.raw[space(p.raw, i+1)] != '}' && p.child(i, path)
	default:
		return false
	}
	listed = true
	for i = space(p.raw, i+1); p.raw[i] != ']'; {
		listed = p.child(i, path) && listed
		if i = space(p.raw, valueEnd(p.raw, i)); p.raw[i] == ',' {
			i = space(p.raw, i+1)
		}
	}
	return listed
}

// pick finds a member of the object that begins at i. Of a repeated name the last one
// counts.
func (p *page) pick(i int, name string) (picked field) {
	stripped := p.stripped // what else the object holds is not kept
	for i = space(p.raw, i+1); p.raw[i] != '}'; {
		found, f, next := p.member(i)
		if string(found) == name {
			picked = f
		}
		i = next
	}
	p.stripped = stripped
	return picked
}

// adopt gives the parent's id to a row that does not say whose it is.
func (p *page) adopt() {
	if i := p.nest.owner; i >= 0 && p.fields[i].missing() {
		p.fields[i] = p.parent
	}
}
