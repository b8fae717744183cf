package jobs_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// cutting answers the lists at a path with no more than so many rows.
func cutting(path, key string, most int) handler {
	return func(fake http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			fake.ServeHTTP(w, r)
			return
		}
		recorder := httptest.NewRecorder()
		fake.ServeHTTP(recorder, r)
		body := recorder.Body.Bytes()
		var reply map[string][]json.RawMessage
		if recorder.Code == http.StatusOK && json.Unmarshal(body, &reply) == nil && len(reply[key]) > most {
			reply[key] = reply[key][:most]
			body, _ = json.Marshal(reply)
		}
		maps.Copy(w.Header(), recorder.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(body)
	}
}

// A limit of one table's lists is found whatever is known of another's, at first and
// when the server begins with it later.
func TestLimitOfOneTable(t *testing.T) {
	t.Parallel()
	for _, order := range []paymotest.Order{paymotest.Ascending, paymotest.Descending, paymotest.Shuffled} {
		for _, late := range []bool{false, true} {
			name := string(order)
			if late {
				name += ", late"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				company := paymotest.Config{Seed: 7, Entries: 10, Tasks: 2300, Order: order}
				limited := !late
				cut := cutting("/api/tasks", "tasks", 1000)
				w := wrapped(t, company, func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
					if limited {
						cut(fake, rw, r)
					} else {
						fake.ServeHTTP(rw, r)
					}
				})
				w.mustSync("subtasks", jobs.Full)
				exec(w, `UPDATE paymosync.checkpoints SET longest_reply = 2300`)
				w.mustSync("tasks", jobs.Full)
				w.mustEqual("tasks")
				if late {
					limited = true
					w.mustSync("tasks", jobs.Full) // each full asks again
					w.mustEqual("tasks")
				}
				changed := 0
				for object := range w.fake.Rows("tasks") {
					id, err := decode(t, object)["id"].(json.Number).Int64()
					if err != nil {
						t.Fatal(err)
					}
					w.patch("tasks", id, map[string]any{"name": "changed"})
					if changed++; changed == 1500 {
						break
					}
				}
				outcome := w.mustSync("tasks", jobs.Incremental)
				if outcome.Updated != 1500 {
					t.Errorf("%d rows updated", outcome.Updated)
				}
				w.mustEqual("tasks")
				if got := query[int](w, `SELECT page_cap FROM paymosync.checkpoints WHERE table_name = 'tasks'`); got != 1000 {
					t.Errorf("the limit is taken for %d", got)
				}
				w.mustSync("tasks", jobs.Full)
				w.mustEqual("tasks")
			})
		}
	}
}
