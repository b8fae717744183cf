package paymo_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo"
)

// to sends clients elsewhere.
func to(code int, location string) http.HandlerFunc {
	return status(code, "", "Location", location)
}

func TestRedirectWithinServer(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"/elsewhere", "//HOST/elsewhere", "http://HOST/elsewhere?a=b", "../elsewhere"} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			server := play()
			server.steps = []http.HandlerFunc{
				func(w http.ResponseWriter, r *http.Request) {
					to(code, strings.Replace(location, "HOST", r.Host, 1))(w, r)
				},
				ok(),
			}
			page, err := list(t, newClient(t, server))
			if err != nil || page.Rows != 1 || page.Requests != 2 {
				t.Errorf("%d to %s: page %+v: %v", code, location, page, err)
				continue
			}
			r := server.requests[1]
			if sent := server.sent(); r.Method != http.MethodGet || sent[1] != key {
				t.Errorf("%d to %s: %s with %q", code, location, r.Method, sent)
			}
		}
	}
}

// The key goes to no other server, port or scheme.
func TestRedirectToAnotherServer(t *testing.T) {
	t.Parallel()
	thief := play(ok())
	other := httptest.NewServer(thief)
	t.Cleanup(other.Close)
	safe := httptest.NewTLSServer(thief)
	t.Cleanup(safe.Close)
	otherHost := strings.TrimPrefix(other.URL, "http://")
	for _, test := range []struct{ location, told string }{
		{other.URL, other.URL},
		{other.URL + "/api/clients", other.URL},
		{"//" + otherHost + "/x", other.URL},
		{"//user:password@" + otherHost + "/x", other.URL},
		{safe.URL, safe.URL},
		{"https://elsewhere.invalid/?next=/api/clients", "https://elsewhere.invalid"},
		{"ftp://elsewhere.invalid", "ftp://elsewhere.invalid"},
		{"http://elsewhere.invalid/" + key + "?" + key + "#" + key, "http://elsewhere.invalid"},
		{"http://" + url.PathEscape(key) + "@elsewhere.invalid/", "http://elsewhere.invalid"},
	} {
		for _, steps := range [][]http.HandlerFunc{{to(302, test.location)}, {to(307, "/by/the/way"), to(308, test.location)}} {
			server := play(steps...)
			page, err := list(t, newClient(t, server))
			var redirect *paymo.RedirectError
			if !errors.As(err, &redirect) || redirect.Loop || redirect.From != "/api/clients" || redirect.To != test.told {
				t.Errorf("to %s: the error is %v", test.location, err)
			} else if want := "/api/clients redirects to " + test.told + ": not followed"; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("to %s: the error is %v, want %s", test.location, err, want)
			}
			if page.Requests != len(steps) || server.count() != len(steps) {
				t.Errorf("to %s: %d requests came, %d told, want %d", test.location, server.count(), page.Requests, len(steps))
			}
		}
	}
	if n := thief.count(); n > 0 {
		t.Errorf("%d requests went elsewhere: %q", n, thief.sent())
	}
}

func TestRedirectDropsEncryption(t *testing.T) {
	t.Parallel()
	var asked []string
	client := newClient(t, nil, func(c *paymo.Config) { c.BaseURL = "https://paymo.example" }, over(func(req *http.Request) (*http.Response, error) {
		asked = append(asked, req.URL.String())
		w := httptest.NewRecorder()
		to(302, "http://paymo.example/api/clients")(w, req)
		res := w.Result()
		res.Request = req
		return res, nil
	}))
	_, err := list(t, client)
	var redirect *paymo.RedirectError
	if !errors.As(err, &redirect) || redirect.To != "http://paymo.example" || len(asked) != 1 {
		t.Errorf("asked %q: %v", asked, err)
	}
}

func TestRedirectNamesTheDefaultPort(t *testing.T) {
	t.Parallel()
	client := newClient(t, nil, func(c *paymo.Config) { c.BaseURL = "https://paymo.example" }, over(func(req *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		if req.URL.Port() == "" {
			to(302, "https://PAYMO.example:443/api/clients")(w, req)
		} else {
			ok()(w, req)
		}
		res := w.Result()
		res.Request = req
		return res, nil
	}))
	if page, err := list(t, client); err != nil || page.Rows != 1 || page.Requests != 2 {
		t.Errorf("page %+v: %v", page, err)
	}
}

func TestRedirectToHostNamedAsTheKey(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef"
	_, err := list(t, newClient(t, play(to(302, "https://"+key+".invalid/")), withKey(key)))
	var redirect *paymo.RedirectError
	if !errors.As(err, &redirect) || redirect.To != "https://[key].invalid" {
		t.Errorf("the error is %v", err)
	}
}

func TestRedirectLoops(t *testing.T) {
	t.Parallel()
	server := play(to(302, "/api/clients"))
	page, err := list(t, newClient(t, server))
	var redirect *paymo.RedirectError
	if !errors.As(err, &redirect) || !redirect.Loop || strings.Contains(err.Error(), "the key would go along") {
		t.Errorf("the error is %v", err)
	}
	if server.count() != 4 || page.Requests != 4 {
		t.Errorf("%d requests came, %d told, want 4", server.count(), page.Requests)
	}
}
