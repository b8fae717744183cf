package paymo_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// What Paymo tells of an object becomes the same row as what it serves of it.
func TestToldIsServed(t *testing.T) {
	t.Parallel()
	fake := paymotest.New(paymotest.Config{Entries: 50})
	client := hookClient(t, fake)
	bodies := make(chan []byte, 100)
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- body
	}))
	t.Cleanup(target.Close)
	if _, _, err := client.MakeHook(t.Context(), target.URL, "model.update.*", "shh"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fake.Call(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	for _, resource := range catalog.All() {
		if resource.Model == "" {
			continue
		}
		var object struct {
			ID int64 `json:"id"`
		}
		for raw := range fake.Rows(resource.Table) {
			if err := json.Unmarshal(raw, &object); err != nil {
				t.Fatal(err)
			}
			break
		}
		if err := fake.Patch(resource.Table, object.ID, map[string]any{}); err != nil {
			t.Fatal(err)
		}
		told, err := client.Told(resource, <-bodies)
		if err != nil || len(told.Records) != 1 {
			t.Fatal(resource.Table, told, err)
		}
		served, err := client.Get(t.Context(), resource, object.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(told.Records, served.Records) || !reflect.DeepEqual(told.Unknown, served.Unknown) {
			t.Errorf("%s: told\n%v\nserved\n%v", resource.Table, told.Records, served.Records)
		}
	}
	for _, bad := range []string{``, `null`, `[]`, `{"id":`, `7`} {
		if page, err := client.Told(catalog.All()[0], []byte(bad)); err == nil && len(page.Records) > 0 {
			t.Errorf("%q is taken: %v", bad, page.Records)
		}
	}
}
