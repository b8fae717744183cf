package paymo_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// A 404 of Paymo's own is told from one of what stands before it.
func TestAPIErrorTellsWhoSpeaks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		code int
		body string
		json bool
	}{
		{"paymo", http.StatusNotFound, `{"message":"Object not found"}`, true},
		{"more members", http.StatusNotFound, ` {"code":5,"message":"no","errors":[{}]} `, true},
		{"empty message", http.StatusNotFound, `{"message":""}`, true},
		{"denied", http.StatusForbidden, `{"message":"Access denied"}`, true},
		{"nothing", http.StatusNotFound, ``, false},
		{"html", http.StatusNotFound, `<html>{"message":"x"}</html>`, false},
		{"text", http.StatusNotFound, `not found`, false},
		{"quoted text", http.StatusNotFound, `"message"`, false},
		{"another object", http.StatusNotFound, `{"error":"Not found"}`, false},
		{"null message", http.StatusNotFound, `{"message":null}`, false},
		{"message is no text", http.StatusNotFound, `{"message":{"text":"x"}}`, false},
		{"list", http.StatusNotFound, `[{"message":"x"}]`, false},
		{"cut", http.StatusNotFound, `{"message":"Object not fou`, false},
		{"goes on", http.StatusNotFound, `{"message":"x"}<!-- proxy -->`, false},
		{"too long", http.StatusNotFound, `{"message":"` + strings.Repeat("x", 70_000) + `"}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, play(status(test.code, test.body))).Get(t.Context(), resource(t, "clients"), 7)
			api, ok := errors.AsType[*paymo.APIError](err)
			if !ok || api.JSON != test.json || api.Gone() != (test.json && test.code == http.StatusNotFound) {
				t.Errorf("the error is %#v", err)
			}
		})
	}
	fake := newClient(t, paymotest.New(paymotest.Config{Projects: 1, Entries: -1}), withKey(paymotest.DefaultKey))
	_, err := fake.Get(t.Context(), resource(t, "clients"), 987654321)
	if api, ok := errors.AsType[*paymo.APIError](err); !ok || !api.Gone() {
		t.Errorf("the fake's error is %v", err)
	}
}
