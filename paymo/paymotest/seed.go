package paymotest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// seeder fills the tables of a new account. Everything is drawn from one source
// in one order, so that the same Config gives the same company.
type seeder struct {
	*account
	rng   *rand.Rand
	since time.Time
	until time.Time

	users, statuses, clients, projects, tasks []int64
	templates, estTemplates                   []int64
	openItems                                 []int64     // invoice items that bill no time
	places                                    []workplace // where time is logged

	projectOf, clientOf  map[int64]int64 // of a task, of a project
	projectAge, taskAge  map[int64]time.Time
	lists, flow          map[int64][]int64 // of a project; flow[0] are the workflows
	milestones, profiles map[int64][]int64 // of a project
	bills                map[int64][]bill  // of a project
}

func seed(a *account) {
	s := &seeder{
		account: a,
		rng:     rand.New(rand.NewPCG(a.cfg.Seed, 0x5eed)),
		until:   a.cfg.Until,
		since:   a.cfg.Until.AddDate(-3, 0, 0),

		projectOf: map[int64]int64{}, clientOf: map[int64]int64{},
		projectAge: map[int64]time.Time{}, taskAge: map[int64]time.Time{},
		lists: map[int64][]int64{}, flow: map[int64][]int64{},
		milestones: map[int64][]int64{}, profiles: map[int64][]int64{},
		bills: map[int64][]bill{},
	}
	s.seedPeople()
	s.seedFlow()
	s.seedProjects()
	s.seedTasks()
	s.seedMoney()
	s.seedTalk()
	s.seedEntries()
	s.seedCompany()
}

// add stores an object made at a time; a few are edited later. It returns the id.
func (s *seeder) add(table string, made time.Time, f fields) int64 {
	i := s.view.index[table]
	s.next[i] += 1 + int64(s.rng.IntN(40))
	if made.After(s.until) {
		made = s.until
	}
	changed := made
	if s.rng.IntN(3) == 0 {
		changed = made.Add(time.Duration(s.rng.Int64N(int64(90 * 24 * time.Hour))))
	}
	if changed.After(s.until) {
		changed = made
	}
	if id, ok := f["id"].(int64); ok {
		s.next[i] = id
	}
	f["id"], f["created_on"], f["updated_on"] = s.next[i], made.Truncate(time.Second), changed.Truncate(time.Second)
	t := &s.view.tables[i]
	canaries(t.res, f)
	r, err := newRow(t.res, f)
	if err != nil {
		panic(err) // a bug: the fields are fixed
	}
	t.apply([]*row{r})
	return r.id
}

// when is the time of the nth of total things, spread over the history.
func (s *seeder) when(n, total int) time.Time {
	span := s.until.Sub(s.since)
	step := span / time.Duration(max(total, 1))
	return s.since.Add(step*time.Duration(n) + time.Duration(s.rng.Int64N(int64(step)/2+1)))
}

// chance is true once in n.
func (s *seeder) chance(n int) bool { return s.rng.IntN(n) == 0 }

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// some is a draw of up to n different ones, in order.
func (s *seeder) some(list []int64, n int) []int64 {
	drawn := []int64{}
	for i, id := range list {
		if len(drawn) < n && s.rng.IntN(len(list)-i) < n-len(drawn) {
			drawn = append(drawn, id)
		}
	}
	return drawn
}

// maybe is the value once in n, else null.
func (s *seeder) maybe(n int, v any) any {
	if s.chance(n) {
		return v
	}
	return nil
}

func date(t time.Time) string { return t.Format(time.DateOnly) }

// picture adds the four image fields, or those that Paymo sends without a picture:
// image as null or not at all, and no thumbnails.
func (s *seeder) picture(f fields, n int) {
	switch n % 3 {
	case 0:
		url := fmt.Sprintf("https://files.paymo.invalid/%d", s.rng.Uint32())
		f["image"] = url + ".png"
		for _, size := range []string{"large", "medium", "small"} {
			f["image_thumb_"+size] = url + "_" + size + ".png"
		}
	case 1:
		f["image"] = nil
	}
}

// seedEntries sets the generator up: time is logged on weekdays, by the people
// who work here, on the seeded tasks.
func (s *seeder) seedEntries() {
	g := &entries{
		seed:  s.cfg.Seed ^ 0xe47,
		base:  entryBase + int64(s.company)*1_000_000_000,
		count: s.cfg.Entries,
		until: s.until.Unix(),
		users: s.users,
		tasks: s.places,
		bills: s.bills,
	}
	for d := s.since.Truncate(24 * time.Hour); !d.Add(24 * time.Hour).After(s.until); d = d.AddDate(0, 0, 1) {
		if d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			g.days = append(g.days, d.Unix())
		}
	}
	g.running = min(max(1, len(s.users)/4), g.count)
	i := s.view.index["time_entries"]
	s.view.tables[i].gen = g
	s.next[i] = g.base + int64(g.count)*entryGap

	// Some items name the entries that they bill.
	named := map[int64][]int64{}
	for i := 0; i < g.count && len(named) < 20; i += 1 + g.count/1000 {
		var e entry
		if g.fill(i, &e); e.item != 0 && len(named[e.item]) < 3 {
			named[e.item] = append(named[e.item], e.id)
		}
	}
	for item, ids := range named {
		s.repair("invoice_items", item, fields{"entries": ids})
	}
}

// Canary begins every secret value that the fake serves. A client that stores or
// logs it anywhere leaks secrets.
const Canary = "canary-5ec7e7"

// canaries fills the secret columns of an object, and only those.
func canaries(res *catalog.Resource, f fields) {
	for _, c := range res.Columns {
		if c.Has(catalog.Secret) {
			f[c.Name] = strings.Join([]string{Canary, res.Table, c.Name}, "-")
		}
	}
}
