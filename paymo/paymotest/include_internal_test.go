package paymotest

import (
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Every include key of the catalogue leads somewhere.
func TestEveryIncludeResolves(t *testing.T) {
	t.Parallel()
	for _, res := range catalog.All() {
		for _, key := range res.Includes {
			rel, ok := relationOf(res, key)
			if !ok {
				t.Errorf("%s: include %s leads nowhere", res.Table, key)
				continue
			}
			t.Logf("%s.%s: %s by %s (many %v, list %v, over %s)", res.Table, key, rel.res.Table, rel.link, rel.many, rel.list, rel.hop)
		}
		if e := res.Embedded; e.Parent != "" {
			parent, _ := catalog.Lookup(e.Parent)
			if s, err := parseInclude(parent, e.Include); err != nil || len(s.subs) != 1 {
				t.Errorf("%s: embedded in %s as %s: %v", res.Table, e.Parent, e.Include, err)
			}
		}
	}
}
