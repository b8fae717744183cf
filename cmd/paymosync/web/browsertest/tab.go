package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	// tabTime is how long one step may take; machines that run tests are slow.
	tabTime = 90 * time.Second
	// tabPoll is how often a page is asked for what is awaited.
	tabPoll = 100 * time.Millisecond
	// tabStops is how many stops of the Tab key a page may have.
	tabStops = 1000
)

// Tab is a tab of a browser, of one test. Its methods fail the test.
type Tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // chromedp keeps its tab in it

	mu         sync.Mutex
	complaints []string
}

// listen notes what the console complains of; violations of the content security policy
// and files that are not there are among it.
func (tab *Tab) listen(event any) {
	var text string
	switch event := event.(type) {
	case *cdplog.EventEntryAdded:
		text = fmt.Sprintf("%s: %s %s", event.Entry.Level, event.Entry.Text, event.Entry.URL)
	case *runtime.EventExceptionThrown:
		text = event.ExceptionDetails.Text
		if event.ExceptionDetails.Exception != nil {
			text += ": " + event.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if event.Type != runtime.ConsoleAPICalledTypeError && event.Type != runtime.ConsoleAPICalledTypeWarning {
			return
		}
		text = string(event.Type)
		for _, argument := range event.Args {
			text += fmt.Sprintf(" %s %s", argument.Value, argument.Description)
		}
	default:
		return
	}
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.complaints = append(tab.complaints, text)
}

// MustBeQuiet fails the test where the console complained of anything.
func (tab *Tab) MustBeQuiet() {
	tab.t.Helper()
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, text := range tab.complaints {
		tab.t.Errorf("the console says %s", text)
	}
}

// call does one step within its time.
func (tab *Tab) call(what string, do func(ctx context.Context) error) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, tabTime)
	defer cancel()
	if err := do(ctx); err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
}

// Open opens an address, and waits for the page.
func (tab *Tab) Open(address string) {
	tab.t.Helper()
	tab.call("open "+address, func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(address)) })
}

// Size makes the page so large; narrow ones are phones.
func (tab *Tab) Size(width, height int64) {
	tab.t.Helper()
	options := []chromedp.EmulateViewportOption{}
	if width < 600 {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateScale(2))
	}
	tab.call("set the size", func(ctx context.Context) error {
		return chromedp.Do(ctx, chromedp.EmulateViewport(width, height, options...))
	})
}

// Prefer sets what the reader prefers: "light" or "dark".
func (tab *Tab) Prefer(scheme string) {
	tab.t.Helper()
	tab.call("prefer "+scheme, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
}

// WithoutScripts has the page's scripts not run, from the next page on.
func (tab *Tab) WithoutScripts() {
	tab.t.Helper()
	tab.call("turn off scripts", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}

// Eval evaluates an expression in the page.
func Eval[T any](tab *Tab, expression string) (value T) {
	tab.t.Helper()
	tab.call("evaluate "+expression, func(ctx context.Context) (err error) {
		value, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression))
		return err
	})
	return value
}

// Text is the text that the page shows.
func (tab *Tab) Text() string {
	tab.t.Helper()
	return Eval[string](tab, "document.body.innerText")
}

// Until waits until an expression is true, on this page or on one that follows.
func (tab *Tab) Until(what, expression string) {
	tab.t.Helper()
	tick := time.NewTicker(tabPoll)
	defer tick.Stop()
	var last error
	for began := time.Now(); time.Since(began) < tabTime; <-tick.C {
		ctx, cancel := context.WithTimeout(tab.ctx, tabTime)
		var holds bool
		holds, last = chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		cancel()
		if last == nil && holds {
			return
		}
	}
	tab.t.Fatalf("%s: not within %v (%v); the page says:\n%s", what, tabTime, last, tab.Text())
}

// UntilText waits until the page shows a text.
func (tab *Tab) UntilText(text string) {
	tab.t.Helper()
	tab.Until(fmt.Sprintf("the page shows %q", text), fmt.Sprintf("document.body && document.body.innerText.includes(%q)", text))
}

// Press presses a key: "Tab" or "Enter".
func (tab *Tab) Press(key string) {
	tab.t.Helper()
	keys := map[string]string{"Tab": kb.Tab, "Enter": kb.Enter}
	tab.call("press "+key, func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.KeyEvent(keys[key])) })
}

// focused is the name of what has the focus, and whether that is to be seen.
const focused = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return { name: '' };
	const style = getComputedStyle(e);
	return {
		name: (e.getAttribute('aria-label') || e.textContent).trim(),
		seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && e.getBoundingClientRect().width > 0,
	};
})()`

// TabTo presses Tab until what has this name has the focus. All that is passed must be
// seen to have it.
func (tab *Tab) TabTo(name string) {
	tab.t.Helper()
	var passed []string
	for range tabStops {
		tab.Press("Tab")
		at := Eval[struct {
			Name string `json:"name"`
			Seen bool   `json:"seen"`
		}](tab, focused)
		if at.Name != "" && !at.Seen {
			tab.t.Errorf("%q has the focus, and that is not to be seen", at.Name)
		}
		if at.Name == name {
			return
		}
		passed = append(passed, at.Name)
	}
	tab.t.Fatalf("no Tab leads to %q; it led to %q", name, passed)
}

// Screenshot writes what is seen of the page into the directory that PAYMOSYNC_SCREENSHOTS
// names, if it does.
func (tab *Tab) Screenshot(name string) {
	tab.t.Helper()
	dir := os.Getenv("PAYMOSYNC_SCREENSHOTS")
	if dir == "" {
		return
	}
	tab.call("take a screenshot", func(ctx context.Context) error {
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o750); err != nil { //nolint:gosec // who runs the tests names it
			return err
		}
		return os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600) //nolint:gosec // the same
	})
}
