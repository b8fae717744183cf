package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// riverWithJob is a queue with one job, which nobody works.
func riverWithJob(t *testing.T) (*river.Client[pgx.Tx], *rivertype.JobRow) {
	t.Helper()
	client, err := river.NewClient(riverpgxv5.New(sinktest.Database(t)), &river.Config{Schema: jobs.QueueSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	inserted, err := client.Insert(t.Context(), jobs.SyncArgs{Account: "default", Table: "projects", Mode: jobs.Full, Reason: jobs.ReasonSchedule}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client, inserted.Job
}

// showRiver has River UI served for as long as the test lasts.
func showRiver(t *testing.T, s *site, late *lateHandler, client *river.Client[pgx.Tx]) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	ui, err := startRiverUI(ctx, client, newSiteLog(s))
	if err != nil {
		t.Fatal(err)
	}
	late.set(ui)
}

// The queue's page is served once there is a queue, with a policy of its own; its API
// lists the jobs, and cancels them for whoever knows the password.
func TestRiverUI(t *testing.T) {
	t.Parallel()
	late := &lateHandler{}
	s := newSite(t, false, "secret", httpConfig{River: late})
	s.mustAnswer(http.StatusServiceUnavailable, "GET", "/river/", knowing("secret"), "not ready")

	client, job := riverWithJob(t)
	showRiver(t, s, late, client)

	html := func(r *http.Request) {
		r.SetBasicAuth("", "secret")
		r.Header.Set("Accept", "text/html")
	}
	page := s.mustAnswer(http.StatusOK, "GET", "/river/", html, `<div id="root"`, `src="/river/assets/`)
	policy := page.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "frame-ancestors 'none'") || page.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("its headers are %v", page.Header())
	}
	s.mustAnswer(http.StatusOK, "GET", "/river/jobs/1", html, `<div id="root"`) // what its own links lead to
	_, script, _ := strings.Cut(page.Body.String(), `src="`)
	script, _, _ = strings.Cut(script, `"`)
	if kind := s.mustAnswer(http.StatusOK, "GET", script, knowing("secret")).Header().Get("Content-Type"); !strings.Contains(kind, "javascript") {
		t.Errorf("%s is %q", script, kind)
	}
	list := func(state string) string {
		return s.mustAnswer(http.StatusOK, "GET", "/river/api/jobs?state="+state, knowing("secret")).Body.String()
	}
	var listed struct {
		Data []struct {
			Kind string `json:"kind"`
			Args string `json:"args"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(list("available")), &listed); err != nil || len(listed.Data) != 1 || listed.Data[0].Kind != job.Kind || !strings.Contains(listed.Data[0].Args, "projects") {
		t.Errorf("its API lists %+v, %v", listed, err)
	}
	s.mustAnswer(http.StatusUnauthorized, "GET", "/river/api/jobs", nil)

	cancel := func(change func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) {
			change(r)
			r.Header.Set("Content-Type", "application/json")
			r.Body = body(fmt.Sprintf(`{"ids":["%d"]}`, job.ID))
		}
	}
	s.mustAnswer(http.StatusUnauthorized, "POST", "/river/api/jobs/cancel", cancel(knowing("guess")))
	s.mustAnswer(http.StatusForbidden, "POST", "/river/api/jobs/cancel", cancel(func(r *http.Request) {
		r.SetBasicAuth("", "secret")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}))
	if strings.Contains(list("cancelled"), "projects") {
		t.Fatal("it was cancelled by whoever may not")
	}
	s.mustAnswer(http.StatusOK, "POST", "/river/api/jobs/cancel", cancel(knowing("secret")))
	if !strings.Contains(list("cancelled"), "projects") {
		t.Error("it was not cancelled")
	}
	late.set(nil)
	s.mustAnswer(http.StatusServiceUnavailable, "GET", "/river/", knowing("secret"))
}
