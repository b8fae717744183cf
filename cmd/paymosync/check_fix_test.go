package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo"
)

// What to do about Paymo's answers follows from the answer.
func TestFixForPaymo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		scheme string
		want   string
	}{
		"401":             {&paymo.APIError{Status: http.StatusUnauthorized}, "auto", "make a new API key"},
		"401, raw":        {&paymo.APIError{Status: http.StatusUnauthorized}, "raw", "try PAYMO_AUTH_SCHEME=auto first"},
		"401, basic":      {&paymo.APIError{Status: http.StatusUnauthorized}, "basic", "try PAYMO_AUTH_SCHEME=auto first"},
		"403":             {&paymo.APIError{Status: http.StatusForbidden}, "auto", "whose role is Admin"},
		"404":             {&paymo.APIError{Status: http.StatusNotFound}, "auto", "PAYMO_BASE_URL"},
		"418":             {&paymo.APIError{Status: http.StatusTeapot}, "auto", "does not take the request"},
		"429":             {&paymo.APIError{Status: http.StatusTooManyRequests}, "auto", "wait and check again"},
		"rate limit":      {&paymo.RateLimitError{}, "auto", "wait and check again"},
		"500":             {&paymo.APIError{Status: http.StatusInternalServerError}, "auto", "is in trouble"},
		"503":             {&paymo.APIError{Status: http.StatusServiceUnavailable}, "auto", "is in trouble"},
		"a redirect":      {&paymo.RedirectError{}, "auto", "PAYMO_BASE_URL"},
		"not JSON":        {&paymo.DecodeError{}, "auto", "PAYMO_BASE_URL"},
		"out of reach":    {errors.New("connection refused"), "auto", "check that this machine reaches"},
		"no reply at all": {&paymo.TransportError{}, "auto", "check that this machine reaches"},
	} {
		config := Config{}
		config.Paymo.AuthScheme = test.scheme
		got := fixForPaymo(test.err, config)
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
		if _, answered := errors.AsType[*paymo.APIError](test.err); answered && strings.Contains(got, "this machine reaches") {
			t.Errorf("%s was an answer: %s", name, got)
		}
	}
}
