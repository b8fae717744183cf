// Package browsertest looks at pages in a headless Chromium, for tests: what they show,
// what their console says, what their accessibility tree holds, and whether their texts
// can be read.
package browsertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Browser is one Chromium for all tests of a package: it starts with the first tab. The
// zero value is ready. It is safe for concurrent use.
type Browser struct {
	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // chromedp keeps its browser in it
	stop    func()
	failure error
}

// errNone means that there is no Chromium on this machine.
var errNone = errors.New("there is no chromium on the PATH")

// Tab opens a tab, with cookies and storage of its own, that is closed with the test.
// Where there is no Chromium the test is skipped, and fails in CI.
func (b *Browser) Tab(t *testing.T) *Tab {
	t.Helper()
	err := b.start()
	if errors.Is(err, errNone) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	tab := &Tab{t: t}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.listen))
	tab.ctx = ctx
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // opens it
		t.Fatalf("open a tab: %v", err)
	}
	// Tabs of other tests have the focus too.
	tab.call("emulate the focus", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	})
	tab.Size(1440, 900)
	return tab
}

func (b *Browser) start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx != nil || b.failure != nil {
		return b.failure
	}
	path, err := find()
	if err != nil {
		b.failure = err
		return err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.ExecPath(path))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		stop()
		b.failure = err
		return err
	}
	b.ctx, b.stop = ctx, func() { cancel(); stop() }
	return nil
}

// Stop ends the Chromium, if there is one. It is for the end of all tests.
func (b *Browser) Stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stop != nil {
		b.stop()
	}
	b.ctx, b.stop = nil, nil
}

func find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNone
}
