package paymotest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

func TestParseFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]paymotest.Fault{
		"503":                           {Kind: paymotest.FaultStatus, N: 503},
		"503:projects:3":                {Kind: paymotest.FaultStatus, N: 503, Table: "projects", Count: 3},
		"429=2s":                        {Kind: paymotest.FaultStatus, N: 429, Delay: 2 * time.Second},
		"401:me":                        {Kind: paymotest.FaultStatus, N: 401, Table: "me"},
		"html=502:tasks":                {Kind: paymotest.FaultHTML, N: 502, Table: "tasks"},
		"page-cap=50":                   {Kind: paymotest.FaultPageCap, N: 50},
		"ignore-filter=time_interval":   {Kind: paymotest.FaultIgnoreFilter, Field: "time_interval"},
		"slow=300ms::1":                 {Kind: paymotest.FaultSlow, Delay: 300 * time.Millisecond, Count: 1},
		"redirect=https://evil.invalid": {Kind: paymotest.FaultRedirect, URL: "https://evil.invalid"},
	} {
		got, err := paymotest.ParseFault(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "nothing", "200", "503:nowhere", "503:tasks:x", "503:tasks:-1"} {
		if f, err := paymotest.ParseFault(text); err == nil {
			t.Errorf("%q: parsed as %v", text, f)
		}
	}
}

// A fault spoils the requests that it is meant for, and no others.
func TestFaultScope(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: -1})
	id := s.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 503, Table: "projects", Skip: 1, Count: 2, Delay: 3 * time.Second})
	var got []int
	for range 5 {
		got = append(got, get(t, s, "/api/projects").status)
		if r := get(t, s, "/api/clients"); r.status != http.StatusOK {
			t.Errorf("another table: %d", r.status)
		}
	}
	if want := []int{200, 503, 503, 200, 200}; !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
	if len(s.Armed()) != 0 {
		t.Errorf("still armed: %v", s.Armed())
	}
	s.RemoveFault(id)

	id = s.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 429})
	if r := get(t, s, "/api/me"); r.status != 429 || r.header.Get("Retry-After") != "1" || r.message == "" {
		t.Errorf("429 of all: %d %v %s", r.status, r.header, r.body)
	}
	s.RemoveFault(id)
	s.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 403, Table: "files", Where: "project_id=7"})
	if a, b := get(t, s, "/api/files", "where", "project_id=7"), get(t, s, "/api/files", "where", "project_id=8"); a.status != 403 || b.status != 200 {
		t.Errorf("one parent denied: %d, another %d", a.status, b.status)
	}
	s.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 403, Table: "invoices"})
	s.ClearFaults()
	if r := get(t, s, "/api/invoices"); r.status != http.StatusOK {
		t.Errorf("cleared: %d", r.status)
	}
}

func TestListFaults(t *testing.T) {
	t.Parallel()
	page := func(s *paymotest.Server, n int) []int64 {
		return get(t, s, "/api/tasks", "page", fmt.Sprint(n), "page_size", "40").ids()
	}
	s := paymotest.New(paymotest.Config{Entries: -1})
	whole := keep(t, s, "tasks", func(map[string]any) bool { return true })
	for _, tt := range []struct {
		fault paymotest.Fault
		check func(s *paymotest.Server) bool
	}{
		{paymotest.Fault{Kind: paymotest.FaultHTML}, func(s *paymotest.Server) bool {
			r := get(t, s, "/api/tasks")
			return r.status == 200 && strings.HasPrefix(r.body, "<!DOCTYPE") && strings.HasPrefix(r.header.Get("Content-Type"), "text/html")
		}},
		{paymotest.Fault{Kind: paymotest.FaultHTML, N: 502}, func(s *paymotest.Server) bool { return get(t, s, "/api/tasks").status == 502 }},
		{paymotest.Fault{Kind: paymotest.FaultRedirect}, func(s *paymotest.Server) bool {
			r := get(t, s, "/api/tasks", "page", "0")
			return r.status == 302 && r.header.Get("Location") == "https://elsewhere.invalid/api/tasks?page=0"
		}},
		{paymotest.Fault{Kind: paymotest.FaultTruncate}, func(s *paymotest.Server) bool {
			r := get(t, s, "/api/tasks")
			return r.status == 200 && len(r.body) == 256 && !json.Valid([]byte(r.body))
		}},
		{paymotest.Fault{Kind: paymotest.FaultTruncate, N: 1 << 20}, func(s *paymotest.Server) bool {
			return !json.Valid([]byte(get(t, s, "/api/projectstatuses").body))
		}},
		{paymotest.Fault{Kind: paymotest.FaultEmpty}, func(s *paymotest.Server) bool { return get(t, s, "/api/tasks").body == `{"tasks":[]}` }},
		{paymotest.Fault{Kind: paymotest.FaultCutList, N: 50}, func(s *paymotest.Server) bool {
			return len(page(s, 0)) == 40 && len(page(s, 1)) == 10 && len(page(s, 2)) == 0
		}},
		{paymotest.Fault{Kind: paymotest.FaultIgnorePaging}, func(s *paymotest.Server) bool { return slices.Equal(page(s, 3), whole) }},
		{paymotest.Fault{Kind: paymotest.FaultPageCap, N: 30}, func(s *paymotest.Server) bool {
			return slices.Equal(page(s, 0), whole[:30]) && slices.Equal(page(s, 1), whole[30:60])
		}},
		{paymotest.Fault{Kind: paymotest.FaultRotate, N: 3}, func(s *paymotest.Server) bool {
			return slices.Equal(page(s, 0), whole[3:43]) && slices.Equal(page(s, 0), whole[6:46]) && len(page(s, 7)) == 20
		}},
		{paymotest.Fault{Kind: paymotest.FaultDuplicate}, func(s *paymotest.Server) bool {
			return slices.Equal(page(s, 0), whole[:40]) && slices.Equal(page(s, 1), whole[39:79])
		}},
		{paymotest.Fault{Kind: paymotest.FaultMove}, func(s *paymotest.Server) bool {
			first, all := whole[0], get(t, s, "/api/tasks").ids()
			return slices.Equal(page(s, 0), whole[1:41]) && slices.Equal(page(s, 1), whole[40:80]) && all[len(all)-1] == first && len(all) == len(whole)
		}},
		{paymotest.Fault{Kind: paymotest.FaultForget, N: 3}, func(s *paymotest.Server) bool {
			ids := fmt.Sprintf("id in (%d,%d,%d)", whole[2], whole[3], whole[5])
			return slices.Equal(page(s, 0)[:4], []int64{whole[0], whole[1], whole[3], whole[4]}) && len(get(t, s, "/api/tasks").rows) == 200 &&
				slices.Equal(get(t, s, "/api/tasks", "where", ids).ids(), whole[3:4]) && get(t, s, fmt.Sprint("/api/tasks/", whole[2])).status == 200
		}},
		{paymotest.Fault{Kind: paymotest.FaultBlank}, func(s *paymotest.Server) bool {
			r := get(t, s, "/api/invoices", "include", "invoiceitems")
			return strings.Contains(r.body, `"subtotal":null`) && strings.Contains(r.body, `"price_unit":null`) && !strings.Contains(r.body, `"total":1`) &&
				strings.Contains(r.body, `"tax":19`) && !strings.Contains(get(t, s, fmt.Sprint("/api/tasks/", whole[0])).body, `"budget_hours":4`) &&
				strings.Contains(get(t, s, "/api/company").body, `"default_price_per_hour":null`)
		}},
		{paymotest.Fault{Kind: paymotest.FaultIgnoreFilter}, func(s *paymotest.Server) bool {
			return len(get(t, s, "/api/tasks", "where", "updated_on>=99999999999 and id>0").rows) == len(whole)
		}},
		{paymotest.Fault{Kind: paymotest.FaultIgnoreFilter, Field: "id"}, func(s *paymotest.Server) bool {
			return len(get(t, s, "/api/tasks", "where", "id=5").rows) == len(whole)
		}},
		{paymotest.Fault{Kind: paymotest.FaultBreakFilter}, func(s *paymotest.Server) bool {
			return len(get(t, s, "/api/tasks", "where", "updated_on>=1").rows) == 0 && len(get(t, s, "/api/tasks", "where", "id>1").rows) == len(whole)
		}},
		{paymotest.Fault{Kind: paymotest.FaultEmptyNested}, func(s *paymotest.Server) bool {
			r := get(t, s, "/api/invoices", "include", "invoiceitems")
			return len(r.rows) > 0 && !strings.Contains(r.body, `"invoiceitems":[{`)
		}},
		{paymotest.Fault{Kind: paymotest.FaultWrongKey}, func(s *paymotest.Server) bool { return get(t, s, "/api/tasks").key == "items" }},
		{paymotest.Fault{Kind: paymotest.FaultBadID}, func(s *paymotest.Server) bool { return get(t, s, "/api/tasks").rows[0]["id"] == "abc" }},
		{paymotest.Fault{Kind: paymotest.FaultNoID}, func(s *paymotest.Server) bool {
			o := get(t, s, "/api/tasks").rows
			return o[0]["id"] == nil && o[1]["id"] != nil && o[0]["name"] != nil
		}},
		{paymotest.Fault{Kind: paymotest.FaultWrongType, Field: "priority"}, func(s *paymotest.Server) bool {
			_, object := get(t, s, "/api/tasks").rows[3]["priority"].(map[string]any)
			return object
		}},
		{paymotest.Fault{Kind: paymotest.FaultNUL}, func(s *paymotest.Server) bool {
			return get(t, s, "/api/tasks").rows[0]["name"] == "before\x00after"
		}},
		{paymotest.Fault{Kind: paymotest.FaultHuge}, func(s *paymotest.Server) bool {
			return strings.Contains(get(t, s, "/api/tasks").body, `"project_id":123456789012345678901234567890`)
		}},
	} {
		id := s.AddFault(tt.fault)
		if !tt.check(s) {
			t.Errorf("%+v has no such effect", tt.fault)
		}
		s.RemoveFault(id)
	}
}

func TestConnectionFaults(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: -1})
	srv := httptest.NewServer(s)
	defer srv.Close()
	fetch := func(path string, limit int64) (int64, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", paymotest.DefaultKey)
		resp, err := srv.Client().Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		return io.Copy(io.Discard, io.LimitReader(resp.Body, limit))
	}
	for _, path := range []string{"/api/tasks", "/api/company", "/api/me"} {
		s.AddFault(paymotest.Fault{Kind: paymotest.FaultCut, Count: 1, N: 5000})
		if n, err := fetch(path, 1<<30); !errors.Is(err, io.ErrUnexpectedEOF) || n == 0 {
			t.Errorf("%s cut: %d bytes, %v", path, n, err)
		}
	}
	s.AddFault(paymotest.Fault{Kind: paymotest.FaultEndless, Count: 1})
	if n, err := fetch("/api/tasks", 8<<20); n != 8<<20 || err != nil {
		t.Errorf("endless: %d bytes, %v", n, err)
	}
	if _, err := fetch("/api/tasks", 1<<30); err != nil {
		t.Errorf("after the faults: %v", err)
	}
}

func TestSlowFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := paymotest.New(paymotest.Config{Entries: -1})
		s.AddFault(paymotest.Fault{Kind: paymotest.FaultSlow, Delay: 3 * time.Second, Count: 1})
		began := time.Now()
		if r := get(t, s, "/api/company"); r.status != 200 || time.Since(began) != 3*time.Second {
			t.Errorf("slow: %d after %v", r.status, time.Since(began))
		}
		s.AddFault(paymotest.Fault{Kind: paymotest.FaultDrip, N: 100, Delay: time.Second})
		began = time.Now()
		r := get(t, s, "/api/company")
		if want := time.Duration((len(r.body)+99)/100) * time.Second; time.Since(began) != want || !json.Valid([]byte(r.body)) {
			t.Errorf("drip: %v for %d bytes", time.Since(began), len(r.body))
		}
	})
}

// Every kind of fault says something about every table: none breaks the server.
func TestFaultsEverywhere(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: 50, Projects: 5, Tasks: 30})
	for _, kind := range paymotest.Faults() {
		switch kind {
		case paymotest.FaultCut, paymotest.FaultEndless, paymotest.FaultSlow, paymotest.FaultDrip:
			continue // these need a connection
		}
		id := s.AddFault(paymotest.Fault{Kind: kind, N: 500})
		for _, res := range catalog.All() {
			get(t, s, res.Path)
			if res.Scope.Filter != "" {
				get(t, s, res.Path, "where", res.Scope.Filter+">0")
			}
		}
		get(t, s, "/api/me")
		s.RemoveFault(id)
	}
}
