package paymotest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// HookConfig is how hooks are called, where Paymo's reference is silent. The zero value
// calls each once, in about the order of the events.
type HookConfig struct {
	Cascades bool          // a deletion is told of all that it takes along, not of the object alone
	Retries  int           // how often a call that failed is made again
	Wait     time.Duration // before the first of them, doubled for each further one; 0: a second
	Callers  int           // how many calls are made at once: more than one disorders them; 0: one
	Timeout  time.Duration // of a call; 0: ten seconds
}

// The verbs of the events that Paymo's reference has for every model.
const (
	verbInsert = "insert"
	verbUpdate = "update"
	verbDelete = "delete"
)

// hook is what the listing of hooks does not show of one that was made over the API.
type hook struct {
	owner  int64 // the user whose key made it
	secret string
}

// event is something that hooks are told of.
type event struct {
	name  string // such as model.update.Task
	table string
	row   *row // the object; of a deletion the id alone counts
	gone  bool
}

// tell queues the event of a model for the hooks. The caller holds the account's lock.
func (a *account) tell(verb string, res *catalog.Resource, r *row) {
	if res.Model != "" && len(a.hooks) > 0 {
		a.calls.push(call{event: event{name: "model." + verb + "." + res.Model, table: res.Table, row: r, gone: verb == verbDelete}})
	}
}

// tellTimer queues the events of a timer that starts or stops with a change of an entry.
func (a *account) tellTimer(res *catalog.Resource, was, is *row) {
	if res.Table != "time_entries" || len(a.hooks) == 0 {
		return
	}
	switch before, after := was.running(), is.running(); {
	case after && !before:
		a.calls.push(call{event: event{name: "timer.start.Entry", table: res.Table, row: is}})
	case before && !after:
		a.calls.push(call{event: event{name: "timer.stop.Entry", table: res.Table, row: is}})
	}
}

// running reports whether a time entry is a timer that runs; no row is none.
func (r *row) running() bool {
	return r != nil && r.raw != nil && r.value("start_time").kind != absent && r.value("end_time").kind == absent
}

// hears reports whether a hook's pattern takes an event: by its whole name, or with a
// star for its end or its beginning.
func hears(pattern, name string) bool {
	switch {
	case pattern == "*":
		return true
	case strings.HasSuffix(pattern, ".*"):
		return strings.HasPrefix(name, pattern[:len(pattern)-1])
	case strings.HasPrefix(pattern, "*."):
		return strings.HasSuffix(name, pattern[1:])
	}
	return pattern == name
}

// hookModel is the model of a pattern of events, which is valid: nil is any.
func hookModel(pattern string) (*catalog.Resource, error) {
	unknown := fmt.Errorf("Unknown event: %s", pattern) //nolint:staticcheck // Paymo's words begin so
	if pattern == "*" {
		return nil, nil
	}
	at := strings.LastIndexByte(pattern, '.')
	if at < 0 {
		return nil, unknown
	}
	verbs := []string{"*", "model." + verbInsert, "model." + verbUpdate, "model." + verbDelete}
	model := pattern[at+1:]
	if model == "Entry" {
		verbs = append(verbs, "timer.start", "timer.stop")
	}
	if !slices.Contains(verbs, pattern[:at]) {
		return nil, unknown
	}
	if model == "*" {
		return nil, nil
	}
	for _, res := range catalog.All() {
		if res.Model == model {
			return res, nil
		}
	}
	return nil, unknown
}

// hookIncludes are the includes that Paymo's reference says a model's calls come with.
func hookIncludes(model string) string {
	switch model {
	case "Project":
		return "client.name"
	case "Tasklist", "Milestone":
		return "project.name"
	case "Task":
		return "project.name,tasklist.name"
	case "Invoice":
		return "invoiceitems,client.name"
	case "Entry":
		return "task.name,user.name"
	}
	return ""
}

// body is what a hook is sent of an event: nothing where its creator does not see the
// object, or its where does not take it, or cannot be read.
func (a *account) body(e event, owner int64, where string) []byte {
	if e.gone {
		if e.row.id%2 == 0 { // the reference shows both
			return fmt.Appendf(nil, `{"id":"%d"}`, e.row.id)
		}
		return fmt.Appendf(nil, `{"id":%d}`, e.row.id)
	}
	q := &query{view: a.snapshot(), cap: a.cfg.Cap}
	user, ok := q.view.table("users").find(owner)
	if !ok {
		return nil
	}
	q.viewer = newViewer(&q.view, user.row)
	q.table = q.view.table(e.table)
	at := ref{row: e.row}
	filter, err := newFilter(q.table.res, where)
	if err != nil || !q.visible(q.table, at) || !q.match(q.table, at, filter.tests) {
		return nil
	}
	shape, err := parseInclude(q.table.res, strings.TrimSuffix("*,"+hookIncludes(q.table.res.Model), ","))
	if err != nil {
		panic(err) // a bug: the includes are fixed
	}
	branches := q.grow(shape.subs, q.table, []ref{at}, nil, map[string]int{})
	return q.render(nil, q.table, at, &shape, branches)
}
