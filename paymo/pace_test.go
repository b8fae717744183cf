package paymo_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/paymo"
)

// Where a request may go every some seconds only, a call waits for its turn: two
// requests in a row, as everything takes that begins by asking whose key it is, must
// get done.
func TestSlowPaceIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newPipeClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Ratelimit-Limit", "1")
			w.Header().Set("X-Ratelimit-Remaining", "0")
			w.Header().Set("X-Ratelimit-Decay-Period", "20")
			if r.URL.Path == "/api/me" {
				_, _ = w.Write([]byte(`{"users":[{"id":1,"type":"Admin"}]}`))
				return
			}
			_, _ = w.Write([]byte(`{"company":{"id":2}}`))
		}), func(c *paymo.Config) { c.Budget = &paymo.Pacer{} })
		began := time.Now()
		for range 3 {
			if _, _, err := client.Me(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, _, err := client.CompanyID(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 100*time.Second || took > 110*time.Second {
			t.Errorf("six requests took %s", took)
		}
	})
}
