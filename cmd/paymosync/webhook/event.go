package webhook

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// event is what a call is about, such as model.update.Task.
type event struct{ verb, model string }

// parseEvent reads the name of an event, and reports whether it is known; of one that is not
// the model is what comes last. Timers that start and stop are changes of their time entry,
// whatever the event is filed under.
func parseEvent(name string) (event, bool) {
	parts := strings.Split(name, ".")
	e := event{model: parts[len(parts)-1]}
	if len(parts) != 3 {
		return e, false
	}
	switch e.verb = parts[1]; e.verb {
	case "insert", "update", "delete":
		return e, known(e.model)
	case "start", "stop":
		return e, e.model == "Entry"
	}
	return e, false
}

// known reports whether Paymo has events of the model.
func known(model string) bool {
	for _, resource := range catalog.All() {
		if model != "" && resource.Model == model {
			return true
		}
	}
	return false
}

// object is what is read of a body. Everything else of it is asked for anew.
type object struct {
	ID      jsontext.Value `json:"id"` // a number or, of deletions, a text
	Updated string         `json:"updated_on"`
}

// parseChange reads which object changed, and when as far as the body tells: at the latest
// now.
func parseChange(resource *catalog.Resource, e event, body []byte) (sink.Change, bool) {
	var o object
	if err := json.Unmarshal(body, &o, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return sink.Change{}, false
	}
	text := string(o.ID)
	if o.ID.Kind() == '"' {
		text = strings.Trim(text, `"`)
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return sink.Change{}, false
	}
	now := time.Now()
	change := sink.Change{Table: resource.Table, ID: id, Kind: sink.Changed, HappenedAt: now}
	if updated, err := time.Parse(time.RFC3339, o.Updated); err == nil && updated.Before(now.Add(jobs.ClocksDiffer)) {
		change.HappenedAt, change.NewestAt = updated, updated
	}
	if e.verb == "delete" {
		change.Kind, change.HappenedAt = sink.Gone, now
	}
	return change, true
}
