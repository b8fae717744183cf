package paymotest

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// render appends a row in the query's shape.
func (q *query) render(buf []byte, t *table, r ref, s *shape, branches []*branch) []byte {
	blank := q.blank || !q.viewer.admin
	if s.own == nil && len(branches) == 0 && !blank {
		return t.append(buf, r)
	}
	raw := t.append(nil, r)
	buf = append(buf, '{')
	first := true
	name := func(key string) {
		if !first {
			buf = append(buf, ',')
		}
		first = false
		buf = append(appendString(buf, key), ':')
	}
	gjson.ParseBytes(raw).ForEach(func(k, v gjson.Result) bool {
		if s.own != nil && k.Str != "id" && !slices.Contains(s.own, k.Str) {
			return true
		}
		name(k.Str)
		if blank && priced(t.res, k.Str) {
			buf = append(buf, "null"...)
		} else {
			buf = append(buf, v.Raw...)
		}
		return true
	})
	for _, b := range branches {
		name(b.key)
		buf = q.renderBranch(buf, t, r, b)
	}
	return append(buf, '}')
}

// priced reports whether a field is a sum of money, or a budget: what only an
// Admin sees.
func priced(res *catalog.Resource, name string) bool {
	c, ok := res.Column(name)
	return ok && c.Kind == catalog.Decimal && slices.ContainsFunc(
		[]string{"price", "rate", "amount", "total", "budget", "paid", "outstanding", "cost"},
		func(word string) bool { return strings.Contains(name, word) })
}

func (q *query) renderBranch(buf []byte, t *table, r ref, b *branch) []byte {
	if !b.many {
		child, ok := q.one(b, t, r)
		if !ok {
			return append(buf, "null"...)
		}
		return q.render(buf, b.table, child, &b.shape, b.branches)
	}
	list := b.lists[t.id(r)]
	if !b.list {
		if len(list) == 0 {
			return append(buf, "null"...)
		}
		return q.render(buf, b.table, list[0], &b.shape, b.branches)
	}
	buf = append(buf, '[')
	for i, child := range list {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = q.render(buf, b.table, child, &b.shape, b.branches)
	}
	return append(buf, ']')
}
