package main

import (
	"net/http"
	"testing"
)

// Who sees the pages, by where they are served, the password, and how they are asked for.
func TestHTTPDoor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		loopback bool
		password string
		host     string
		guess    string // "" for none
		status   int
		says     string
	}{
		"elsewhere, none set":             {false, "", "paymosync.example", "", http.StatusForbidden, "set HTTP_PASSWORD"},
		"elsewhere, none set, by name":    {false, "", "localhost", "", http.StatusForbidden, "set HTTP_PASSWORD"},
		"elsewhere, none set, one given":  {false, "", "paymosync.example", "x", http.StatusForbidden, "set HTTP_PASSWORD"},
		"elsewhere, none given":           {false, "secret", "paymosync.example", "", http.StatusUnauthorized, "asks for the password"},
		"elsewhere, wrong":                {false, "secret", "paymosync.example", "secret2", http.StatusUnauthorized, "not the password"},
		"elsewhere, right":                {false, "secret", "paymosync.example", "secret", http.StatusOK, "shown"},
		"loopback":                        {true, "", "localhost:8080", "", http.StatusOK, "shown"},
		"loopback, capitals":              {true, "", "LocalHost", "", http.StatusOK, "shown"},
		"loopback, IPv4":                  {true, "", "127.0.0.1:9000", "", http.StatusOK, "shown"},
		"loopback, IPv6":                  {true, "", "[::1]:8080", "", http.StatusOK, "shown"},
		"loopback, IPv6 without port":     {true, "", "[::1]", "", http.StatusOK, "shown"},
		"loopback, its own name":          {true, "", "box.internal:8080", "", http.StatusOK, "shown"},
		"loopback, rebound":               {true, "", "evil.example:8080", "", http.StatusForbidden, "localhost"},
		"loopback, rebound, like it":      {true, "", "localhost.evil.example", "", http.StatusForbidden, "localhost"},
		"loopback, another address":       {true, "", "192.0.2.1:8080", "", http.StatusForbidden, "localhost"},
		"loopback, no host":               {true, "", "", "", http.StatusForbidden, "localhost"},
		"loopback, password not given":    {true, "secret", "localhost", "", http.StatusUnauthorized, "asks for the password"},
		"loopback, password":              {true, "secret", "localhost", "secret", http.StatusOK, "shown"},
		"loopback, password, through one": {true, "secret", "paymosync.example", "secret", http.StatusOK, "shown"},
		"umlauts":                         {false, "größer: ß", "x", "größer: ß", http.StatusOK, "shown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, test.loopback, test.password, httpConfig{Address: "box.internal:8080", Page: shownPage(), River: shownPage(), Metrics: shownPage()})
			ask := func(r *http.Request) {
				r.Host = test.host
				if test.guess != "" {
					r.SetBasicAuth("", test.guess)
				}
			}
			for _, path := range []string{"/", "/anything", "/river/", "/river/api/jobs"} {
				s.mustAnswer(test.status, "GET", path, ask, test.says)
			}
			for _, path := range []string{"/livez", "/metrics"} {
				s.mustAnswer(http.StatusOK, "GET", path, ask)
			}
		})
	}
}
