package main

import (
	"slices"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// tables are the tables to sync, in the catalogue's order. A table brings along the
// tables that it is listed by, left out or not: without them it cannot be read. One
// whose rows come with others is chosen together with those.
func (p *parser) tables() []string {
	chosen := map[string]bool{}
	named := p.tableList("SYNC_TABLES", p.raw.SyncTables)
	for _, r := range catalog.All() {
		chosen[r.Table] = p.raw.SyncTables == "" || slices.Contains(named, r.Table)
		if slices.Contains(named, r.Table) && comesWithParents(r) && !slices.Contains(named, r.Embedded.Parent) {
			p.fail("SYNC_TABLES", "%s come with %s: add %s", r.Table, r.Embedded.Parent, r.Embedded.Parent)
		}
	}
	for _, table := range p.tableList("SYNC_EXCLUDE_TABLES", p.raw.SyncExcludeTables) {
		chosen[table] = false
	}
	before := len(p.notices)
	for _, r := range catalog.All() {
		if chosen[r.Table] {
			p.bringParents(r, chosen)
		}
	}
	slices.Sort(p.notices[before:])

	var tables []string
	for _, r := range catalog.All() {
		if chosen[r.Table] {
			tables = append(tables, r.Table)
		}
	}
	if len(tables) == 0 && len(p.problems) == 0 {
		p.fail("SYNC_EXCLUDE_TABLES", "leaves no table to sync")
	}
	return tables
}

// comesWithParents reports whether the rows of a table come with those of another one.
func comesWithParents(r *catalog.Resource) bool { return r.Listings[0] == catalog.WithParent }

func (p *parser) bringParents(r *catalog.Resource, chosen map[string]bool) {
	for _, name := range []string{r.Scope.Parent, r.Embedded.Parent} {
		if parent, ok := catalog.Lookup(name); ok && !chosen[name] {
			chosen[name] = true
			p.notice("%s is synced too, because %s is listed by it", name, r.Table)
			p.bringParents(parent, chosen)
		}
	}
}

// tableList reads table names separated by commas or white space.
func (p *parser) tableList(variable, value string) []string {
	names := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
	if value != "" && len(names) == 0 {
		p.fail(variable, "%q names no table", value)
	}
	var known []string
	for _, name := range names {
		if p.knownTable(variable, name) {
			known = append(known, name)
		}
	}
	return known
}

func (p *parser) knownTable(variable, name string) bool {
	if _, ok := catalog.Lookup(name); ok {
		return true
	}
	var all []string
	for _, r := range catalog.All() {
		all = append(all, r.Table)
	}
	if near, ok := nearest(name, all, 3); ok {
		p.fail(variable, "%q is not a table: did you mean %s?", name, near)
	} else {
		p.fail(variable, "%q is not a table; `paymosync tables` lists them", name)
	}
	return false
}

// tableSchedules reads table=schedule pairs separated by semicolons.
func (p *parser) tableSchedules(zone *time.Location, synced []string) map[string]Schedule {
	const variable = "SYNC_SCHEDULES"
	schedules := map[string]Schedule{}
	for pair := range strings.SplitSeq(p.raw.SyncSchedules, ";") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		table, spec, ok := strings.Cut(pair, "=")
		table = strings.TrimSpace(table)
		if !ok {
			p.fail(variable, "%q is not table=schedule; example: time_entries=*/5 * * * *;reports=0 6 * * *", pair)
			continue
		}
		if !p.knownTable(variable, table) {
			continue
		}
		if _, twice := schedules[table]; twice {
			p.fail(variable, "%s has two schedules: keep one", table)
			continue
		}
		schedule, err := ParseSchedule(spec, zone)
		if err != nil {
			p.fail(variable, "%q is not a schedule for %s: %v; examples: */15 * * * * or @every 30s", strings.TrimSpace(spec), table, err)
		}
		schedules[table] = schedule
		if !slices.Contains(synced, table) {
			p.warn("%s has a schedule for %s, which is not synced", variable, table)
		}
	}
	return schedules
}

// misspelt warns of variables that nobody reads but that look like one that is
// read, and of a file's variables that Vault's client would read only from the
// environment.
func (p *parser) misspelt() {
	var known, prefixes []string
	for _, v := range Variables() {
		prefix, _, _ := strings.Cut(v.Name, "_")
		known, prefixes = append(known, v.Name), append(prefixes, prefix)
	}
	for _, name := range p.env.names() {
		prefix, _, _ := strings.Cut(name, "_")
		if slices.Contains(known, name) || !slices.ContainsFunc(prefixes, func(ours string) bool { return distance(prefix, ours) < 2 }) {
			continue
		}
		if near, ok := nearest(name, known, 2); ok {
			p.warn("%s is not read: did you mean %s?", name, near)
		} else if prefix == "VAULT" && p.env.fromFile[name] {
			p.warn("%s is not read from a file: set it in the environment", name)
		}
	}
}

// nearest finds the candidate that is the fewest edits away, within a limit and
// within a third of the name.
func nearest(name string, candidates []string, limit int) (string, bool) {
	best, least := "", min(limit, len(name)/3)+1
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best, best != ""
}

// distance is the number of bytes to insert, delete or replace to turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
