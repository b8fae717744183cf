package paymotest

import (
	"math/rand/v2"
	"sort"
	"strconv"
	"time"
)

const (
	entryBase = 310_000_000
	entryGap  = 41 // ids are shared with other companies, so they have gaps

	// entrySlack is the longest time between the work and the last change of a
	// seeded entry. It lets a filter on updated_on skip the older ones.
	entrySlack = 70 * day
)

const day = 24 * 60 * 60

// entries generates the seeded time entries: each is computed from the seed and
// its index alone, so that a million of them cost no memory. Indexes, ids and
// days of work ascend together. It is immutable.
type entries struct {
	seed    uint64
	base    int64
	count   int
	running int // the last ones are running timers, one a user
	until   int64
	days    []int64 // 00:00 UTC of the days of work
	users   []int64
	tasks   []workplace
	bills   map[int64][]bill // by project, oldest first
}

// workplace is a task that time is logged on.
type workplace struct{ task, project, client int64 }

// bill is an invoice item that bills a project's time up to a day.
type bill struct{ item, until int64 }

// entry is one generated time entry.
type entry struct {
	id, user         int64
	place            workplace
	bulk, running    bool
	manual           bool
	item             int64 // 0: not billed
	start, end       int64 // start of a bulk entry: 00:00 UTC of its date
	duration         int64
	created, updated int64
	words            uint64
}

func (g *entries) id(i int) int64 {
	var p rand.PCG
	p.Seed(g.seed, uint64(i)<<8|1)
	return g.base + int64(i)*entryGap + int64(p.Uint64()%entryGap)
}

func (g *entries) indexOf(id int64) (int, bool) {
	i := int((id - g.base) / entryGap)
	if id < g.base || i >= g.count || g.id(i) != id {
		return 0, false
	}
	return i, true
}

// between are the indexes of the ids in [lo, hi], as a half-open range.
func (g *entries) between(lo, hi int64) (int, int) {
	at := func(id int64) int { // the first index whose id is not below id
		if id <= g.base {
			return 0
		}
		i := (id - g.base) / entryGap
		if i >= int64(g.count) {
			return g.count
		}
		if g.id(int(i)) < id {
			i++
		}
		return int(i)
	}
	if hi >= g.base+entryGap*int64(g.count) {
		return at(lo), g.count
	}
	return at(lo), at(hi + 1)
}

// worked are the indexes that may hold work in [from, to), as a half-open range.
func (g *entries) worked(from, to int64) (int, int) {
	n := len(g.days)
	if g.count == 0 || n == 0 {
		return 0, 0
	}
	first := func(d int) int { return (d*g.count + n - 1) / n } // of day d
	lo := first(sort.Search(n, func(d int) bool { return g.days[d]+day > from }))
	lo = min(lo, g.count-g.running)
	if to > g.days[n-1] {
		return lo, g.count
	}
	return lo, first(sort.Search(n, func(d int) bool { return g.days[d] >= to }))
}

// fill computes entry i.
func (g *entries) fill(i int, e *entry) {
	var p rand.PCG
	p.Seed(g.seed, uint64(i)<<8|2)
	h := p.Uint64()
	*e = entry{
		id:    g.id(i),
		user:  g.users[h%uint64(len(g.users))],
		words: p.Uint64(),
	}
	if len(g.tasks) > 0 {
		e.place = g.tasks[p.Uint64()%uint64(len(g.tasks))]
	}
	if left := g.count - 1 - i; left < g.running {
		e.running = true
		e.user = g.users[left]
		e.start = g.until - 60 - int64(h>>8%10_000)
		e.created, e.updated = e.start, e.start
		return
	}
	h >>= 8
	date := g.days[i*len(g.days)/g.count]
	e.bulk = h%8 == 0
	e.manual = e.bulk || h%5 == 1
	e.duration = 60 + int64(h>>8%14_000)
	if e.bulk {
		e.start = date
		e.duration = (1 + e.duration/1800) * 1800
		e.created = date + 9*3600 + int64(h>>24%32_000)
	} else {
		e.start = date + 6*3600 + int64(h>>24%40_000)
		e.end = e.start + e.duration
		e.created = e.start
		if e.manual {
			e.created = e.end + int64(h>>40%100_000)
		}
	}
	late := p.Uint64()
	e.updated = max(e.created, e.end)
	if late%25 == 0 { // edited some days later
		e.updated += int64(late >> 8 % (55 * day))
	}
	for _, b := range g.bills[e.place.project] {
		if date < b.until {
			if b.until-date < 60*day {
				e.item = b.item
				// Whether billing touches updated_on is not known, so it does for half of them.
				if late>>1%2 == 0 {
					e.updated = max(e.updated, b.until+9*3600)
				}
			}
			break
		}
	}
	e.created, e.updated = min(e.created, g.until), min(e.updated, g.until)
}

func (e *entry) value(field string) value {
	optional := func(n int64) value {
		if n == 0 {
			return value{}
		}
		return num(n)
	}
	switch field {
	case "id":
		return num(e.id)
	case "updated_on":
		return num(e.updated)
	case "created_on":
		return num(e.created)
	case "user_id":
		return num(e.user)
	case "task_id":
		return optional(e.place.task)
	case "project_id":
		return optional(e.place.project)
	case "client_id":
		return optional(e.place.client)
	case "invoice_item_id":
		return optional(e.item)
	case "billed":
		return truth(e.item != 0)
	case "is_bulk":
		return truth(e.bulk)
	case "added_manually":
		return truth(e.manual)
	case "duration":
		return optional(e.duration)
	case "start_time":
		if !e.bulk {
			return num(e.start)
		}
	case "end_time":
		return optional(e.end)
	case "date":
		if e.bulk {
			return value{kind: textual, text: time.Unix(e.start, 0).UTC().Format(time.DateOnly)}
		}
	case "description":
		return value{kind: textual, text: phrase(e.words)}
	}
	return value{}
}

// append renders the entry as Paymo does: a timed one has no date, a bulk one no
// times, and a running one sometimes a null where others lack the key.
func (e *entry) append(buf []byte) []byte {
	member := func(name string, n int64) {
		buf = append(buf, name...)
		if n == 0 {
			buf = append(buf, "null"...)
			return
		}
		buf = strconv.AppendInt(buf, n, 10)
	}
	flag := func(name string, b bool) {
		buf = append(buf, name...)
		buf = strconv.AppendBool(buf, b)
	}
	stamp := func(name string, unix int64) {
		buf = append(buf, name...)
		buf = appendStamp(buf, unix)
	}
	member(`{"id":`, e.id)
	member(`,"project_id":`, e.place.project)
	member(`,"task_id":`, e.place.task)
	member(`,"user_id":`, e.user)
	flag(`,"is_bulk":`, e.bulk)
	switch {
	case e.bulk:
		buf = append(buf, `,"date":`...)
		buf = appendDate(buf, e.start)
	case e.running:
		stamp(`,"start_time":`, e.start)
		if e.words%2 == 0 {
			buf = append(buf, `,"end_time":null`...)
		}
	default:
		stamp(`,"start_time":`, e.start)
		stamp(`,"end_time":`, e.end)
	}
	if !e.running {
		member(`,"duration":`, e.duration)
	} else if e.words%3 == 0 {
		buf = append(buf, `,"duration":0`...)
	}
	buf = append(buf, `,"description":`...)
	buf = appendString(buf, phrase(e.words))
	flag(`,"added_manually":`, e.manual)
	flag(`,"billed":`, e.item != 0)
	member(`,"invoice_item_id":`, e.item)
	stamp(`,"created_on":`, e.created)
	stamp(`,"updated_on":`, e.updated)
	return append(buf, '}')
}
