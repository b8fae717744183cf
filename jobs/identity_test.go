package jobs

import (
	"errors"
	"testing"

	"github.com/paymosync/paymosync/sink"
)

func TestCompareIdentity(t *testing.T) {
	t.Parallel()
	identity := func(url string, company int64, role string) sink.Identity {
		return sink.Identity{BaseURL: url, CompanyID: company, Role: role}
	}
	pinned := identity("https://a", 7, "Admin")
	for _, tt := range []struct {
		name   string
		pinned sink.Identity
		found  sink.Identity
		accept string
		what   string // what an IdentityError names; "role" for a RoleError
	}{
		{name: "the same", pinned: pinned, found: pinned},
		{name: "another URL", pinned: pinned, found: identity("https://b", 7, "Admin"), what: "base URL"},
		{name: "another company", pinned: pinned, found: identity("https://a", 8, "Admin"), what: "company"},
		{name: "another company is not accepted with its role", pinned: pinned, found: identity("https://a", 8, "Guest"), accept: "Guest", what: "company"},
		{name: "weaker", pinned: pinned, found: identity("https://a", 7, "Employee"), what: "role"},
		{name: "weaker and hidden", pinned: pinned, found: identity("https://a", 0, "Employee"), what: "role"},
		{name: "weaker, accepted", pinned: pinned, found: identity("https://a", 0, "Employee"), accept: "Employee"},
		{name: "another than was accepted", pinned: pinned, found: identity("https://a", 7, "Guest"), accept: "Employee", what: "role"},
		{name: "hidden", pinned: pinned, found: identity("https://a", 0, "Admin"), what: "company"},
		{name: "hidden from the start", pinned: identity("https://a", 0, "Employee"), found: identity("https://a", 0, "Employee")},
		{name: "shown now", pinned: identity("https://a", 0, "Employee"), found: identity("https://a", 7, "Admin")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := CompareIdentity(tt.pinned, tt.found, tt.accept)
			var identity *IdentityError
			var role *RoleError
			got := ""
			switch {
			case errors.As(err, &identity):
				got = identity.What
			case errors.As(err, &role):
				got = "role"
			}
			if got != tt.what || (err == nil) != (tt.what == "") {
				t.Errorf("%v, want one about %q", err, tt.what)
			}
		})
	}
}
