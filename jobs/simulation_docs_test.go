package jobs_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// updateDocs is a flag of the test binary.
var updateDocs = flag.Bool("update", false, "write docs/requests.md anew, which takes a quarter of an hour")

const requestsPage = "../docs/requests.md"

// measured is a day of a company.
type measured struct {
	users, rows int
	load        int           // requests of the first load
	loadTook    time.Duration //
	loadUse     float64       // percent of the share, while it lasted
	ticks, full int           // requests of the day
	fullTook    time.Duration
	use         float64 // percent of the share, over the day
	half, most  time.Duration
	changes     int
	deletions   int
}

// sharePer is how many requests the share has room for.
func sharePer(d time.Duration) float64 {
	return float64(d) / float64(paymotest.DefaultPeriod) * paymotest.DefaultRate * simulatedShare / 100
}

// day measures a first load, and the day from six in the morning after it.
func (s *simulation) day() measured {
	m := measured{users: s.people}
	for _, table := range readable() {
		m.rows += s.fake.Count(table)
	}
	began := time.Now()
	s.load()
	m.load, m.loadTook = int(s.requests.Load()), time.Since(began)
	m.loadUse = 100 * float64(m.load) / sharePer(m.loadTook)

	morning := time.Date(2026, 6, 2, 6, 0, 0, 0, time.UTC)
	if time.Now().Before(morning) {
		passUntil(morning)
	}
	s.ticked, s.fulled = morning.Add(-time.Second), morning // it is as if it had kept up
	s.requests.Store(0)
	s.spent = map[jobs.Mode]int{}
	begins := time.Now()
	go s.work(begins.Truncate(24 * time.Hour).Add(24 * time.Hour))
	s.serve(begins.Add(24 * time.Hour))
	m.ticks, m.full, m.fullTook = s.spent[jobs.Incremental], s.spent[jobs.Full], s.fullTook
	m.use = 100 * float64(s.requests.Load()) / sharePer(time.Since(begins))
	s.changes.giveUp()
	m.changes, m.deletions = len(s.changes.waited), s.changes.deletions
	m.half, m.most = s.changes.took(50), s.changes.took(95)
	return m
}

// realDay measures paymosync, and makes sure that it ends with what Paymo has.
func realDay(t *testing.T, users int) measured {
	t.Helper()
	database := sinktest.Database(t)
	var m measured
	simulate(t, users, func(s *simulation) {
		pool := s.service(database)
		defer pool.Close()
		m = s.day()
		w := &world{t: s.t, pool: pool, fake: s.fake}
		for _, table := range readable() {
			if users <= 20 {
				w.mustEqual(table)
			} else if n := w.count(table); n != s.fake.Count(table) {
				s.t.Errorf("%s has %d rows, and Paymo %d", table, n, s.fake.Count(table))
			}
		}
	})
	return m
}

// plainDay measures the plain plan.
func plainDay(t *testing.T, users int) measured {
	t.Helper()
	var m measured
	simulate(t, users, func(s *simulation) {
		s.plain(plainAsking())
		m = s.day()
	})
	return m
}

// savings tells what each step from the plain plan towards paymosync's saves, as the
// requests of a day.
func savings(t *testing.T, users int, own measured) string {
	t.Helper()
	steps := []struct {
		what   string
		asking asking
	}{
		{"the plain plan", plainAsking()},
		{"children come with their parents, a hundred a request", asking{page: 100, batch: 1, with: true}},
		{"and only with parents that changed", asking{page: 100, batch: 1, with: true, changed: true}},
		{"other parents in batches of a hundred", asking{page: 100, batch: 100, with: true, changed: true}},
		{"or all at once, by a filter that holds for every parent", asking{page: 100, with: true, changed: true}},
		{"ranges of ids in place of pages", asking{page: 2375, with: true, changed: true}},
	}
	fake := paymotest.New(simulated(users))
	var out strings.Builder
	plainly := 0
	out.WriteString("| step | requests of 96 ticks without a change | of a full |\n| --- | ---: | ---: |\n")
	for _, step := range steps {
		tick, full := 0, 0
		for _, table := range readable() {
			tick += step.asking.requests(fake, resource(t, table), jobs.Incremental, 0)
			full += step.asking.requests(fake, resource(t, table), jobs.Full, 0)
		}
		if plainly == 0 {
			plainly = 96*tick + full
		}
		fmt.Fprintf(&out, "| %s | %s | %s |\n", step.what, thousands(96*tick), thousands(full))
	}
	fmt.Fprintf(&out, "| paymosync, measured: with the question whose key it is, running timers, and proofs; its day had changes and deletions | %s | %s |\n", thousands(own.ticks), thousands(own.full))
	fmt.Fprintf(&out, "\nSo paymosync's day takes %.1f %% of the requests that the plain plan's would.\n", 100*float64(own.ticks+own.full)/float64(plainly))
	return out.String()
}

func days(list []measured) string {
	var out strings.Builder
	out.WriteString("| users | rows | first load: requests | takes | of the share | a day: incrementals | full | full takes | of the share | freshness: median | 95 % |\n" +
		"| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, m := range list {
		fmt.Fprintf(&out, "| %d | %s | %s | %s | %.0f %% | %s | %s | %s | %.0f %% | %s | %s |\n", m.users, thousands(m.rows), thousands(m.load), minutes(m.loadTook),
			m.loadUse, thousands(m.ticks), thousands(m.full), minutes(m.fullTook), m.use, minutes(m.half), minutes(m.most))
	}
	return out.String()
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

func minutes(d time.Duration) string {
	switch {
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	case d == 0:
		return "–"
	}
	return fmt.Sprintf("%.1f min", d.Minutes())
}

// writeDays writes the tables of docs/requests.md.
func writeDays(t *testing.T) {
	t.Helper()
	var ours, plains []measured
	var steps string
	for _, users := range []int{5, 20, 50, 100, 500} {
		began := time.Now()
		own := realDay(t, users)
		ours, plains = append(ours, own), append(plains, plainDay(t, users))
		if users == 50 {
			steps = savings(t, users, own)
		}
		t.Logf("%d users: %+v, plain %+v, in %s", users, own, plains[len(plains)-1], time.Since(began).Round(time.Second))
	}
	if t.Failed() {
		return
	}
	page, err := os.ReadFile(requestsPage)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for name, table := range map[string]string{"paymosync": days(ours), "plain": days(plains), "steps": steps} {
		block := regexp.MustCompile(`(?s)(<!-- begin: ` + name + `, [^>]*-->\n\n).*?(\n<!-- end: ` + name + ` -->)`)
		if !block.MatchString(text) {
			t.Errorf("%s has no place for the table %s", requestsPage, name)
		}
		text = block.ReplaceAllStringFunc(text, func(old string) string {
			parts := block.FindStringSubmatch(old)
			return parts[1] + table + parts[2]
		})
	}
	if err := os.WriteFile(requestsPage, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A share of the simulation: the smallest company's first load, an hour of its work and a
// full come to what docs/requests.md says of it. With -update all of it is written anew.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if *updateDocs {
		writeDays(t)
		return
	}
	page, err := os.ReadFile(requestsPage)
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| 5 \|.*$`).FindString(string(page))
	cells := strings.Split(row, " | ")
	if len(cells) != 11 {
		t.Fatalf("%s has no row of 5 users: %q", requestsPage, row)
	}
	said := func(cell int) float64 {
		n, err := strconv.ParseFloat(strings.ReplaceAll(cells[cell], ",", ""), 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	database := sinktest.Database(t)
	simulate(t, 5, func(s *simulation) {
		pool := s.service(database)
		defer pool.Close()
		near := func(what string, requests int, want float64) {
			if math.Abs(float64(requests)-want) > want/10 {
				s.t.Errorf("%s: %d requests, and %s says %.0f: run make simulate", what, requests, requestsPage, want)
			}
		}
		s.load()
		near("the first load", int(s.requests.Load()), said(2))

		morning := time.Date(2026, 6, 2, 9, 0, 0, 0, time.UTC)
		passUntil(morning)
		s.ticked, s.fulled = morning.Add(-time.Second), morning
		s.spent = map[jobs.Mode]int{}
		go s.work(morning.Add(45 * time.Minute))
		s.serve(morning.Add(time.Hour))
		near("a day of what an hour takes", 24*s.spent[jobs.Incremental], said(5))
		if s.changes.took(100) == 0 || s.changes.took(100) > 20*time.Minute {
			s.t.Errorf("a change took %s", s.changes.took(100))
		}
		s.load()
		near("a full", s.spent[jobs.Full], said(6))
		w := &world{t: s.t, pool: pool, fake: s.fake}
		for _, table := range readable() {
			w.mustEqual(table)
		}
	})
}
