package main

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
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

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	browser, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var complaints []string
	err := chromedp.Listen(tab, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch event := event.(type) {
		case *cdplog.EventEntryAdded:
			complaints = append(complaints, fmt.Sprintf("%s: %s %s", event.Entry.Level, event.Entry.Text, event.Entry.URL))
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, event.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeWarning {
				for _, argument := range event.Args {
					complaints = append(complaints, fmt.Sprintf("%s: %s %s", event.Type, argument.Value, argument.Description))
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []struct{ path, text string }{
		{"/", "No jobs found"},
		{"/river/jobs?state=available", "projects"},
		{fmt.Sprintf("/river/jobs/%d", job.ID), "schedule"},
		{"/river/queues", "Queues"},
		{"/river/settings", "Settings"},
	} {
		err := chromedp.Do(tab, chromedp.Navigate(server.URL+page.path))
		if err == nil {
			_, err = chromedp.Run(tab, chromedp.Poll[bool](fmt.Sprintf("document.body.innerText.includes(%q)", page.text), chromedp.WithPollingTimeout(time.Minute)))
		}
		if err != nil {
			text, textErr := chromedp.Run(tab, chromedp.Evaluate[string]("document.body.innerText"))
			t.Errorf("%s does not show %q: %v\n%s", page.path, page.text, errors.Join(err, textErr), text)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, text := range complaints {
		t.Errorf("the console says %s", text)
	}
}
