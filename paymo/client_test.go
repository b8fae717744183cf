package paymo_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

func TestParseBaseURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text      string
		allowHTTP bool
		want      string
		problem   string
	}{
		{text: "https://app.paymoapp.com", want: "https://app.paymoapp.com"},
		{text: "https://app.paymoapp.com/", want: "https://app.paymoapp.com"},
		{text: "HTTPS://app.paymoapp.com//", want: "https://app.paymoapp.com"},
		{text: "https://proxy.example:8443/paymo/", want: "https://proxy.example:8443/paymo"},
		{text: "http://localhost:8080", want: "http://localhost:8080"},
		{text: "http://LOCALHOST:8080", want: "http://LOCALHOST:8080"},
		{text: "http://127.0.0.1:8080", want: "http://127.0.0.1:8080"},
		{text: "http://127.8.9.1", want: "http://127.8.9.1"},
		{text: "http://[::1]:8080", want: "http://[::1]:8080"},
		{text: "http://fakepaymo:8080", allowHTTP: true, want: "http://fakepaymo:8080"},

		{text: "http://fakepaymo:8080", problem: "PAYMO_ALLOW_HTTP"},
		{text: "http://app.paymoapp.com", problem: "PAYMO_ALLOW_HTTP"},
		{text: "http://10.0.0.1", problem: "PAYMO_ALLOW_HTTP"},
		{text: "http://127.0.0.1.example", problem: "PAYMO_ALLOW_HTTP"},
		{text: "http://localhost.example", problem: "PAYMO_ALLOW_HTTP"},
		{text: "http://0.0.0.0", problem: "PAYMO_ALLOW_HTTP"},
		{text: "", problem: "absolute"},
		{text: "app.paymoapp.com", problem: "absolute"},
		{text: "//app.paymoapp.com", problem: "absolute"},
		{text: "https://", problem: "absolute"},
		{text: "https://:443", problem: "absolute"},
		{text: "https:app.paymoapp.com", problem: "absolute"},
		{text: "ftp://app.paymoapp.com", allowHTTP: true, problem: "absolute"},
		{text: "https://hunter2@app.paymoapp.com", problem: "neither user"},
		{text: "https://hunter2:x@app.paymoapp.com", problem: "neither user"},
		{text: "https://app.paymoapp.com?key=hunter2", problem: "neither user"},
		{text: "https://app.paymoapp.com/?", problem: "neither user"},
		{text: "https://app.paymoapp.com#hunter2", problem: "neither user"},
		{text: "https://app.paymoapp.com:hunter2", problem: "not a URL"},
		{text: " https://app.paymoapp.com", problem: "not a URL"},
		{text: "https://app.paymoapp.com/%zz", problem: "not a URL"},
	} {
		got, err := paymo.ParseBaseURL(test.text, test.allowHTTP)
		switch {
		case test.problem != "":
			if err == nil || !strings.Contains(err.Error(), test.problem) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: the error is %v, want one that says %q and quotes nothing", test.text, err, test.problem)
			}
		case err != nil || got.String() != test.want:
			t.Errorf("%q: %v (%v), want %s", test.text, got, err, test.want)
		}
	}
}

func TestNewRefusesConfig(t *testing.T) {
	t.Parallel()
	for problem, config := range map[string]paymo.Config{
		"base URL": {Key: fixedKey, BaseURL: "http://app.paymoapp.com"},
		"API key":  {BaseURL: "https://app.paymoapp.com"},
	} {
		if _, err := paymo.New(config); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("the error is %v, want one about the %s", err, problem)
		}
	}
}

func TestRequestIsWhatPaymoExpects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		version string
		agent   string
	}{{"v1.2.3", "paymosync/v1.2.3"}, {"", "paymosync/dev"}} {
		server := play(ok())
		client := newClient(t, server, func(c *paymo.Config) { c.Version = test.version; c.BaseURL += "/prefix/" })
		if _, err := list(t, client); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Get(t.Context(), resource(t, "clients"), 7); err != nil {
			t.Fatal(err)
		}
		for i, path := range []string{"/prefix/api/clients", "/prefix/api/clients/7"} {
			r := server.requests[i]
			if r.Method != http.MethodGet || r.RequestURI != path || r.ContentLength != 0 {
				t.Errorf("asked %s %s with a body of %d bytes, want GET %s without", r.Method, r.RequestURI, r.ContentLength, path)
			}
			if agent := r.Header.Values("User-Agent"); !slices.Equal(agent, []string{test.agent}) {
				t.Errorf("User-Agent is %q, want %q", agent, test.agent)
			}
			if accept := r.Header.Values("Accept"); !slices.Equal(accept, []string{"application/json"}) {
				t.Errorf("Accept is %q", accept)
			}
		}
	}
}

func TestPageTellsCost(t *testing.T) {
	t.Parallel()
	server := play(ok("Date", "Mon, 02 Mar 2026 10:00:00 GMT"))
	page, err := list(t, newClient(t, server))
	if err != nil {
		t.Fatal(err)
	}
	if page.Requests != 1 || page.Waited != 0 || page.Bytes != int64(len(oneClient)) || page.Key != 1 {
		t.Errorf("%d requests, %s waited, %d bytes, key %d; want 1, 0, %d, 1", page.Requests, page.Waited, page.Bytes, page.Key, len(oneClient))
	}
	if want := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC); !page.Date.Equal(want) {
		t.Errorf("the date is %s, want %s", page.Date, want)
	}
	if !slices.Equal(rowIDs(page), []int64{7}) || page.Rows != 1 || page.Cut {
		t.Errorf("ids %v of %d rows, cut: %v", rowIDs(page), page.Rows, page.Cut)
	}
}

func TestRowsBeyondLimitAreNotRead(t *testing.T) {
	t.Parallel()
	fake := paymotest.New(paymotest.Config{Clients: 3})
	fake.AddFault(paymotest.Fault{Kind: paymotest.FaultEndless})
	client := newClient(t, fake, withKey(paymotest.DefaultKey))
	page, err := list(t, client)
	if err != nil {
		t.Fatal(err)
	}
	if !page.Cut || page.Rows != 2*catalog.PageCap || len(page.Records) != page.Rows {
		t.Errorf("%d rows and %d records, cut: %v; want %d, cut", page.Rows, len(page.Records), page.Cut, 2*catalog.PageCap)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	fake := paymotest.New(paymotest.Config{Clients: 3})
	client := newClient(t, fake, withKey(paymotest.DefaultKey))
	id, err := fake.Put("clients", map[string]any{"name": "Studio"})
	if err != nil {
		t.Fatal(err)
	}
	page, err := client.Get(t.Context(), resource(t, "clients"), id)
	if err != nil || !slices.Equal(rowIDs(page), []int64{id}) {
		t.Fatalf("page %+v: %v", page, err)
	}
	page, err = client.Get(t.Context(), resource(t, "clients"), id+1)
	var api *paymo.APIError
	if !errors.As(err, &api) || !api.NotFound() || api.Path != fmt.Sprintf("/api/clients/%d", id+1) {
		t.Errorf("the error is %v, want that there is none", err)
	}
	if page == nil || page.Requests != 1 {
		t.Errorf("page %+v, want the cost of one request", page)
	}
}

func TestMe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body    string
		want    paymo.Me
		problem string
	}{
		{`{"users":[{"id":3,"name":"Ada","type":"Admin","email":"a@b.c"}]}`, paymo.Me{ID: 3, Name: "Ada", Role: "Admin"}, ""},
		{`{"users":{"id":3,"name":"Ada","type":"Employee"}}`, paymo.Me{ID: 3, Name: "Ada", Role: "Employee"}, ""},
		{`{"user":{"id":3}}`, paymo.Me{ID: 3}, ""},
		{`{"users":[]}`, paymo.Me{}, "0 users"},
		{`{"users":[{"name":"Ada","type":"Admin"}]}`, paymo.Me{}, "0 users"},
		{`{"users":[{"id":3},{"id":4}]}`, paymo.Me{}, "2 users"},
		{`{"message":"no"}`, paymo.Me{}, "message instead of a list"},
	} {
		server := play(status(http.StatusOK, test.body))
		me, page, err := newClient(t, server).Me(t.Context())
		if me != test.want || page == nil || page.Requests != 1 || (err == nil) != (test.problem == "") ||
			err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: %+v, page %+v: %v; want %+v, %q", test.body, me, page, err, test.want, test.problem)
		}
		if path := server.requests[0].RequestURI; path != "/api/me" {
			t.Errorf("asked %s", path)
		}
	}
}

func TestCompanyID(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body    string
		want    int64
		problem string
	}{
		{`{"company":{"id":9,"name":"Studio"}}`, 9, ""},
		{`{"company":[{"id":9}]}`, 9, ""},
		{`{"company":{"name":"Studio"}}`, 0, "no company"},
		{`{"company":[]}`, 0, "no company"},
		{`{"company":null}`, 0, "no list"},
	} {
		server := play(status(http.StatusOK, test.body))
		id, page, err := newClient(t, server).CompanyID(t.Context())
		if id != test.want || page == nil || page.Requests != 1 || (err == nil) != (test.problem == "") ||
			err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: %d, page %+v: %v; want %d, %q", test.body, id, page, err, test.want, test.problem)
		}
		if path := server.requests[0].RequestURI; path != "/api/company" {
			t.Errorf("asked %s", path)
		}
	}
}
