package web_test

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Every button does one thing to one table, and the page says what came of it.
func TestButtons(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		path  string
		is    bool // what the function says
		asked string
		says  string
	}{
		{"/tables/clients/sync", true, "sync clients incremental", "A sync of clients is queued; it starts in a moment."},
		{"/tables/clients/sync", false, "sync clients incremental", "A sync of clients was queued already; it runs as soon as it can."},
		{"/tables/clients/full", true, "sync clients full", "A full sync of clients is queued"},
		{"/tables/clients/full", false, "sync clients full", "A full sync of clients was queued already"},
		{"/tables/clients/pause", true, "pause clients", "clients is paused: it is not synced until you resume it."},
		{"/tables/clients/pause", false, "pause clients", "clients was paused already."},
		{"/tables/milestones/resume", true, "resume milestones", "milestones is resumed; it is synced at its next run."},
		{"/tables/milestones/resume", false, "resume milestones", "milestones was not paused."},
		{"/tables/milestones/sync", true, "", "milestones is paused, so nothing was queued: resume it first."},
		{"/tables/milestones/full", true, "", "milestones is paused, so nothing was queued: resume it first."},
	} {
		s := newSite(t, degraded())
		s.is = test.is
		res, _ := s.do(http.MethodPost, test.path)
		if got := strings.Join(s.asked, "; "); got != test.asked {
			t.Errorf("%s asked for %q, want %q", test.path, got, test.asked)
		}
		target, err := url.Parse(res.Header().Get("Location"))
		if err != nil || res.Code != http.StatusSeeOther || target.Path != "/" || target.Host != "" {
			t.Errorf("%s: %d to %s", test.path, res.Code, res.Header().Get("Location"))
			continue
		}
		body := s.get(target.RequestURI())
		mustSay(t, body, `role="status"`, test.says, `id="`+target.Fragment+`"`)
	}
}

// Each of the page's forms leads to where a button's work is done.
func TestFormsLeadSomewhere(t *testing.T) {
	t.Parallel()
	forms := regexp.MustCompile(`<form method="post" action="([^"]+)">`).FindAllStringSubmatch(newSite(t, degraded()).get("/"), -1)
	if len(forms) < 3*34+1 {
		t.Errorf("%d forms", len(forms))
	}
	for _, form := range forms {
		s := newSite(t, degraded())
		if res, _ := s.do(http.MethodPost, form[1]); res.Code != http.StatusSeeOther || len(s.asked) != 1 {
			t.Errorf("%s: %d, asked for %v", form[1], res.Code, s.asked)
		}
	}
}

// The address cannot have the page say anything of its own.
func TestPageReflectsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, healthy())
	plain := s.get("/")
	for _, query := range []url.Values{
		{"said": {"your password has ended: call us"}, "table": {"clients"}},
		{"said": {"queued"}, "table": {"clients, and your password has ended"}},
		{"said": {"queued"}, "table": {script}},
		{"said": {"queued"}},
		{"said": {""}, "table": {"clients"}},
		{"table": {"clients"}},
		{"refresh": {script}},
		{"flash": {script}},
	} {
		if body := s.get("/?" + query.Encode()); body != plain {
			t.Errorf("%s changes the page", query.Encode())
		}
	}
}

// A table's name is a part of its buttons' addresses, whatever it is.
func TestButtonsOfAnyName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b", "a/b", "a?b#c", "ä", "..", script} {
		o := healthy()
		o.Tables = o.Tables[:1]
		o.Tables[0].Table = name
		s := newSite(t, o)
		path := regexp.MustCompile(`action="([^"]+/pause)"`).FindStringSubmatch(s.get("/"))
		if path == nil {
			t.Fatalf("%s has no button", name)
		}
		if name == ".." {
			continue // browsers and servers take it for another path
		}
		if res, _ := s.do(http.MethodPost, path[1]); res.Code != http.StatusSeeOther || len(s.asked) != 1 || s.asked[0] != "pause "+name {
			t.Errorf("%s: %d, asked for %v", path[1], res.Code, s.asked)
		}
	}
}

// What a button asks for and cannot get is said.
func TestButtonFails(t *testing.T) {
	t.Parallel()
	s := newSite(t, healthy())
	s.fails = errors.New("queue a sync of clients: the database is read-only")
	for _, action := range []string{"sync", "full", "pause", "resume"} {
		res, body := s.do(http.MethodPost, "/tables/clients/"+action)
		if res.Code != http.StatusServiceUnavailable || res.Header().Get("Location") != "" {
			t.Errorf("%s: %d to %q", action, res.Code, res.Header().Get("Location"))
		}
		mustSay(t, body, "the database is read-only", "What to do")
	}
}
