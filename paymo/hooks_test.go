package paymo_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

func hookClient(t *testing.T, handler http.Handler) *paymo.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := paymo.New(paymo.Config{
		BaseURL: server.URL, Key: func(context.Context) (string, error) { return paymotest.DefaultKey, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestHooks(t *testing.T) {
	t.Parallel()
	fake := paymotest.New(paymotest.Config{Entries: -1})
	client := hookClient(t, fake)
	before, page, err := client.Hooks(t.Context())
	if err != nil || page.Requests == 0 {
		t.Fatal(page, err)
	}
	made, _, err := client.MakeHook(t.Context(), "https://warehouse.example/hooks", "*.Task", "shh")
	if err != nil || made.TargetURL != "https://warehouse.example/hooks" || made.Event != "*.Task" || made.LastStatus != 0 {
		t.Fatal(made, err)
	}
	after, _, err := client.Hooks(t.Context())
	if err != nil || len(after) != len(before)+1 || after[len(after)-1] != made {
		t.Fatal(after, err)
	}
	changed, _, err := client.ChangeHook(t.Context(), made.ID, "https://elsewhere.example", "hush")
	if err != nil || changed.ID != made.ID || changed.TargetURL != "https://elsewhere.example" || changed.Event != "*.Task" {
		t.Fatal(changed, err)
	}
	for range 2 { // the second time it is gone already
		if _, err := client.DeleteHook(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = client.ChangeHook(t.Context(), made.ID, "https://elsewhere.example", "hush")
	var api *paymo.APIError
	if !errors.As(err, &api) || !api.NotFound() || api.Method != http.MethodPut {
		t.Error(err)
	}
	if _, _, err = client.MakeHook(t.Context(), "nowhere", "*.Task", "shh"); !errors.As(err, &api) || api.Status != http.StatusBadRequest {
		t.Error(err)
	}
}

// A hook is not asked for twice where it is not known whether it was made, and what Paymo
// says of it never shows its secret.
func TestHooksOfWhichNothingIsKnown(t *testing.T) {
	t.Parallel()
	const secret = "canary-of-a-hook"
	for name, answer := range map[string]http.HandlerFunc{
		"cut off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"bad gateway": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"message": "no use for `+secret+`"}`, http.StatusBadGateway)
		},
		"not JSON": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"hooks":[{"id":1,"secret":"` + secret))
		},
		"another": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"hooks":[{"id":1,"target_url":"https://other.example","event":"*","secret":"` + secret + `"}]}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var posts atomic.Int32
			client := hookClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				posts.Add(1)
				answer(w, r)
			}))
			_, _, err := client.MakeHook(t.Context(), "https://warehouse.example/hooks", "*.Task", secret)
			if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "POST /api/hooks") {
				t.Error(err)
			}
			if n := posts.Load(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}
