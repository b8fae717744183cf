package main

import (
	"fmt"
	"net/http/httptest"
	"testing"
)

// River UI works in a browser under the policy that it is served with: its pages show
// what they should, and the console has nothing to complain of.
func TestRiverUIInBrowser(t *testing.T) {
	t.Parallel()
	client, job := riverWithJob(t)
	late := &lateHandler{}
	s := newSite(t, true, "", httpConfig{River: late})
	showRiver(t, s, late, client)
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)

	tab := chromium.Tab(t)
	for _, page := range []struct{ path, text string }{
		{"/river/", "No jobs found"},
		{"/river/jobs?state=available", "projects"},
		{fmt.Sprintf("/river/jobs/%d", job.ID), "schedule"},
		{"/river/queues", "Queues"},
		{"/river/settings", "Settings"},
	} {
		tab.Open(server.URL + page.path)
		tab.UntilText(page.text)
	}
	tab.MustBeQuiet()
}
