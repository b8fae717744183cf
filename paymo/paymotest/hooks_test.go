package paymotest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// heard is one call of a hook.
type heard struct {
	hook, event, signature, body string
}

// receiver takes calls, and answers with the first of its statuses that are left, then 200.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	calls    []heard
	statuses []int
	news     chan struct{} // filled by every call
}

func newReceiver(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{statuses: statuses, news: make(chan struct{}, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		select {
		case r.news <- struct{}{}:
		default:
		}
		r.calls = append(r.calls, heard{req.Header.Get("X-Paymo-Webhook"), req.Header.Get("X-Paymo-Event"), req.Header.Get("X-Paymo-Signature"), string(body)})
		if len(r.statuses) > 0 {
			w.WriteHeader(r.statuses[0])
			r.statuses = r.statuses[1:]
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// wait waits for n calls and returns them; more are a failure.
func (r *receiver) wait(t *testing.T, n int) []heard {
	t.Helper()
	calls := r.until(t, func(calls []heard) bool { return len(calls) >= n })
	if len(calls) > n {
		t.Fatalf("%d calls, want %d: %v", len(calls), n, calls)
	}
	return calls
}

// until waits for calls that are enough.
func (r *receiver) until(t *testing.T, enough func([]heard) bool) []heard {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		calls := slices.Clone(r.calls)
		r.mu.Unlock()
		if enough(calls) {
			return calls
		}
		select {
		case <-r.news:
		case <-late:
			t.Fatalf("not more than %d calls: %v", len(calls), calls)
		}
	}
}

// called has the hooks of a server called while the test runs.
func called(t *testing.T, hooks paymotest.HookConfig) *paymotest.Server {
	t.Helper()
	s := paymotest.New(paymotest.Config{Entries: 200, Hooks: hooks})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Call(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

// send asks the API to change something.
func send(t *testing.T, s *paymotest.Server, key, method, path, body string) reply {
	t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", key)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	r := reply{status: w.Code, header: w.Header(), body: w.Body.String()}
	var envelope struct {
		Hooks   []map[string]any `json:"hooks"`
		Message string           `json:"message"`
	}
	_ = json.Unmarshal(w.Body.Bytes(), &envelope)
	r.rows, r.message = envelope.Hooks, envelope.Message
	return r
}

// install makes a hook and returns its id.
func install(t *testing.T, s *paymotest.Server, target, event, more string) int64 {
	t.Helper()
	r := send(t, s, paymotest.DefaultKey, http.MethodPost, "/api/hooks", fmt.Sprintf(`{"target_url": %q, "event": %q%s}`, target, event, more))
	if r.status != http.StatusCreated || r.header.Get("Location") != fmt.Sprintf("/api/hooks/%d", r.ids()[0]) {
		t.Fatalf("%d %v %s", r.status, r.header, r.body)
	}
	return r.ids()[0]
}

// The sample of Paymo's reference (sections/webhooks.md, "Webhook signatures").
func TestSignature(t *testing.T) {
	t.Parallel()
	if got := paymotest.Signature([]byte(`{"id":"1679584"}`), "secret"); got != "sha1=dc03736e396e70138bf7af4ffaa2948cde42dcf1" {
		t.Error(got)
	}
}

func TestHooksOverTheAPI(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{})
	s.AddKey("other-key", "Admin")
	seeded := len(get(t, s, "/api/hooks").rows)
	id := install(t, s, "https://warehouse.example/hooks", "*.Task", `, "secret": "shh", "where": "nonsense"`)
	path := fmt.Sprintf("/api/hooks/%d", id)

	got := get(t, s, path)
	o := got.rows[0]
	if o["target_url"] != "https://warehouse.example/hooks" || o["event"] != "*.Task" || o["where"] != "nonsense" || o["last_status_code"] != nil ||
		strings.Contains(got.body, "shh") || o["secret"] != nil {
		t.Error(got.body)
	}
	if n := len(get(t, s, "/api/hooks").rows); n != seeded+1 {
		t.Errorf("%d hooks listed, want %d", n, seeded+1)
	}
	for _, method := range []string{http.MethodPut, http.MethodPost} {
		changed := send(t, s, paymotest.DefaultKey, method, path, `{"target_url": "https://`+method+`.example"}`)
		if changed.status != http.StatusOK || changed.rows[0]["target_url"] != "https://"+method+".example" || changed.rows[0]["event"] != "*.Task" {
			t.Error(method, changed.status, changed.body)
		}
	}

	// Those of others are neither seen nor changed; the same user's other key sees them.
	if other := s.AddKey("guest-key", "Guest"); other.UserID == 0 {
		t.Fatal("no guest")
	}
	if r := send(t, s, "guest-key", http.MethodDelete, path, ""); r.status != http.StatusForbidden {
		t.Error(r.status, r.body)
	}
	admin, err := s.Put("users", map[string]any{"name": "Another", "type": "Admin", "active": true})
	if err != nil {
		t.Fatal(err)
	}
	s.AddUserKey("another-key", admin)
	if n := len(getAs(t, s, "another-key", "/api/hooks").rows); n != seeded {
		t.Errorf("another user sees %d hooks, want %d", n, seeded)
	}
	if r := send(t, s, "another-key", http.MethodDelete, path, ""); r.status != http.StatusNotFound {
		t.Error(r.status, r.body)
	}
	if n := len(getAs(t, s, "other-key", "/api/hooks").rows); n != seeded+1 {
		t.Errorf("the user's other key sees %d hooks, want %d", n, seeded+1)
	}

	for _, bad := range []string{`{`, `{"event": "*"}`, `{"target_url": "https://a.example"}`, `{"target_url": "a.example", "event": "*"}`,
		`{"target_url": "https://a.example", "event": "model.insert.Subtask"}`, `{"target_url": "https://a.example", "event": "model.start.Task"}`,
		`{"target_url": "https://a.example", "event": "task"}`, `{"target_url": "https://a.example", "event": "model.insert.Task", "where": "nonsense"}`} {
		if r := send(t, s, paymotest.DefaultKey, http.MethodPost, "/api/hooks", bad); r.status != http.StatusBadRequest || r.message == "" {
			t.Error(bad, r.status, r.body)
		}
	}
	if r := send(t, s, paymotest.DefaultKey, http.MethodPut, "/api/hooks", `{}`); r.status != http.StatusMethodNotAllowed {
		t.Error(r.status)
	}
	if r := send(t, s, paymotest.DefaultKey, http.MethodPost, "/api/tasks", `{}`); r.status != http.StatusMethodNotAllowed {
		t.Error("only hooks can be written", r.status)
	}
	if r := send(t, s, paymotest.DefaultKey, http.MethodDelete, path, ""); r.status != http.StatusOK {
		t.Error(r.status, r.body)
	}
	if r := get(t, s, path); r.status != http.StatusNotFound {
		t.Error("still there", r.status)
	}
}

func TestHooksAreCalled(t *testing.T) {
	t.Parallel()
	s := called(t, paymotest.HookConfig{})
	to := newReceiver(t)
	id := install(t, s, to.URL, "*.Task", `, "secret": "shh"`)
	list := get(t, s, "/api/tasklists").rows[0]
	task, err := s.Put("tasks", map[string]any{"name": "Paint", "project_id": int64(list["project_id"].(float64)), "tasklist_id": int64(list["id"].(float64))})
	if err != nil {
		t.Fatal(err)
	}
	must(0, s.Patch("tasks", task, map[string]any{"name": "Paint it"}))
	must(0, s.PatchQuietly("tasks", task, map[string]any{"name": "Paint it blue"})) // Paymo tells of no such change
	must(0, s.Patch("projects", int64(list["project_id"].(float64)), map[string]any{"name": "House"}))
	must(s.Delete("tasks", task))
	must(s.Restore("tasks", task))

	calls := to.wait(t, 4)
	var events []string
	for _, call := range calls {
		events = append(events, call.event)
		if call.hook != strconv.FormatInt(id, 10) || call.signature != paymotest.Signature([]byte(call.body), "shh") {
			t.Error(call)
		}
	}
	if want := []string{"model.insert.Task", "model.update.Task", "model.delete.Task", "model.insert.Task"}; !slices.Equal(events, want) {
		t.Errorf("%v, want %v", events, want)
	}
	first := object(t, []byte(calls[0].body))
	if first["name"] != "Paint" || first["tasklist"].(map[string]any)["name"] != list["name"] || first["project"] == nil {
		t.Error(calls[0].body)
	}
	if want := map[bool]string{true: fmt.Sprintf(`{"id":"%d"}`, task), false: fmt.Sprintf(`{"id":%d}`, task)}[task%2 == 0]; calls[2].body != want {
		t.Errorf("%s, want %s", calls[2].body, want)
	}
	if status := get(t, s, fmt.Sprintf("/api/hooks/%d", id)).rows[0]["last_status_code"]; status != 200.0 {
		t.Error(status)
	}
}

func TestHooksHearWhatTheyAskFor(t *testing.T) {
	t.Parallel()
	s := called(t, paymotest.HookConfig{})
	user := get(t, s, "/api/me").ids()[0]
	task := get(t, s, "/api/tasks").ids()[0]
	project := int64(get(t, s, fmt.Sprintf("/api/tasks/%d", task)).rows[0]["project_id"].(float64))
	hears := map[string]*receiver{}
	for _, pattern := range []string{"*", "model.insert.*", "*.Entry", "timer.start.Entry", "timer.stop.Entry", "model.update.Entry", "*.Client"} {
		hears[pattern] = newReceiver(t)
		install(t, s, hears[pattern].URL, pattern, "")
	}
	there, elsewhere, unread := newReceiver(t), newReceiver(t), newReceiver(t)
	install(t, s, there.URL, "model.insert.Entry", fmt.Sprintf(`, "where": "project_id=%d"`, project))
	install(t, s, elsewhere.URL, "model.insert.Entry", fmt.Sprintf(`, "where": "project_id=%d"`, project+1))
	install(t, s, unread.URL, "*", `, "where": "nonsense"`)

	began := time.Now().UTC().Add(-time.Hour)
	entry, err := s.Put("time_entries", map[string]any{"task_id": task, "project_id": project, "user_id": user, "start_time": began, "end_time": nil})
	if err != nil {
		t.Fatal(err)
	}
	must(0, s.Patch("time_entries", entry, map[string]any{"end_time": began.Add(time.Minute), "duration": 60}))
	must(s.Put("subtasks", map[string]any{"name": "unheard", "task_id": task})) // Paymo has no events of these
	for pattern, events := range map[string][]string{
		"*":              {"model.insert.Entry", "timer.start.Entry", "model.update.Entry", "timer.stop.Entry"},
		"*.Entry":        {"model.insert.Entry", "timer.start.Entry", "model.update.Entry", "timer.stop.Entry"},
		"model.insert.*": {"model.insert.Entry"}, "timer.start.Entry": {"timer.start.Entry"}, "timer.stop.Entry": {"timer.stop.Entry"},
		"model.update.Entry": {"model.update.Entry"}, "*.Client": {},
	} {
		var got []string
		for _, call := range hears[pattern].wait(t, len(events)) {
			got = append(got, call.event)
			if o := object(t, []byte(call.body)); o["user"] == nil || o["task"] == nil || call.signature != "" {
				t.Error(call)
			}
		}
		if !slices.Equal(got, events) {
			t.Errorf("%s hears %v, want %v", pattern, got, events)
		}
	}
	there.wait(t, 1)
	elsewhere.wait(t, 0)
	unread.wait(t, 0)
}

func TestHooksOfADeletion(t *testing.T) {
	t.Parallel()
	for _, cascades := range []bool{false, true} {
		s := called(t, paymotest.HookConfig{Cascades: cascades})
		to := newReceiver(t)
		install(t, s, to.URL, "model.delete.*", "")
		project := get(t, s, "/api/projects").ids()[0]
		tasks := len(get(t, s, "/api/tasks", "where", fmt.Sprintf("project_id=%d", project)).rows)
		must(s.Delete("projects", project))
		must(s.Put("clients", map[string]any{"name": "the last one"}))
		last := must(s.Put("clients", map[string]any{"name": "the last one"}))
		must(s.Delete("clients", last))
		of := map[string]int{}
		for _, call := range to.until(t, func(calls []heard) bool {
			return slices.ContainsFunc(calls, func(call heard) bool { return call.event == "model.delete.Client" })
		}) {
			of[call.event]++
		}
		want := map[bool]int{false: 0, true: tasks}[cascades]
		if of["model.delete.Project"] != 1 || of["model.delete.Client"] != 1 || of["model.delete.Task"] != want || tasks == 0 {
			t.Errorf("cascades %v, %d tasks: %v", cascades, tasks, of)
		}
	}
}

func TestHooksThatFail(t *testing.T) {
	t.Parallel()
	for retries, want := range map[int][]string{0: {"1", "2"}, 2: {"1", "1", "1", "2"}} {
		s := called(t, paymotest.HookConfig{Retries: retries, Wait: time.Millisecond})
		to := newReceiver(t, 500, 500)
		if retries == 0 {
			to = newReceiver(t, 500)
		}
		id := install(t, s, to.URL, "*.Client", "")
		must(s.Put("clients", map[string]any{"id": 1, "name": "fails"}))
		for began := time.Now(); s.Untold() > 0; {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%d are untold", s.Untold())
			}
			<-time.After(time.Millisecond)
		}
		to.wait(t, len(want)-1)
		must(s.Put("clients", map[string]any{"id": 2, "name": "arrives"}))
		var got []string
		for _, call := range to.wait(t, len(want)) {
			got = append(got, fmt.Sprint(object(t, []byte(call.body))["id"]))
		}
		if !slices.Equal(got, want) {
			t.Errorf("with %d retries %v, want %v", retries, got, want)
		}
		if gone := get(t, s, fmt.Sprintf("/api/hooks/%d", id)); gone.status != http.StatusOK {
			t.Error("a hook that failed is gone", gone.body)
		}
	}
}

func TestHooksThatAreGone(t *testing.T) {
	t.Parallel()
	s := called(t, paymotest.HookConfig{Retries: 3, Wait: time.Millisecond})
	to, other := newReceiver(t, http.StatusGone), newReceiver(t)
	gone, stays := install(t, s, to.URL, "*", ""), install(t, s, other.URL, "*", "")
	must(s.Put("clients", map[string]any{"name": "one"}))
	other.wait(t, 1)
	must(s.Put("clients", map[string]any{"name": "two"}))
	other.wait(t, 2)
	to.wait(t, 1)
	ids := get(t, s, "/api/hooks").ids()
	if slices.Contains(ids, gone) || !slices.Contains(ids, stays) {
		t.Errorf("%d answered 410, %d did not: there are %v", gone, stays, ids)
	}
}
