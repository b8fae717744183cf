package paymotest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// MutateField changes one random field of a random row of a table to another valid
// value, and leaves updated_on as it is: what only a comparison of everything can
// find. It returns the row's id and the field. The field is in the row's object as
// served, and is never the id, updated_on, a secret, or one that is absent or null
// because another one of its group is present; nor the role of a user whom a key
// acts as. It fails on an empty table, and is deterministic for a seed.
func (s *Server) MutateField(rng *rand.Rand, table string) (id int64, field string, err error) {
	a := s.main()
	if _, ok := a.view.index[table]; !ok {
		return 0, "", fmt.Errorf("mutate %s: no such table", table)
	}
	a.work.mu.Lock()
	defer a.work.mu.Unlock()
	o := operator{account: a, rng: rng, busy: s.busy()}
	id = a.draw(rng, table)
	res, f, ok := o.load(table, id)
	if !ok {
		return 0, "", fmt.Errorf("mutate %s: %w", table, ErrNotFound)
	}
	fields := o.mutable(res, f, id, true)
	o.shuffle(fields)
	for _, c := range fields {
		if v, ok := o.another(res, c, f); ok {
			return id, c.Name, s.PatchQuietly(table, id, map[string]any{c.Name: v})
		}
	}
	return 0, "", fmt.Errorf("mutate %s %d: no field has another value", table, id)
}

// busy are the users whom keys of the first company act as.
func (s *Server) busy() map[int64]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := map[int64]bool{}
	for _, k := range s.keys {
		if k.Company == 0 {
			users[k.UserID] = true
		}
	}
	return users
}

// operator makes random changes to an account.
type operator struct {
	*account
	rng  *rand.Rand
	busy map[int64]bool
}

func (o *operator) chance(n int) bool { return o.rng.IntN(n) == 0 }

func (o *operator) shuffle(columns []catalog.Column) {
	o.rng.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
}

// load is an object to change.
func (o *operator) load(table string, id int64) (*catalog.Resource, fields, bool) {
	t := o.snapshotOf(table)
	at, ok := t.find(id)
	if !ok {
		return t.res, nil, false
	}
	return t.res, (&row{raw: t.append(nil, at)}).decode(), true
}

// null reports whether a field of a loaded object is null or absent.
func (f fields) null(name string) bool {
	raw, ok := f[name].(json.RawMessage)
	return !ok || string(raw) == "null"
}

// id is a loaded object's field as an id, 0 if it is none.
func (f fields) id(name string) int64 {
	raw, _ := f[name].(json.RawMessage)
	n, _ := strconv.ParseInt(string(raw), 10, 64)
	return n
}

// text is a loaded object's field as text.
func (f fields) text(name string) string {
	var s string
	raw, _ := f[name].(json.RawMessage)
	_ = json.Unmarshal(raw, &s)
	return s
}

// running reports whether a loaded time entry is a timer that runs.
func (f fields) running() bool { return !f.null("start_time") && f.null("end_time") }

// mutable are the columns of an object that may change one at a time; all of them,
// or those that a person would change and that no other column follows.
func (o *operator) mutable(res *catalog.Resource, f fields, id int64, all bool) []catalog.Column {
	return slices.DeleteFunc(slices.Clone(res.Columns), func(c catalog.Column) bool {
		_, present := f[c.Name]
		switch {
		case !present, c.Has(catalog.Secret), c.Name == "id", c.Name == "updated_on",
			slices.Contains(res.Together, c.Name) && f.null(c.Name),
			res.Table == "users" && c.Name == "type" && o.busy[id],
			res.Table == "time_entries" && f.running() && c.Name != "description":
			return true
		}
		return !all && (c.Name == "created_on" || slices.Contains(res.Owners, c.Name) ||
			c.Name == "active" && slices.Contains(archivable(), res.Table))
	})
}

// another draws a value that a column may have and the object has not.
func (o *operator) another(res *catalog.Resource, c catalog.Column, f fields) (any, bool) {
	old, _ := f[c.Name].(json.RawMessage)
	for range 30 {
		v, ok := o.value(res, c, f)
		if !ok {
			return nil, false
		}
		raw, err := appendValue(nil, v)
		if err != nil || string(raw) == string(old) {
			continue
		}
		was, errWas := strconv.ParseFloat(strings.Trim(string(old), `"`), 64)
		is, errIs := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
		if errWas != nil || errIs != nil || was != is {
			return v, true
		}
	}
	return nil, false
}

// value draws a value that a column may have.
func (o *operator) value(res *catalog.Resource, c catalog.Column, f fields) (any, bool) {
	if c.Ref != "" {
		id := o.draw(o.rng, c.Ref)
		return id, id != 0
	}
	switch c.Kind {
	case catalog.Integer:
		n := o.rng.IntN(1_000_000)
		if raw, _ := f[c.Name].(json.RawMessage); strings.HasPrefix(string(raw), `"`) {
			return strconv.Itoa(n), true // Paymo quotes some
		}
		return n, true
	case catalog.Decimal:
		return cents(1 + o.rng.Int64N(10_000_000)), true
	case catalog.Boolean:
		raw, _ := f[c.Name].(json.RawMessage)
		return string(raw) != "true", true
	case catalog.Datetime:
		return o.moment(c.Name, f.text(c.Name), time.Hour).Truncate(time.Second), true
	case catalog.Date:
		return date(o.moment(c.Name, f.text(c.Name), 24*time.Hour)), true
	case catalog.JSON:
		return o.document(c.Name, f)
	}
	return o.words(res, c.Name), true
}

// moment is earlier than a start, later than another time, and some time in the
// history where there was none.
func (o *operator) moment(name, was string, unit time.Duration) time.Time {
	by := time.Duration(1+o.rng.IntN(40)) * unit
	switch unix := unixOf(was); {
	case unix == 0:
		return o.cfg.Until.Add(-time.Duration(o.rng.Int64N(int64(1000 * 24 * time.Hour))))
	case strings.HasPrefix(name, "start") || name == "created_on":
		return time.Unix(unix, 0).UTC().Add(-by)
	default:
		return time.Unix(unix, 0).UTC().Add(by)
	}
}

// document is a value of a JSON column: ids where it holds ids, else of the same form.
func (o *operator) document(name string, f fields) (any, bool) {
	var table string
	switch name {
	case "managers", "share_users_ids":
		table = "users"
	case "assigned_projects", "managed_projects":
		table = "projects"
	case "linked_tasklists":
		table = "tasklists"
	case "users", "projects", "clients", "workflows", "entries":
		table = strings.Replace(name, "entries", "time_entries", 1)
	default:
		raw, _ := f[name].(json.RawMessage)
		if strings.HasPrefix(string(raw), "[") {
			return []any{pick(o.rng, itemNames()), strconv.Itoa(o.rng.IntN(1_000_000))}, true
		}
		return map[string]any{"changed": o.rng.IntN(1_000_000), "note": phrase(o.rng.Uint64())}, true
	}
	ids := []int64{}
	for range o.rng.IntN(4) {
		if id := o.draw(o.rng, table); id != 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, true
}

// words are a value of a text column.
func (o *operator) words(res *catalog.Resource, name string) string {
	n := o.rng.IntN(1_000_000)
	switch {
	case name == "type" && res.Table == "users":
		return pick(o.rng, []string{"Admin", "Employee", "Guest", "Project Manager"})
	case name == "type":
		return pick(o.rng, []string{"static", "live"})
	case name == "status":
		return pick(o.rng, []string{"draft", "sent", "viewed", "paid", "void", "accepted"})
	case name == "currency":
		return pick(o.rng, []string{"EUR", "USD", "GBP", "RON"})
	case name == "email":
		return fmt.Sprintf("changed%d@agency.invalid", n)
	case strings.HasSuffix(name, "_time"):
		return fmt.Sprintf("%02d:%02d", n%24, n/24%60)
	case strings.HasSuffix(name, "_date"):
		return date(o.moment(name, "", 0))
	}
	return strings.TrimSpace(fmt.Sprintf("%s %d", phrase(o.rng.Uint64()), n))
}
