package paymotest

import (
	"slices"
	"strings"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Scopes says how a list that demands a filter (Resource.Strict) judges the one
// that it is given: nobody knows what Paymo does. Windows of time, such as
// date_interval or start_date with end_date, are good under all of them, and an
// object that is asked for by its id alone is always served. Time entries have
// Config.RelaxEntries instead, and are otherwise judged as under ScopesAny.
type Scopes string

// The ways to judge. ScopesAny is the default.
const (
	ScopesAny   Scopes = "any"   // any condition on a documented field will do, also project_id>=1 or project_id=null
	ScopesIn    Scopes = "in"    // only = and in will do, and never with null
	ScopesEqual Scopes = "equal" // only = with one value that is not null; in on such a field is answered with 400
	ScopesNone  Scopes = "none"  // lists of what is documented only as an include are always answered with 400; the rest as ScopesAny
	ScopesOpen  Scopes = "open"  // no filter is demanded
)

// AllScopes are all ways to judge.
func AllScopes() []Scopes {
	return []Scopes{ScopesAny, ScopesIn, ScopesEqual, ScopesNone, ScopesOpen}
}

// demanded are the filters of which a list demands one: a name, or several joined by +.
func demanded(res *catalog.Resource) []string {
	switch {
	case res.Strict == "":
		return nil
	case len(res.Filters) == 0:
		return []string{res.Scope.Filter}
	}
	return res.Filters
}

// judge refuses a list whose filter is not good enough.
func (s Scopes) judge(res *catalog.Resource, f *filter, relaxEntries bool) error {
	wanted := demanded(res)
	if res.Table == "time_entries" {
		if s = ScopesAny; relaxEntries {
			s = ScopesOpen
		}
	}
	if len(wanted) == 0 || s == ScopesOpen {
		return nil
	}
	if s == ScopesNone && len(res.Filters) == 0 {
		return refusal("Access to " + res.Key + " denied: include them with their parent")
	}
	if s == ScopesEqual {
		for _, t := range f.tests {
			if t.op == "in" && t.kind == byNumber && slices.Contains(wanted, t.field) {
				return refusal("Invalid condition: `" + t.field + "` takes one value")
			}
		}
	}
	given := func(field string) bool {
		return slices.ContainsFunc(f.tests, func(t test) bool { return t.field == field && s.accepts(t) })
	}
	for _, w := range wanted {
		if !slices.ContainsFunc(strings.Split(w, "+"), func(field string) bool { return !given(field) }) {
			return nil
		}
	}
	return refusal("Missing required params: " + strings.Join(wanted, ", "))
}

// accepts reports whether a condition on a documented field is good enough.
func (s Scopes) accepts(t test) bool {
	if t.kind != byNumber {
		return true // days and windows, which no parent is named by
	}
	null := slices.ContainsFunc(t.args, literal.null)
	switch s {
	case ScopesIn:
		return (t.op == "=" || t.op == "in") && !null
	case ScopesEqual:
		return t.op == "=" && !null
	}
	return true
}
