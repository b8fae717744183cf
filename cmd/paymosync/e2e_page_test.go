package main

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/cmd/paymosync/web/browsertest"
	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// chromium is the browser of all tests that look at pages.
var chromium browsertest.Browser

// seldom is a schedule that a test does not live to see, so that what runs is what was
// asked for; what is due at the start runs all the same.
const seldom = "@every 6h"

// address is where the service's pages are.
func (w *world) address() string {
	w.t.Helper()
	_, port, err := net.SplitHostPort(w.variables["HTTP_ADDR"])
	if err != nil {
		w.t.Fatal(err)
	}
	return "http://127.0.0.1:" + port
}

// judgePage judges the page that a tab shows, on a desktop and on a phone, in both modes, and
// keeps pictures of it.
func judgePage(t *testing.T, tab *browsertest.Tab, name string) {
	t.Helper()
	for _, size := range []struct {
		device        string
		width, height int64
	}{{"phone", 390, 844}, {"desktop", 1440, 900}} {
		tab.Size(size.width, size.height)
		tab.MustFit()
		for _, scheme := range []string{"dark", "light"} {
			tab.Prefer(scheme)
			if texts := tab.MustHaveContrast(); texts < 200 {
				t.Errorf("the page shows %d texts", texts)
			}
			tab.Screenshot(strings.Join([]string{"status", name, size.device, scheme}, "-"))
		}
	}
	names := tab.MustBeNamed()
	for _, resource := range catalog.All() {
		if !slices.ContainsFunc(names["button"], func(name string) bool { return strings.HasSuffix(name, " "+resource.Table) }) {
			t.Errorf("no button names %s: %q", resource.Table, names["button"])
		}
		if name != "empty" && !slices.ContainsFunc(names["image"], func(label string) bool { return strings.Contains(label, " "+resource.Table+", ") }) {
			t.Errorf("no chart names %s: %q", resource.Table, names["image"])
		}
	}
}

// A service that has not synced anything yet has a page that says so.
func TestProgramPageEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_SCHEDULE", seldom, "FULL_SYNC_SCHEDULE", seldom)
	slow(w, 10*time.Minute)
	service := w.start("serve")
	w.awaitReady(time.Minute)
	tab := chromium.Tab(t)
	tab.Open(w.address())
	tab.UntilText("Nothing has been synced yet")
	tab.UntilText("not known yet")
	judgePage(t, tab, "empty")
	tab.MustBeQuiet()
	service.mustStop()
}

// What is broken is seen as broken, with what to do about it; the buttons do what they
// say. All of it by keyboard.
func TestProgramPage(t *testing.T) {
	t.Parallel()
	company := agency()
	company.Rate, company.Period = 500, 10*time.Second
	w := newWorld(t, company).with("SYNC_SCHEDULE", seldom, "FULL_SYNC_SCHEDULE", seldom)
	for range 4 { // charts of more than one run
		w.run("sync").mustExit(exitOK)
		w.paymo.Work(60)
	}
	service := w.start("serve")
	w.awaitReady(time.Minute)
	within(t, 3*time.Minute, "what is due at the start is done", func() error {
		if n := value[int](w, `SELECT count(*) FROM river.river_job WHERE kind = 'sync' AND finalized_at IS NULL`); n > 0 || value[int](w, `SELECT count(*) FROM river.river_job WHERE kind = 'sync'`) == 0 {
			return fmt.Errorf("%d jobs are not", n)
		}
		return nil
	})

	tab := chromium.Tab(t)
	tab.Open(w.address())
	for _, text := range []string{"All 35 tables are as Paymo has them", "Account default", "Admin", "the key sees the whole account", w.url, testRelease, "of 400", "no sync is waiting"} {
		tab.UntilText(text)
	}
	judgePage(t, tab, "healthy")

	// A sync of a table that Paymo does not serve.
	addFault(w, "500:projects")
	ask := func(button, says string) {
		t.Helper()
		tab.Press("Tab") // the page's first stop, after it was loaded
		tab.TabTo(button)
		tab.Press("Enter")
		tab.UntilText(says)
	}
	tab.Open(w.address())
	tab.Press("Tab")
	if at := browsertest.Eval[string](tab, `document.activeElement.textContent`); at != "Skip to the tables" {
		t.Errorf("the first Tab leads to %q", at)
	}
	tab.Press("Enter")
	tab.Until("the tables are skipped to", `location.hash === '#tables'`)
	tab.TabTo("Sync projects")
	tab.Press("Enter")
	tab.UntilText("A sync of projects is queued; it starts in a moment.")
	within(t, 2*time.Minute, "the run is in the ledger", func() error {
		if len(w.ledger(`r.table_name = 'projects' AND r.reason = $1 AND r.state = 'failing'`, jobs.ReasonManual)) == 0 {
			return fmt.Errorf("it is not: %v", w.ledger(`r.table_name = 'projects'`))
		}
		return nil
	})
	// The page finds out by itself.
	tab.UntilText("1 table of 35 cannot be read")
	tab.UntilText("What needs attention")
	tab.UntilText("Wait: Paymo is in trouble; syncs go on by themselves.")
	if shown := browsertest.Eval[string](tab, `document.querySelector('#table-projects').innerText`); !strings.Contains(shown, "failing") || !strings.Contains(shown, "500") {
		t.Errorf("the table's row says %s", shown)
	}

	// The same sync is asked for once, as it waits to be tried again.
	ask("Sync projects", "A sync of projects was queued already; it runs as soon as it can.")
	w.paymo.ClearFaults()
	const full = `r.table_name = 'projects' AND r.mode = 'full' AND r.reason = $1 AND r.state = 'ok'`
	before := len(w.ledger(full, jobs.ReasonManual))
	ask("Full sync projects", "A full sync of projects is queued; it starts in a moment.")
	within(t, 2*time.Minute, "the full sync is done", func() error {
		if got := len(w.ledger(full, jobs.ReasonManual)); got != before+1 {
			return fmt.Errorf("there are %d full syncs, and were %d", got, before)
		}
		return nil
	})
	tab.UntilText("All 35 tables are as Paymo has them")

	ask("Pause clients", "clients is paused: it is not synced until you resume it.")
	tab.UntilText("Not synced at present")
	if state := value[string](w, `SELECT state FROM paymo._sync_status WHERE "table" = 'clients'`); state != "paused" {
		t.Errorf("clients is %s in the warehouse", state)
	}
	ask("Resume clients", "clients is resumed; it is synced at its next run.")
	tab.UntilText("All 35 tables are as Paymo has them")
	tab.MustBeQuiet()

	// Several troubles at once; Paymo used to serve the reports.
	addFault(w, "500:projects")
	addFault(w, "no-id:expenses")
	addFault(w, "403:reports")
	for _, table := range []string{"projects", "expenses", "reports"} {
		ask("Full sync "+table, "A full sync of "+table)
	}
	ask("Pause milestones", "milestones is paused")
	tab.Until("the page shows all of them", `(() => {
		const text = document.body.innerText;
		return ['1 table of 35 cannot be read', '2 more tables may not be as Paymo has them', '1 table paused'].every((t) => text.includes(t));
	})()`)
	tab.Open(w.address())
	for _, text := range []string{"paymosync quarantine list expenses", "records in quarantine", "403", "See that the Paymo plan and the role of the key's user still include it"} {
		tab.UntilText(text)
	}
	judgePage(t, tab, "degraded")
	tab.MustBeQuiet()
	service.mustStop()
}

// Without scripts the page does the same: it has the buttons, and reads itself anew.
func TestProgramPageWithoutScripts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_SCHEDULE", seldom, "FULL_SYNC_SCHEDULE", seldom, "SYNC_TABLES", "clients,projects,users")
	service := w.start("serve")
	w.awaitReady(time.Minute)
	tab := chromium.Tab(t)
	tab.WithoutScripts()
	tab.Open(w.address())
	tab.TabTo("Pause projects")
	tab.Press("Enter")
	tab.UntilText("projects is paused: it is not synced until you resume it.")
	tab.Until("the page was read anew", `location.search === '' && !document.body.innerText.includes('until you resume it')`)
	tab.UntilText("Not synced at present")
	tab.MustBeQuiet()
	service.mustStop()
}

// Other sites can press no button, and what is no button does nothing.
func TestProgramPageRefusesOtherSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_SCHEDULE", seldom, "FULL_SYNC_SCHEDULE", seldom, "SYNC_TABLES", "clients")
	service := w.start("serve")
	w.awaitReady(time.Minute)
	for _, test := range []struct {
		name, method, path string
		change             func(*http.Request)
		status             int
	}{
		{"another site", http.MethodPost, "/tables/clients/pause", func(r *http.Request) { r.Header.Set("Origin", "https://elsewhere.example") }, http.StatusForbidden},
		{"another site's frame", http.MethodPost, "/tables/clients/pause", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		{"a link", http.MethodGet, "/tables/clients/pause", nil, http.StatusMethodNotAllowed},
		{"a table that is not synced", http.MethodPost, "/tables/projects/pause", nil, http.StatusNotFound},
	} {
		if status, body := w.get(test.method, test.path, test.change); status != test.status {
			t.Errorf("%s: %d, want %d: %s", test.name, status, test.status, body)
		}
	}
	if n := value[int](w, `SELECT count(*) FROM paymosync.checkpoints WHERE paused_at IS NOT NULL`); n != 0 {
		t.Errorf("%d tables were paused", n)
	}
	service.mustStop()
}

// A database that goes away is said on the page, which comes back with it.
func TestProgramPageWithoutDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_SCHEDULE", seldom, "FULL_SYNC_SCHEDULE", seldom, "SYNC_TABLES", "clients")
	g := newGate(w)
	g.open()
	service := w.start("serve")
	w.awaitReady(time.Minute)
	within(t, time.Minute, "the page is there", func() error {
		if status, body := w.get(http.MethodGet, "/", nil); status != http.StatusOK {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	g.close()
	within(t, time.Minute, "the page says that the database is away", func() error {
		status, body := w.get(http.MethodGet, "/", nil)
		if status != http.StatusServiceUnavailable || !strings.Contains(body, "The database cannot be read") || !strings.Contains(body, "refused") {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	g.open()
	within(t, time.Minute, "the page is back", func() error {
		if status, body := w.get(http.MethodGet, "/", nil); status != http.StatusOK {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	service.mustStop()
}
