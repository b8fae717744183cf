package jobs_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// handler answers a request, or has the fake company answer it.
type handler func(fake http.Handler, w http.ResponseWriter, r *http.Request)

// wrapped makes a world whose requests go through the handler.
func wrapped(t *testing.T, company paymotest.Config, h handler, options ...func(*paymo.Config, *jobs.SyncerConfig)) *world {
	t.Helper()
	w := newWorld(t, company)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { h(w.fake, rw, r) }))
	t.Cleanup(server.Close)
	w.url = server.URL
	w.syncer = w.newSyncer("worker-1", options...)
	return w
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// projectsOf serves projects of the ids, in their order and 2500 at most, and counts
// the requests for them.
type projectsOf struct {
	ids      []int64
	requests atomic.Int32
}

func (p *projectsOf) serve(fake http.Handler, w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/projects" && !strings.HasPrefix(r.URL.Path, "/api/projects/") {
		fake.ServeHTTP(w, r)
		return
	}
	p.requests.Add(1)
	condition := regexp.MustCompile(`(id|updated_on)(>=|<)(-?\d+)`)
	const updated = 1577836800
	row := func(id int64) string {
		return fmt.Sprintf(`{"id":%d,"name":"p","created_on":"2020-01-01T00:00:00Z","updated_on":"2020-01-01T00:00:00Z"}`, id)
	}
	if text, ok := strings.CutPrefix(r.URL.Path, "/api/projects/"); ok {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !slices.Contains(p.ids, id) {
			answer(w, http.StatusNotFound, `{"message":"not found"}`)
			return
		}
		answer(w, http.StatusOK, `{"projects":[`+row(id)+`]}`)
		return
	}
	var rows []string
	for _, id := range p.ids {
		holds := true
		for _, m := range condition.FindAllStringSubmatch(r.URL.Query().Get("where"), -1) {
			bound, err := strconv.ParseInt(m[3], 10, 64)
			if err != nil {
				answer(w, http.StatusBadRequest, `{"message":"no number"}`)
				return
			}
			have := id
			if m[1] == "updated_on" {
				have = updated
			}
			holds = holds && (have < bound) == (m[2] == "<")
		}
		if holds && len(rows) < 2500 {
			rows = append(rows, row(id))
		}
	}
	answer(w, http.StatusOK, `{"projects":[`+strings.Join(rows, ",")+`]}`)
}

// Rows with the highest ids there can be are read like others, and once known they
// cost what they should.
func TestHighestIDs(t *testing.T) {
	t.Parallel()
	ids := []int64{}
	for id := range int64(3000) {
		ids = append(ids, id+1)
	}
	ids = append(ids, math.MaxInt64-1, math.MaxInt64)
	for _, order := range []string{"ascending", "descending"} {
		served := &projectsOf{ids: slices.Clone(ids)}
		if order == "descending" {
			slices.Reverse(served.ids)
		}
		w := wrapped(t, small(), served.serve)
		for _, mode := range []jobs.Mode{jobs.Full, jobs.Incremental, jobs.Full} {
			served.requests.Store(0)
			w.mustSync("projects", mode)
			if n := w.count("projects"); n != len(ids) {
				t.Errorf("%s: %d projects after the %s", order, n, mode)
			}
			if n := served.requests.Load(); n > 90 {
				t.Errorf("%s: the %s took %d requests", order, mode, n)
			}
		}
		if n := served.requests.Load(); n > 5 {
			t.Errorf("%s: a full of what is known took %d requests", order, n)
		}
	}
}

// A server that repeats one row wherever it is asked is given up, with words.
func TestRowsThatAreEverywhere(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	bound := regexp.MustCompile(`id(>=|<)(-?\d+)`)
	w := wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/projects" {
			fake.ServeHTTP(rw, r)
			return
		}
		requests.Add(1)
		id := int64(math.MaxInt64)
		for _, m := range bound.FindAllStringSubmatch(r.URL.Query().Get("where"), -1) {
			id, _ = strconv.ParseInt(m[2], 10, 64)
			if m[1] == "<" {
				id--
			}
		}
		answer(rw, http.StatusOK, `{"projects":[`+strings.Repeat(fmt.Sprintf(`{"id":%d,"name":"p"},`, id), 2500)+fmt.Sprintf(`{"id":%d}`, id)+`]}`)
	})
	outcome, err := w.sync("projects", jobs.Full)
	if outcome.State == "ok" {
		t.Error(unexpected(outcome, err))
	}
	if n := requests.Load(); n > 1200 {
		t.Errorf("%d requests", n)
	}
	t.Log(requests.Load(), outcome.State, outcome.Reason)
}
