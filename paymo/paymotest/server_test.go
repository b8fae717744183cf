package paymotest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// reply is a decoded answer.
type reply struct {
	status  int
	header  http.Header
	body    string
	key     string
	rows    []map[string]any
	message string
}

// ids are the ids of the rows, in order.
func (r reply) ids() []int64 {
	ids := []int64{}
	for _, o := range r.rows {
		id, _ := o["id"].(float64)
		ids = append(ids, int64(id))
	}
	return ids
}

// get asks the server without a network; params alternate names and values.
func get(t *testing.T, s *paymotest.Server, path string, params ...string) reply {
	t.Helper()
	return getAs(t, s, paymotest.DefaultKey, path, params...)
}

func getAs(t *testing.T, s *paymotest.Server, authorization, path string, params ...string) reply {
	t.Helper()
	query := url.Values{}
	for i := 0; i < len(params); i += 2 {
		query.Set(params[i], params[i+1])
	}
	req := httptest.NewRequest(http.MethodGet, path+"?"+query.Encode(), nil)
	req.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	r := reply{status: w.Code, header: w.Header(), body: w.Body.String()}
	var envelope map[string]json.RawMessage
	if json.Unmarshal(w.Body.Bytes(), &envelope) != nil {
		return r
	}
	for key, raw := range envelope {
		r.key = key
		if key == "message" {
			_ = json.Unmarshal(raw, &r.message)
		} else if json.Unmarshal(raw, &r.rows) != nil {
			var o map[string]any
			_ = json.Unmarshal(raw, &o)
			r.rows = []map[string]any{o}
		}
	}
	return r
}

func TestServeEveryResource(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{Entries: 500})
	for _, res := range catalog.All() {
		r := get(t, s, res.Path)
		if res.Strict != "" {
			if r.status != http.StatusBadRequest || !strings.HasPrefix(r.message, "Missing required params: ") {
				t.Errorf("%s without a filter: %d %s", res.Table, r.status, r.body)
			}
			parent := ""
			for raw := range s.Rows(res.Scope.Parent) {
				id := fmt.Sprint(int64(object(t, raw)["id"].(float64)))
				if r = get(t, s, res.Path, "where", res.Scope.Filter+"="+id); len(r.rows) > 0 {
					parent = id
					break
				}
			}
			if parent == "" {
				t.Errorf("%s: no parent has children", res.Table)
				continue
			}
		} else if want := min(s.Count(res.Table), catalog.PageCap); len(r.rows) != want {
			t.Errorf("%s: %d rows, want %d", res.Table, len(r.rows), want)
		}
		if r.status != http.StatusOK || r.key != res.Key {
			t.Errorf("%s: %d, key %q: %.200s", res.Table, r.status, r.key, r.body)
			continue
		}
		if res.Singleton {
			continue
		}
		id := r.ids()[0]
		one := get(t, s, fmt.Sprintf("%s/%d", res.Path, id))
		raw, err := s.Get(res.Table, id)
		if err != nil || one.body != fmt.Sprintf(`{%q:[%s]}`, res.Key, raw) {
			t.Errorf("%s/%d: %v: %s", res.Table, id, err, one.body)
		}
		if gone := get(t, s, res.Path+"/999999999999"); gone.status != http.StatusNotFound || gone.message == "" {
			t.Errorf("%s: a missing id gives %d %s", res.Table, gone.status, gone.body)
		}
	}
}

func TestServeMeAndCompany(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 2, 10, 0, 0, 0, time.UTC)
	s := paymotest.New(paymotest.Config{Now: func() time.Time { return now }, AlsoKeys: true})
	me := get(t, s, "/api/me")
	if me.key != "users" || len(me.rows) != 1 || me.rows[0]["type"] != "Admin" {
		t.Errorf("me: %s", me.body)
	}
	if got := me.header.Get("Date"); got != "Tue, 02 Jun 2026 10:00:00 GMT" {
		t.Errorf("Date: %s", got)
	}
	if c := get(t, s, "/api/company"); !strings.HasPrefix(c.body, `{"company":{"id":`) {
		t.Errorf("company: %s", c.body)
	}
	if r := get(t, s, "/api/recurringprofiles"); r.key != "recurring_profiles" {
		t.Errorf("the other key: %q", r.key)
	}
	if r := get(t, s, "/api/tasks", "where", "id in ("+strings.Repeat("123456789,", 900)+"1)"); r.status != http.StatusRequestURITooLong {
		t.Errorf("a long URL: %d", r.status)
	}
	if r := get(t, s, "/api/nothing"); r.status != http.StatusNotFound {
		t.Errorf("unknown path: %d", r.status)
	}
}

func TestAuth(t *testing.T) {
	t.Parallel()
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct {
		auth   paymotest.Auth
		header string
		want   int
	}{
		{paymotest.Both, "demo-key", 200},
		{paymotest.Both, basic("demo-key:"), 200},
		{paymotest.Both, basic("demo-key:x"), 200},
		{paymotest.Both, basic("x:demo-key"), 401},
		{paymotest.Both, "Bearer demo-key", 401},
		{paymotest.Both, "", 401},
		{paymotest.Both, "Basic ???", 401},
		{paymotest.Raw, "demo-key", 200},
		{paymotest.Raw, basic("demo-key:"), 401},
		{paymotest.Basic, "demo-key", 401},
		{paymotest.Basic, basic("demo-key:"), 200},
	} {
		s := paymotest.New(paymotest.Config{Auth: tt.auth, Entries: -1, Projects: 1, Tasks: 1})
		if r := getAs(t, s, tt.header, "/api/me"); r.status != tt.want {
			t.Errorf("%s %q: %d, want %d", tt.auth, tt.header, r.status, tt.want)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := paymotest.New(paymotest.Config{})
	s.AddKey("second", "Admin")
	s.RevokeKey(paymotest.DefaultKey)
	if r := get(t, s, "/api/me"); r.status != http.StatusUnauthorized || r.message == "" {
		t.Errorf("revoked key: %d %s", r.status, r.body)
	}
	if r := getAs(t, s, "second", "/api/me"); r.status != http.StatusOK {
		t.Errorf("new key: %d", r.status)
	}

	all := getAs(t, s, "second", "/api/projects")
	s.AddKey("weak", "Employee")
	some := getAs(t, s, "weak", "/api/projects")
	if len(some.rows) == 0 || len(some.rows) >= len(all.rows) {
		t.Errorf("an employee sees %d of %d projects", len(some.rows), len(all.rows))
	}
	for _, o := range some.rows {
		if o["price_per_hour"] != nil || o["price"] != nil {
			t.Errorf("an employee sees the price of %v", o["id"])
		}
	}
	if r := getAs(t, s, "weak", "/api/invoices"); r.status != http.StatusOK || len(r.rows) != 0 {
		t.Errorf("an employee's invoices: %d, %d rows", r.status, len(r.rows))
	}
	if !s.SetRole("second", "Employee") {
		t.Error("no key")
	}
	if r := getAs(t, s, "second", "/api/me"); r.rows[0]["type"] != "Employee" {
		t.Errorf("role after the change: %v", r.rows[0]["type"])
	}

	s.AddCompanyKey("other", "Admin", 1)
	mine, theirs := getAs(t, s, "second", "/api/company"), getAs(t, s, "other", "/api/company")
	if mine.rows[0]["id"] == theirs.rows[0]["id"] {
		t.Error("the other company has the same id")
	}
	if r := getAs(t, s, "other", "/api/tasks"); len(r.rows) != 20 {
		t.Errorf("the other company has %d tasks", len(r.rows))
	}
}
