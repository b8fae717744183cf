package paymotest

import (
	"math"
	"net/url"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"
)

// query is one list request against one snapshot.
type query struct {
	view   view
	viewer viewer
	table  *table
	filter *filter
	shape  shape
	order  Order
	cap    int
	uncut  bool
	bulk   bool // end_time=null matches bulk entries

	ownsHook func(id int64) bool // whether a hook is the viewer's; nil: all are

	paged      bool
	page, size int

	faultPlan
}

func everything() span {
	return span{idLo: math.MinInt64, idHi: math.MaxInt64, genHi: math.MaxInt}
}

// readPage reads page and page_size, which Paymo heeds only together.
func (q *query) readPage(params url.Values) error {
	if !params.Has("page") || !params.Has("page_size") {
		return nil
	}
	page, err := strconv.Atoi(params.Get("page"))
	size, errSize := strconv.Atoi(params.Get("page_size"))
	if err != nil || errSize != nil || page < 0 || size < 1 {
		return refusal("Invalid page or page_size")
	}
	q.paged, q.page, q.size = true, page, min(size, q.cap)
	return nil
}

// match holds a row against tests; e is scratch for a generated one.
func (q *query) match(t *table, r ref, tests []test) bool {
	var e entry
	if r.row == nil && len(tests) > 0 {
		t.gen.fill(r.index, &e)
	}
	for i := range tests {
		c := &tests[i]
		var v value
		if r.row == nil {
			if v = e.field(c.field); c.field == "end_time" && c.null && e.bulk && !q.bulk {
				return false
			}
		} else {
			v = q.value(t, r.row, c.field)
			if c.field == "end_time" && c.null && !q.bulk && t.gen != nil && r.row.value("start_time").kind == absent {
				return false
			}
		}
		if c.kind == byWindow && t.res.Table == "bookings" {
			if !overlaps(r.row, c) {
				return false
			}
			continue
		}
		if !c.hold(v) {
			return false
		}
	}
	return true
}

// overlaps reports whether a booking touches the days of a date_interval.
func overlaps(r *row, c *test) bool {
	from, to := unixOf(r.value("start_date").text), unixOf(r.value("end_date").text)
	return float64(from) < c.nums[1] && float64(to) >= c.nums[0]
}

// field is value, and the pseudo-field by which entries are listed.
func (e *entry) field(name string) value {
	if name == "time_interval" {
		return num(e.start)
	}
	return e.value(name)
}

// value is a stored row's field, also one that it has through another row.
func (q *query) value(t *table, r *row, field string) value {
	if _, own := t.res.Column(field); own {
		if v := r.value(field); v.kind != absent || t.res.Table != "bookings" {
			return v
		}
	}
	follow := func(table, link, field string) value {
		target := q.view.table(table)
		if at, ok := target.find(int64(r.value(link).num)); ok {
			if at.row == nil {
				return target.value(at, field)
			}
			return q.value(target, at.row, field)
		}
		return value{}
	}
	switch {
	case field == "time_interval":
		if v := r.value("start_time"); v.kind == textual {
			return num(unixOf(v.text))
		}
		if v := r.value("date"); v.kind == textual {
			return num(unixOf(v.text))
		}
	case field == "client_id" && t.res.Table == "time_entries":
		return follow("projects", "project_id", "client_id")
	case t.res.Table == "bookings" && (field == "user_id" || field == "task_id" || field == "project_id"):
		return follow("task_assignments", "user_task_id", field)
	case t.res.Table == "task_assignments" && field == "project_id":
		return follow("tasks", "task_id", "project_id")
	case field == "mytasks":
		return truth(r.holds("users", q.viewer.user))
	}
	return value{}
}

// holds reports whether an array field has the id.
func (r *row) holds(field string, id int64) bool {
	return slices.ContainsFunc(gjson.GetBytes(r.raw, field).Array(),
		func(v gjson.Result) bool { return v.Int() == id })
}

// each calls yield for the rows that the query lists, before paging.
func (q *query) each(yield func(ref) bool) {
	if q.empty || q.viewer.barred(q.table.res) {
		return
	}
	if q.table.gen != nil {
		q.filter.narrowGenerated(q.table.gen)
	}
	left := math.MaxInt
	if q.cutAt > 0 {
		left = q.cutAt
	}
	q.scan(func(r ref) bool {
		if q.forgotten(r) || !q.match(q.table, r, q.filter.tests) || !q.visible(q.table, r) {
			return true
		}
		left--
		return yield(r) && left > 0
	})
}

// rows calls yield for the rows of the reply.
func (q *query) rows(yield func(ref) bool) {
	skip, left := 0, math.MaxInt
	switch {
	case q.paged && !q.ignorePaging:
		size := q.size
		if q.pageCap > 0 {
			size = min(size, q.pageCap)
		}
		skip, left = q.page*size, size
		if q.overlap {
			skip -= q.page
		}
	case !q.uncut:
		left = q.cap
	}
	switch {
	case q.rotate > 0:
		q.rotated(q.rotate, skip, left, yield)
		return
	case q.move > 0 && q.page == 0:
		q.rotated(q.move, skip, left, yield)
		return
	}
	if left == 0 {
		return
	}
	q.each(func(r ref) bool {
		if skip > 0 {
			skip--
			return true
		}
		left--
		return yield(r) && left > 0
	})
}

// rotated pages through the list turned by some places.
func (q *query) rotated(places, skip, left int, yield func(ref) bool) {
	var all []ref
	q.each(func(r ref) bool {
		all = append(all, r)
		return true
	})
	for i := skip; i < len(all) && i-skip < left; i++ {
		if !yield(all[(i+places)%len(all)]) {
			return
		}
	}
}
