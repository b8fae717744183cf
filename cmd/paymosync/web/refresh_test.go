package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymosync/paymosync/cmd/paymosync/web"
	"github.com/paymosync/paymosync/cmd/paymosync/web/browsertest"
	"github.com/paymosync/paymosync/jobs"
)

// Who is in the middle of something is not thrown out when the page is read anew: the
// focus, the place and what was unfolded stay. A page that cannot be read anew says so.
func TestPageKeepsItsPlace(t *testing.T) {
	t.Parallel()
	var version atomic.Int64
	var away atomic.Bool
	handler, err := web.New(web.Config{
		Read: func(context.Context) (jobs.Overview, error) {
			if away.Load() {
				return jobs.Overview{}, errors.New("the database is away")
			}
			o := degraded()
			o.At = o.At.Add(time.Duration(version.Load()) * time.Second)
			return o, nil
		},
		Version: "v1.2.3", Refresh: time.Second, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	tab := chromium.Tab(t)
	tab.Open(server.URL + "/?said=queued&table=clients#table-clients")
	tab.UntilText("A sync of clients is queued")
	tab.UntilText("12:00:00 UTC")
	tab.Until("the address says it no more", `location.search === '' && location.hash === '#table-clients'`)
	browsertest.Eval[bool](tab, `(() => {
		document.querySelector('#more-cause-2').open = true;
		document.getElementById('pause-clients').focus();
		window.scrollTo({ top: 1500, behavior: 'instant' });
		return true;
	})()`)
	place := browsertest.Eval[float64](tab, "scrollY")
	version.Store(7)
	tab.UntilText("12:00:07 UTC")
	if at := browsertest.Eval[string](tab, "document.activeElement.id"); at != "pause-clients" {
		t.Errorf("the focus is at %q", at)
	}
	if !browsertest.Eval[bool](tab, `document.querySelector('#more-cause-2').open`) {
		t.Error("what was unfolded is folded")
	}
	if now := browsertest.Eval[float64](tab, "scrollY"); now < place-100 || now > place+100 {
		t.Errorf("the place moved from %v to %v", place, now)
	}
	tab.Until("what was said is gone", `!document.body.innerText.includes('A sync of clients is queued')`)
	tab.MustBeQuiet()

	away.Store(true)
	tab.UntilText("No answer since then; trying again.")
	away.Store(false)
	version.Store(9)
	tab.UntilText("12:00:09 UTC")
	tab.Until("the page is well again", `!document.body.innerText.includes('No answer since then')`)

	// While somebody selects a text, it is left alone.
	browsertest.Eval[bool](tab, `(() => { getSelection().selectAllChildren(document.getElementById('verdict')); return true; })()`)
	version.Store(11)
	tab.Until("some time has passed", `(window.began ??= performance.now()) + 4000 < performance.now()`)
	if text := tab.Text(); !strings.Contains(text, "12:00:09 UTC") {
		t.Error("the page was read anew under a selection")
	}
	browsertest.Eval[bool](tab, `(() => { getSelection().removeAllRanges(); return true; })()`)
	tab.UntilText("12:00:11 UTC")
}
