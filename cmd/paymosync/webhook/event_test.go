package webhook

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// Every model that Paymo has events of has the three of them, and entries their timers.
func TestEvents(t *testing.T) {
	t.Parallel()
	models := 0
	for _, resource := range catalog.All() {
		if resource.Model == "" {
			continue
		}
		models++
		for _, verb := range []string{"insert", "update", "delete"} {
			if got, ok := parseEvent("model." + verb + "." + resource.Model); !ok || got != (event{verb, resource.Model}) {
				t.Errorf("model.%s.%s: %v %t", verb, resource.Model, got, ok)
			}
		}
		for _, verb := range []string{"start", "stop"} {
			if _, ok := parseEvent("timer." + verb + "." + resource.Model); ok != (resource.Model == "Entry") {
				t.Errorf("timer.%s.%s: %t", verb, resource.Model, ok)
			}
		}
	}
	if models == 0 {
		t.Error("no models")
	}
}

// Which object it is about is read from a number as from a text, and of any body that
// Paymo's reference shows.
func TestIDs(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int64{
		`{"id":7}`:                       7,
		`{"id":"7"}`:                     7,
		` {"name":"x","id" : 7 } `:       7,
		`{"id":9007199254740993}`:        9007199254740993, // is no float
		`{"id":"9223372036854775807"}`:   9223372036854775807,
		`{"id":7,"name":"a","name":"b"}`: 7,
		"{\"id\":7,\"name\":\"\xff\"}":   7,
		`{"id":7,"project":{"id":8},"users":[1,2],"nothing":null}`: 7,
		`{"id":9223372036854775808}`:                               0,
		`{"id":0}`:                                                 0,
		`{"id":-7}`:                                                0,
		`{"id":"-7"}`:                                              0,
		`{"id":7.5}`:                                               0,
		`{"id":"7 "}`:                                              0,
		`{"id":"0x7"}`:                                             0,
		`{"id":""}`:                                                0,
		`{"id":"7; DROP TABLE tasks"}`:                             0,
		`{"id":null}`:                                              0,
		`{"id":true}`:                                              0,
		`{"id":[7]}`:                                               0,
		`{"id":{"id":7}}`:                                          0,
		`{"ID":7}`:                                                 0,
		`{}`:                                                       0,
		`null`:                                                     0,
		`7`:                                                        0,
		``:                                                         0,
		`{"id":7`:                                                  0,
		`{"id":7}{"id":8}`:                                         0,
		`{"id":7,"updated_on":7}`:                                  0,
		`<html>502</html>`:                                         0,
		strings.Repeat(`{"a":`, 20_000) + "7" + strings.Repeat("}", 20_000): 0,
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newReceiving(t, NewSecret(sample))
			if want == 0 {
				r.must(call{event: "model.update.Task", body: body}, http.StatusBadRequest, BadBody)
			} else {
				r.must(call{event: "model.update.Task", body: body}, http.StatusOK, Noted)
			}
			told := r.told()
			if want == 0 && len(told) > 0 || want > 0 && (len(told) != 1 || told[0].ID != want || told[0].Table != "tasks" || string(told[0].Body) != body) {
				t.Errorf("%.80q: noted %+v", body, told)
			}
		})
	}
}

// When it happened is what Paymo says, as long as that can be so.
func TestHappenedAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		resource, _ := catalog.Lookup("time_entries")
		for _, test := range []struct {
			event, updated string
			want           time.Time
		}{
			{"model.update.Entry", now.Add(-time.Hour).Format(time.RFC3339), now.Add(-time.Hour)},
			{"model.insert.Entry", now.Add(-time.Second).Format(time.RFC3339), now.Add(-time.Second)},
			{"timer.start.Entry", now.Add(-time.Second).Format(time.RFC3339), now.Add(-time.Second)},
			{"timer.stop.Entry", now.Add(30 * time.Second).Format(time.RFC3339), now.Add(30 * time.Second)}, // clocks differ
			{"model.update.Entry", now.Add(jobs.ClocksDiffer).Format(time.RFC3339), now},
			{"model.update.Entry", "9999-12-31T23:59:59Z", now},
			{"model.update.Entry", "yesterday", now},
			{"model.update.Entry", "", now},
			{"model.delete.Entry", now.Add(-time.Hour).Format(time.RFC3339), now}, // says when it was changed
		} {
			e, ok := parseEvent(test.event)
			if !ok {
				t.Fatalf("%s is unknown", test.event)
			}
			change, ok := parseChange(resource, e, []byte(`{"id":7,"updated_on":"`+test.updated+`"}`))
			kind := sink.Changed
			if e.verb == "delete" {
				kind = sink.Gone
			}
			if !ok || change.ID != 7 || change.Table != "time_entries" || change.Kind != kind || !change.HappenedAt.Equal(test.want) {
				t.Errorf("%s %s: %+v", test.event, test.updated, change)
			}
		}
	})
}
