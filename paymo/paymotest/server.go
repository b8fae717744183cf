// Package paymotest is a Paymo to test against: a company that is seeded, or
// works on while it is watched, behind an HTTP API that is as strict as Paymo's
// and as unhelpful: it answers some mistakes with an empty list, leaves keys out,
// lists in no promised order and cuts what is long.
//
// A Server is an http.Handler. Tests change its rows with Put, Patch, Delete and
// Restore, or at random with RandomOp and MutateField, read back with Rows what a
// client should have found, and make it misbehave with faults.
package paymotest

import (
	"bufio"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Server is a fake Paymo. It is safe for concurrent use.
type Server struct {
	cfg Config

	mu       sync.Mutex
	accounts map[int]*account // by company; 0 is the one that Config describes
	keys     map[string]Key
	limits   map[string]*limiter
	faults   []*armed
	faultID  int
	log      journal
}

// New seeds a Server.
func New(cfg Config) *Server {
	s := &Server{
		cfg:      cfg.withDefaults(),
		accounts: map[int]*account{},
		keys:     map[string]Key{},
		limits:   map[string]*limiter{},
		log:      journal{counts: map[string]Count{}},
	}
	s.accounts[0] = newAccount(s.cfg, 0)
	s.AddKey(s.cfg.Key, "Admin")
	return s
}

// ServeHTTP answers as Paymo would.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	now := s.cfg.Now()
	table, id, found := route(r.URL.Path)
	defer func() {
		s.note(Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Table: table,
			Status: rec.status, Bytes: rec.bytes, Time: now})
	}()
	rec.Header().Set("Date", now.UTC().Format(http.TimeFormat))

	key, ok := s.authorize(r)
	if !ok {
		fail(rec, http.StatusUnauthorized, "Unauthorized")
		return
	}
	if !s.admit(rec, key.Value, now) {
		return
	}
	if s.cfg.MaxURL > 0 && len(r.URL.RequestURI()) > s.cfg.MaxURL {
		html(rec, http.StatusRequestURITooLong)
		return
	}
	faults := s.fire(table, r.URL.Query().Get("where"))
	out, done := faults.before(rec, r)
	if done {
		return
	}
	switch {
	case !found:
		fail(out, http.StatusNotFound, "Not found")
	case table == "webhooks" && r.Method != http.MethodGet && r.Method != http.MethodHead:
		s.changeHook(out, r, key, id)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		fail(out, http.StatusMethodNotAllowed, "Method not allowed")
	default:
		s.answer(out, r, key, table, id, faults)
	}
	faults.after(out)
}

// route finds the table of a path, "me" for /api/me, and the id of a single object.
func route(path string) (table, id string, ok bool) {
	if path == "/api/me" {
		return "me", "", true
	}
	for _, res := range catalog.All() {
		if path == res.Path {
			return res.Table, "", true
		}
		if rest, ok := strings.CutPrefix(path, res.Path+"/"); ok && !res.Singleton {
			return res.Table, rest, !strings.Contains(rest, "/")
		}
	}
	return "", "", false
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, key Key, name, id string, faults firing) {
	s.mu.Lock()
	acc := s.accounts[key.Company]
	s.mu.Unlock()

	q := &query{view: acc.snapshot(), order: s.cfg.Order, cap: s.cfg.Cap, uncut: s.cfg.Uncut,
		bulk: s.cfg.BulkOpen, faultPlan: faults.plan()}
	user, ok := q.view.table("users").find(key.UserID)
	if !ok {
		fail(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	q.viewer = newViewer(&q.view, user.row)
	q.ownsHook = func(id int64) bool { return acc.ownsHook(id, key.UserID) }
	if q.stale {
		q.view = q.view.before()
	}
	if name == "me" {
		q.table = q.view.table("users")
		user, _ = q.table.find(key.UserID)
		s.stream(w, r, q, "users", func(yield func(ref) bool) { yield(user) })
		return
	}
	q.table = q.view.table(name)
	res := q.table.res
	if err := s.read(q, r, faults, id == ""); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	switch {
	case res.Singleton:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		buf := append(appendString([]byte{'{'}, s.keyOf(res, q)), ':')
		buf = q.render(buf, q.table, ref{row: q.table.rows[0]}, &q.shape, nil)
		_, _ = w.Write(append(buf, '}'))
	case id != "":
		n, err := strconv.ParseInt(id, 10, 64)
		at, ok := q.table.find(n)
		if err != nil || !ok || !q.visible(q.table, at) {
			fail(w, http.StatusNotFound, "Object not found")
			return
		}
		s.stream(w, r, q, s.keyOf(res, q), func(yield func(ref) bool) { yield(at) })
	default:
		s.stream(w, r, q, s.keyOf(res, q), q.rows)
	}
}

// read takes the request's parameters into the query.
func (s *Server) read(q *query, r *http.Request, faults firing, list bool) error {
	params, res := r.URL.Query(), q.table.res
	var err error
	if q.shape, err = parseInclude(res, params.Get("include")); err != nil {
		return err
	}
	if q.filter, err = newFilter(res, params.Get("where")); err != nil {
		return err
	}
	if !list {
		return nil
	}
	if err := s.cfg.Scopes.judge(res, q.filter, s.cfg.RelaxEntries); err != nil {
		return err
	}
	faults.tamper(q)
	return q.readPage(params)
}

// keyOf is the member of the reply that holds the list.
func (s *Server) keyOf(res *catalog.Resource, q *query) string {
	switch {
	case q.wrongKey:
		return "items"
	case s.cfg.AlsoKeys && res.AlsoKey != "":
		return res.AlsoKey
	}
	return res.Key
}

// stream writes a list row by row. Only a reply with nested lists is looked
// through first, because they are found in one pass for all of its rows.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, q *query, key string, rows func(func(ref) bool)) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	var branches []*branch
	if len(q.shape.subs) > 0 {
		var parents []ref
		rows(func(at ref) bool {
			parents = append(parents, at)
			return true
		})
		rows = slices.Values(parents)
		var nested map[string][]test
		if q.filter != nil {
			nested = q.filter.nested
		}
		branches = q.grow(q.shape.subs, q.table, parents, nested, map[string]int{})
	}
	out := bufio.NewWriterSize(w, 32<<10)
	buf := append(appendString([]byte{'{'}, key), ":["...)
	n := 0
	rows(func(at ref) bool {
		if n > 0 {
			buf = append(buf, ',')
		}
		mark := len(buf)
		buf = q.render(buf, q.table, at, &q.shape, branches)
		if q.mutate != nil {
			buf = append(buf[:mark], q.mutate(q.table.res, n, buf[mark:])...)
		}
		n++
		_, err := out.Write(buf)
		buf = buf[:0]
		return err == nil
	})
	for q.endless && r.Context().Err() == nil {
		if n++; n > 1 {
			buf = append(buf, ',')
		}
		buf = append(buf, `{"id":1}`...)
		if _, err := out.Write(buf); err != nil {
			return
		}
		buf = buf[:0]
	}
	_, _ = out.Write(append(buf, "]}"...))
	_ = out.Flush()
}

// fail answers with Paymo's form of an error.
func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(appendString([]byte(`{"message":`), message), '}'))
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Now is the server's clock.
func (s *Server) Now() time.Time { return s.cfg.Now() }
