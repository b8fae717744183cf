package web_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/cmd/paymosync/web"
	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// site is a page over an overview, which notes what is asked of it.
type site struct {
	t        *testing.T
	overview jobs.Overview
	err      error // of reading
	is       bool  // what the buttons' functions say
	fails    error // and theirs
	asked    []string
	handler  http.Handler
}

func newSite(t *testing.T, overview jobs.Overview) *site {
	t.Helper()
	s := &site{t: t, overview: overview, is: true}
	note := func(words ...any) (bool, error) {
		s.asked = append(s.asked, strings.TrimSpace(fmt.Sprintln(words...)))
		return s.is && s.fails == nil, s.fails
	}
	var err error
	s.handler, err = web.New(web.Config{
		Read:    func(context.Context) (jobs.Overview, error) { return s.overview, s.err },
		Sync:    func(_ context.Context, table string, mode jobs.Mode) (bool, error) { return note("sync", table, mode) },
		Pause:   func(_ context.Context, table string) (bool, error) { return note("pause", table) },
		Resume:  func(_ context.Context, table string) (bool, error) { return note("resume", table) },
		Version: "v1.2.3", Refresh: 30 * time.Second, River: "/river/",
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do asks for a path, and gives the answer and its body.
func (s *site) do(method, path string) (*httptest.ResponseRecorder, string) {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w, w.Body.String()
}

// get asks for a page that must be there.
func (s *site) get(path string) string {
	s.t.Helper()
	res, body := s.do(http.MethodGet, path)
	if res.Code != http.StatusOK {
		s.t.Fatalf("%s: %d: %s", path, res.Code, body)
	}
	return body
}

// mustSay fails the test where a text is not on the page.
func mustSay(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

// The page says how all kinds of installations stand.
func TestPageSays(t *testing.T) {
	t.Parallel()
	one := healthy()
	one.Tables = one.Tables[:1]
	spoil(&one, 0, sink.StateDegraded, jobs.CauseStuck, "Paymo's clock stands still", 1)
	paused := healthy()
	paused.Tables = paused.Tables[:2]
	for i := range paused.Tables {
		spoil(&paused, i, sink.StatePaused, jobs.CausePaused, "paused by an operator", 0)
	}
	partly := empty()
	partly.Tables[0] = healthy().Tables[0]
	for _, test := range []struct {
		name     string
		overview jobs.Overview
		says     []string
		not      []string
	}{
		{"nothing is configured", jobs.Overview{At: noon()}, []string{"No table is configured", "No run has begun yet"}, nil},
		{"empty", empty(), []string{
			"Nothing has been synced yet", "<b>35</b> not synced yet", "not known yet", "Paymo tells it with its first reply", "4 running, 31 ready",
			"none yet", "never", "no runs", "No run has begun yet",
		}, []string{"What needs attention", "Not synced at present", "unavailable<", "What to do"}},
		{"the first sync", partly, []string{"The first sync is under way: 1 of 35 tables are in"}, []string{"What needs attention"}},
		{"healthy", healthy(), []string{
			"All 35 tables are as Paymo has them", "The least fresh of them, ", "<b>35</b> ok", "Account default", "Admin <small>user 4100006</small>",
			"An Admin: the key sees the whole account", "4470017", "https://app.paymoapp.com", "of 5", "requests left, in a period of 5 s", "no sync is waiting",
			`<time datetime="2026-11-27T11:53:00Z" title="2026-11-27 11:53:00 UTC">7 minutes ago</time>`, "in 4 minutes", "last full", "v1.2.3",
			`href="/river/"`, `aria-label="Sync clients"`, `aria-label="Full sync clients"`, `aria-label="Pause clients"`, "The last 20 runs of clients, since ",
		}, []string{"What needs attention", "Not synced at present", "Not an Admin"}},
		{"degraded", degraded(), []string{
			"7 tables of 35 cannot be read", "2 more tables may not be as Paymo has them", "1 table paused", "1 table not available to this key",
			"<b>7</b> failing", "<b>2</b> degraded", "<b>1</b> paused", "<b>1</b> unavailable", "<b>24</b> ok",
			"What needs attention", "500 Internal Server Error after 3 attempts.", "Wait: Paymo is in trouble; syncs go on by themselves.", "4 failed runs in a row",
			"6 tables", "3 more", `<span class="nowrap">--accept-deletes</span> project_templates`, "5 hours</time> or longer", "3 records in quarantine", "2 fields without a column",
			"Not synced at present", `aria-label="Resume milestones"`, "18 hours</time>", "Not an Admin:", "blocked", "Paymo takes no request before 12:00:42 UTC, in 42 seconds.",
			"1 running, 2 ready, 1 for later, 3 to be tried again", ">running</span>", "not ended",
		}, []string{`aria-label="Sync milestones"`, `aria-label="Pause milestones"`}},
		{"huge", huge(), []string{"1,000,000,034", "35,000,000,595", "1,234,567,890 inserted", "12,345,678 requests", "123 h 0 min", "18 tables of 35 may not be as Paymo has them"}, nil},
		{"one", one, []string{"1 table of 1 may not be as Paymo has it"}, nil},
		{"all paused", paused, []string{"No table is synced at present", "2 tables paused."}, []string{"What needs attention"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			body := newSite(t, test.overview).get("/")
			mustSay(t, body, test.says...)
			for _, text := range test.not {
				if strings.Contains(body, text) {
					t.Errorf("the page says %q", text)
				}
			}
			ids := map[string]bool{}
			for _, id := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(body, -1) {
				if ids[id[1]] {
					t.Errorf("two things have the id %q", id[1])
				}
				ids[id[1]] = true
			}
			for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(body, -1) {
				if name := link[1]; !ids[name] && !strings.HasPrefix(name, "i-") {
					t.Errorf("a link leads to %q, which is not there", name)
				}
			}
			t.Logf("%d bytes", len(body))
		})
	}
}

// Every cause has its own sentence of what to do on the page.
func TestPageAdvises(t *testing.T) {
	t.Parallel()
	for _, cause := range jobs.Causes() {
		if cause == jobs.CauseUnsynced {
			continue // the page says it of all tables at once
		}
		o := healthy()
		spoil(&o, 2, sink.StateFailing, cause, "a reason", 1)
		body := strings.NewReplacer(`<span class="nowrap">`, "", "</span>", "", "&#39;", "'").Replace(newSite(t, o).get("/"))
		mustSay(t, body, jobs.Advice("clients", cause)[1:]) // its first letter is a capital one
	}
}

// Nothing that others say becomes a part of the page's code, and the page has nothing
// that its policy forbids.
func TestPageIsSafe(t *testing.T) {
	t.Parallel()
	for name, overview := range map[string]jobs.Overview{"hostile": hostile(), "degraded": degraded()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, overview)
			res, body := s.do(http.MethodGet, "/")
			if res.Code != http.StatusOK {
				t.Fatal(res.Code)
			}
			for _, pattern := range []string{
				`<script>`, `<img`, `(?i)<[a-z][^<>"]*("[^"]*"[^<>"]*)*\s(on[a-z]+|style)=`, `<style`, `(?i)(href|src|action)="?\s*javascript:`, `(?i)(href|src|action)="(https?:)?//`, `ZgotmplZ`,
			} {
				if found := regexp.MustCompile(pattern).FindString(body); found != "" {
					t.Errorf("the page holds %s", found)
				}
			}
			if n := strings.Count(body, "<script"); n != 1 {
				t.Errorf("%d scripts", n)
			}
			got := res.Header().Get("Content-Security-Policy")
			if !strings.HasPrefix(got, "default-src 'none'; style-src 'self'; script-src 'self';") || strings.Contains(got, "unsafe") {
				t.Errorf("the policy is %s", got)
			}
		})
	}
	mustSay(t, newSite(t, hostile()).get("/"), "&lt;script&gt;alert")
}

// The page reads itself anew without a script, until somebody stops it.
func TestPageRefreshes(t *testing.T) {
	t.Parallel()
	s := newSite(t, healthy())
	for path, want := range map[string]string{
		"/":                            `content="30;url=/"`,
		"/?said=queued&table=clients":  `content="8;url=/"`,
		"/?said=queued&table=unknown":  `content="30;url=/"`,
		"/?said=whatever&table=client": `content="30;url=/"`,
	} {
		mustSay(t, s.get(path), `<noscript><meta http-equiv="refresh" `+want, "Stop refreshing")
	}
	still := s.get("/?refresh=off")
	if strings.Contains(still, `http-equiv="refresh"`) {
		t.Error("the page that was stopped refreshes")
	}
	mustSay(t, still, `data-refresh="0"`, "Refresh by itself", `action="/tables/clients/sync?refresh=off"`)
	if res, _ := s.do(http.MethodPost, "/tables/clients/sync?refresh=off"); !strings.Contains(res.Header().Get("Location"), "refresh=off") {
		t.Errorf("a button leads from the page that was stopped to %s", res.Header().Get("Location"))
	}
}

// What cannot be read is said in words, with what to do, and nothing else.
func TestPageUnreadable(t *testing.T) {
	t.Parallel()
	s := newSite(t, healthy())
	s.err = errors.New("connect to PostgreSQL at <db>:5432: refused")
	for _, ask := range []struct{ method, path string }{{http.MethodGet, "/"}, {http.MethodPost, "/tables/clients/sync"}} {
		res, body := s.do(ask.method, ask.path)
		if res.Code != http.StatusServiceUnavailable || res.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", ask.path, res.Code, res.Header())
		}
		mustSay(t, body, "The database cannot be read", "connect to PostgreSQL at &lt;db&gt;:5432: refused", "See that PostgreSQL is up", `http-equiv="refresh"`)
		if strings.Contains(body, "goroutine") || strings.Contains(body, "users") {
			t.Errorf("it says more: %s", body)
		}
	}
}

// What is not there, is not there; and what is to be posted is not to be got.
func TestPageElsewhere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{http.MethodHead, "/", http.StatusOK, ""},
		{http.MethodGet, "/nothing", http.StatusNotFound, ""},
		{http.MethodGet, "/index.html", http.StatusNotFound, ""},
		{http.MethodGet, "/assets/", http.StatusNotFound, ""},
		{http.MethodGet, "/assets/nothing.css", http.StatusNotFound, ""},
		{http.MethodGet, "/assets/..%2ftemplate.html", http.StatusNotFound, ""},
		{http.MethodGet, "/tables/clients", http.StatusNotFound, ""},
		{http.MethodGet, "/tables/clients/sync", http.StatusMethodNotAllowed, "POST"},
		{http.MethodDelete, "/tables/clients/sync", http.StatusMethodNotAllowed, "POST"},
		{http.MethodPost, "/", http.StatusMethodNotAllowed, "GET, HEAD"},
		{http.MethodPost, "/tables/clients/drop", http.StatusNotFound, ""},
		{http.MethodPost, "/tables/unknown/sync", http.StatusNotFound, ""},
		{http.MethodPost, "/tables/Clients/sync", http.StatusNotFound, ""},
		{http.MethodPost, "/tables/" + strings.Repeat("x", 5000) + "/sync", http.StatusNotFound, ""},
		{http.MethodPost, "/tables/%3Cscript%3E/sync", http.StatusNotFound, ""},
	} {
		s := newSite(t, healthy())
		res, body := s.do(test.method, test.path)
		if res.Code != test.status || res.Header().Get("Allow") != test.allow {
			t.Errorf("%s %.60s: %d, allows %q", test.method, test.path, res.Code, res.Header().Get("Allow"))
		}
		if len(s.asked) > 0 {
			t.Errorf("%s %.60s did something: %v", test.method, test.path, s.asked)
		}
		if len(body) > 5000 && test.status != http.StatusOK || strings.Contains(body, "script>/") {
			t.Errorf("%s %.60s says what it was asked: %s", test.method, test.path, body)
		}
	}
}

// The page's own files are there, as what they are.
func TestPageAssets(t *testing.T) {
	t.Parallel()
	s := newSite(t, healthy())
	body := s.get("/")
	for path, kind := range map[string]string{
		"/assets/style.css": "text/css", "/assets/refresh.js": "text/javascript", "/assets/favicon.svg": "image/svg+xml",
	} {
		mustSay(t, body, `"`+path+`"`)
		res, text := s.do(http.MethodGet, path)
		if res.Code != http.StatusOK || !strings.HasPrefix(res.Header().Get("Content-Type"), kind) || text == "" {
			t.Errorf("%s: %d, %s, %d bytes", path, res.Code, res.Header().Get("Content-Type"), len(text))
		}
		if regexp.MustCompile(`@import|url\(|https?://(www\.)?[^w]`).MatchString(strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "")) {
			t.Errorf("%s needs what is elsewhere", path)
		}
	}
}
