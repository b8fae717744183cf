package browsertest

import (
	"context"
	_ "embed" // for contrast.js
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// leastContrast is what WCAG 2 asks of texts at level AA.
const leastContrast = 4.5

//go:embed contrast.js
var contrastScript string

// MustHaveContrast fails the test where a text of the page cannot be read well, and says
// how many there are.
func (tab *Tab) MustHaveContrast() (texts int) {
	tab.t.Helper()
	found := Eval[struct {
		Texts int `json:"texts"`
		Faint []struct {
			Text       string  `json:"text"`
			Ratio      float64 `json:"ratio"`
			Color      string  `json:"color"`
			Background string  `json:"background"`
		} `json:"faint"`
	}](tab, fmt.Sprintf(contrastScript, leastContrast))
	for _, text := range found.Faint {
		tab.t.Errorf("the contrast of %q is %.2f: %s on %s", text.Text, text.Ratio, text.Color, text.Background)
	}
	return found.Texts
}

// MustFit fails the test where the page is wider than the window.
func (tab *Tab) MustFit() {
	tab.t.Helper()
	wide := Eval[[]string](tab, `(() => {
		const wide = document.documentElement.scrollWidth, room = document.documentElement.clientWidth;
		if (wide <= room) return [];
		const out = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > room + 1);
		return ['it is ' + wide + ' wide, and has room for ' + room, ...out.slice(0, 5).map((e) => e.outerHTML.slice(0, 200))];
	})()`)
	if len(wide) > 0 {
		tab.t.Errorf("the page is to be scrolled sideways: %s", strings.Join(wide, "\n"))
	}
}

// MustBeNamed fails the test where a control, an image, a table or a region has no name
// in the accessibility tree. It gives the names by role.
func (tab *Tab) MustBeNamed() map[string][]string {
	tab.t.Helper()
	var tree accessibility.GetFullAXTreeResult
	tab.call("read the accessibility tree", func(ctx context.Context) (err error) {
		tree, err = chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		return err
	})
	named := []string{"button", "link", "image", "img", "graphics-document", "table", "region", "heading", "DisclosureTriangle", "columnheader", "rowheader"}
	names := map[string][]string{}
	for _, node := range tree.Nodes {
		role := valueOf(node.Role)
		if node.Ignored || !slices.Contains(named, role) {
			continue
		}
		name := valueOf(node.Name)
		if strings.TrimSpace(name) == "" {
			tab.t.Errorf("a %s has no name", role)
		}
		names[role] = append(names[role], name)
	}
	return names
}

// valueOf is the text of a value of the tree.
func valueOf(v *accessibility.Value) (text string) {
	if v != nil {
		_ = json.Unmarshal([]byte(v.Value), &text) // what is no text has none
	}
	return text
}
