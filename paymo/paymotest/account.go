package paymotest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// ErrNotFound says that a table has no row of the id.
var ErrNotFound = errors.New("no such row")

// account is one company: its tables, and the ids to come.
type account struct {
	cfg     Config
	company int

	mu   sync.RWMutex
	view view
	next []int64    // by table
	gaps *rand.Rand // between ids; a source of its own, because others than the worker put rows
	// trash are the last deletions, oldest first.
	trash []removal
	hooks map[int64]hook // those that were made over the API, by id

	calls  *callQueue
	caller *http.Client // of hooks

	work worker
}

func newAccount(cfg Config, company int) *account {
	a := &account{cfg: cfg, company: company, view: view{index: map[string]int{}},
		hooks: map[int64]hook{}, calls: newCallQueue(), caller: newHookCaller()}
	for i, res := range catalog.All() {
		a.view.index[res.Table] = i
		a.view.tables = append(a.view.tables, table{res: res, links: &links{}})
		// Paymo's ids are shared by all companies: they start high and have gaps.
		a.next = append(a.next, 4_100_000+int64(i)*370_000+int64(company)*1_000_000_000)
	}
	a.gaps = rand.New(rand.NewPCG(cfg.Seed, 0x9a95))
	a.work.rng = rand.New(rand.NewPCG(cfg.Seed, 0x11fe))
	seed(a)
	return a
}

// snapshot is what a reply reads from, without further locking.
func (a *account) snapshot() view {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return view{index: a.view.index, tables: slices.Clone(a.view.tables)}
}

func (a *account) snapshotOf(table string) *table {
	v := a.snapshot()
	return v.table(table)
}

// put stores an object, replacing the one of its id if there is one.
func (a *account) put(name string, f fields) (*row, error) {
	i, ok := a.view.index[name]
	if !ok {
		return nil, fmt.Errorf("put %s: no such table", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := &a.view.tables[i]
	now := a.cfg.Now().UTC()
	o := fields{"created_on": now, "updated_on": now}
	if f["id"] == nil {
		a.next[i] += 1 + int64(a.gaps.IntN(40))
		o["id"] = a.next[i]
	}
	maps.Copy(o, f)
	r, err := newRow(t.res, o)
	if err != nil {
		return nil, err
	}
	if r.id <= 0 {
		return nil, fmt.Errorf("put %s: id %v is not a positive integer", name, f["id"])
	}
	if old, ok := t.find(r.id); ok {
		if f["created_on"] == nil {
			was := int64(t.value(old, "created_on").num)
			o["created_on"] = json.RawMessage(appendStamp(nil, was))
			if r, err = newRow(t.res, o); err != nil {
				return nil, err
			}
		}
		r.was = t.version(old)
	}
	a.next[i] = max(a.next[i], r.id)
	t.apply([]*row{r})
	a.cfg.Changed(name, r.id, false)
	if r.was == nil {
		a.tell(verbInsert, t.res, r)
	} else {
		a.tell(verbUpdate, t.res, r)
	}
	a.tellTimer(t.res, r.was, r)
	return r, nil
}

// drop and keep are values in a patch: the one removes the field, the other
// leaves updated_on as it was.
type (
	drop struct{}
	keep struct{}
)

// patch changes fields of an object.
func (a *account) patch(name string, id int64, f fields) (*row, error) {
	i, ok := a.view.index[name]
	if !ok {
		return nil, fmt.Errorf("patch %s: no such table", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := &a.view.tables[i]
	at, ok := t.find(id)
	if !ok {
		return nil, fmt.Errorf("patch %s %d: %w", name, id, ErrNotFound)
	}
	o := (&row{raw: t.append(nil, at)}).decode()
	was := o["updated_on"]
	o["updated_on"] = a.cfg.Now().UTC()
	for k, v := range f {
		switch v.(type) {
		case drop:
			delete(o, k)
		case keep:
			o[k] = was
		default:
			o[k] = v
		}
	}
	r, err := newRow(t.res, o)
	if err != nil {
		return nil, err
	}
	if r.id != id {
		return nil, fmt.Errorf("patch %s %d: the id cannot change", name, id)
	}
	r.was = t.version(at)
	t.apply([]*row{r})
	a.cfg.Changed(name, id, false)
	if _, quiet := f["updated_on"].(keep); !quiet {
		a.tell(verbUpdate, t.res, r)
		a.tellTimer(t.res, r.was, r)
	}
	return r, nil
}

// cascades are the children that go with a parent, as Paymo's reference says,
// and what hangs on those.
func cascades(parent string) [][2]string {
	switch parent {
	case "clients":
		return [][2]string{{"projects", "client_id"}, {"client_contacts", "client_id"}}
	case "projects":
		return [][2]string{{"tasklists", "project_id"}, {"tasks", "project_id"}, {"discussions", "project_id"},
			{"files", "project_id"}, {"time_entries", "project_id"}, {"milestones", "project_id"},
			{"comment_threads", "project_id"}, {"task_recurring_profiles", "project_id"}}
	case "tasklists":
		return [][2]string{{"tasks", "tasklist_id"}}
	case "tasks":
		return [][2]string{{"time_entries", "task_id"}, {"subtasks", "task_id"}, {"task_assignments", "task_id"},
			{"comment_threads", "task_id"}, {"files", "task_id"}}
	case "users":
		return [][2]string{{"time_entries", "user_id"}, {"task_assignments", "user_id"}}
	case "discussions":
		return [][2]string{{"comment_threads", "discussion_id"}, {"files", "discussion_id"}}
	case "files":
		return [][2]string{{"comment_threads", "file_id"}}
	case "comment_threads":
		return [][2]string{{"comments", "thread_id"}}
	case "comments":
		return [][2]string{{"files", "comment_id"}}
	case "task_assignments":
		return [][2]string{{"bookings", "user_task_id"}}
	case "workflows":
		return [][2]string{{"workflow_statuses", "workflow_id"}}
	case "project_templates":
		return [][2]string{{"project_template_tasklists", "template_id"}, {"project_template_tasks", "template_id"}}
	case "project_template_tasklists":
		return [][2]string{{"project_template_tasks", "tasklist_id"}}
	case "invoices":
		return [][2]string{{"invoice_items", "invoice_id"}, {"invoice_payments", "invoice_id"}}
	case "estimates":
		return [][2]string{{"estimate_items", "estimate_id"}}
	case "recurring_profiles":
		return [][2]string{{"recurring_profile_items", "recurring_profile_id"}}
	}
	return nil
}

func (a *account) doom(doomed map[string]map[int64]bool, name string, ids map[int64]bool) {
	if doomed[name] == nil {
		doomed[name] = map[int64]bool{}
	}
	fresh := map[int64]bool{}
	for id := range ids {
		if !doomed[name][id] {
			doomed[name][id], fresh[id] = true, true
		}
	}
	if len(fresh) == 0 {
		return
	}
	for _, c := range cascades(name) {
		a.doom(doomed, c[0], a.children(c[0], c[1], fresh))
	}
}

func (a *account) children(name, column string, parents map[int64]bool) map[int64]bool {
	found := map[int64]bool{}
	t := a.view.table(name)
	if index, ok := t.linked(column); ok {
		for parent := range parents {
			for _, r := range index[parent] {
				found[r.row.id] = true
			}
		}
		return found
	}
	t.each(Ascending, everything(), func(r ref) bool {
		if v := t.value(r, column); v.kind == number && parents[int64(v.num)] {
			found[t.id(r)] = true
		}
		return true
	})
	return found
}
