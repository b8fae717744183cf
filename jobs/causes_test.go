package jobs_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/paymosync/paymosync/jobs"
)

// Every cause has an advice, which names the table and nothing else in its place.
func TestAdvice(t *testing.T) {
	t.Parallel()
	variable := regexp.MustCompile(`[A-Z]+(_[A-Z]+)+`)
	for _, cause := range jobs.Causes() {
		unnamed, named := jobs.Advice("TABLE", cause), jobs.Advice("tasks", cause)
		if unnamed == "" {
			t.Errorf("%s has no advice", cause)
		}
		if regexp.MustCompile(`\bTABLE\b`).ReplaceAllString(unnamed, "tasks") != named {
			t.Errorf("%s: %q became %q", cause, unnamed, named)
		}
		if a, b := variable.FindAllString(unnamed, -1), variable.FindAllString(named, -1); !slices.Equal(a, b) {
			t.Errorf("%s: the variables %q became %q", cause, a, b)
		}
	}
	if advice := jobs.Advice("tasks", ""); advice != "" {
		t.Errorf("of a table that is ok: %q", advice)
	}
}
