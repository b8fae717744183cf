package web_test

import (
	"net/http/httptest"
	"os"
	"slices"
	"testing"

	"github.com/paymosync/paymosync/cmd/paymosync/web/browsertest"
	"github.com/paymosync/paymosync/jobs"
)

var chromium browsertest.Browser

func TestMain(m *testing.M) {
	code := m.Run()
	chromium.Stop()
	os.Exit(code)
}

// Whatever is shown fits a desktop and a phone, can be read in both modes, has names for
// all who cannot see it, and leaves the console silent.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	for name, overview := range map[string]jobs.Overview{
		"empty": empty(), "healthy": healthy(), "degraded": degraded(), "huge": huge(), "hostile": hostile(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(newSite(t, overview).handler)
			t.Cleanup(server.Close)
			tab := chromium.Tab(t)
			tab.Open(server.URL)
			for _, size := range []struct {
				device        string
				width, height int64
			}{{"desktop", 1440, 900}, {"tablet", 820, 1180}, {"small", 320, 568}, {"phone", 390, 844}} {
				tab.Size(size.width, size.height)
				tab.MustFit()
				if size.device == "tablet" || size.device == "small" {
					continue
				}
				for _, scheme := range []string{"light", "dark"} {
					tab.Prefer(scheme)
					if texts := tab.MustHaveContrast(); texts < 200 {
						t.Errorf("%d texts", texts)
					}
					tab.Screenshot("page-" + name + "-" + size.device + "-" + scheme)
				}
			}
			names := tab.MustBeNamed()
			if n := len(names["button"]); n < 35 {
				t.Errorf("%d buttons", n)
			}
			if n := len(names["image"]); n != 35 && name != "empty" {
				t.Errorf("%d charts", n)
			}
			slices.Sort(names["region"])
			if len(slices.Compact(names["region"])) < 3 {
				t.Errorf("the regions are %q", names["region"])
			}
			tab.MustBeQuiet()
		})
	}
}

// What cannot be read, or is not there, is a page as well.
func TestMessagesInBrowser(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newSite(t, healthy()).handler)
	t.Cleanup(server.Close)
	tab := chromium.Tab(t)
	tab.Open(server.URL + "/nothing")
	tab.UntilText("There is nothing here")
	for _, scheme := range []string{"light", "dark"} {
		tab.Prefer(scheme)
		tab.MustHaveContrast()
	}
	tab.Size(320, 568)
	tab.MustFit()
	tab.MustBeNamed()
}
