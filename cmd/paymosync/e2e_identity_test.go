package main

import (
	"net/http/httptest"
	"testing"
)

// account is what the account is pinned to.
func (w *world) account() string {
	w.t.Helper()
	return value[string](w, `SELECT format('%s company %s user %s %s', base_url, company_id, user_id, role) FROM paymosync.accounts`)
}

// A warehouse belongs to one Paymo. Another company's key, another address and a key
// that sees less stop a sync before a row is written, and it says what to do.
func TestProgramIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("sync").mustExit(exitOK)
	elsewhere := httptest.NewServer(w.paymo)
	t.Cleanup(elsewhere.Close)
	w.paymo.AddCompanyKey("other-company-key", "Admin", 2)
	w.paymo.AddKey("employee-key", "Employee")
	w.paymo.Work(50) // so that there would be something to write
	before, pinned := w.written(), w.account()
	for name, test := range map[string]struct {
		world *world
		words []string
	}{
		"company": {w.with("PAYMO_API_KEY", "other-company-key"), []string{"the warehouse belongs to another Paymo: its company is", "no row was written", "or another database"}},
		"address": {w.with("PAYMO_BASE_URL", elsewhere.URL), []string{"its base URL is " + w.url + ", now it is " + elsewhere.URL, "no row was written", "PAYMO_BASE_URL"}},
		"role":    {w.with("PAYMO_API_KEY", "employee-key"), []string{"the key's role is Employee now and was Admin", "no row was written", `ACCEPT_ROLE="Employee"`}},
	} {
		for _, args := range [][]string{{"sync"}, {"sync", "--full"}} {
			test.world.run(args...).mustExit(exitUnwell).mustSay(test.words...)
			if now := w.account(); now != pinned {
				t.Errorf("%s: pinned to %s, was %s", name, now, pinned)
			}
			w.mustBeUntouched(before)
		}
		test.world.run("status").mustExit(exitUnwell).mustSay(test.words[0])
	}

	// The right key goes on as if nothing had been.
	w.run("sync").mustExit(exitOK)
	w.bury()
	w.mustEqual()

	// Accepted, the weaker role goes on; what it does not see stays, with a doubt.
	const live = `SELECT count(*) FROM paymo.time_entries WHERE _deleted_at IS NULL`
	rows := value[int](w, live)
	accepted := w.with("PAYMO_API_KEY", "employee-key", "ACCEPT_ROLE", "Employee")
	accepted.run("sync", "--full").mustExit(exitUnwell).mustSay("The key's role is Employee", "so that none is marked deleted")
	if got := value[string](w, `SELECT role FROM paymosync.accounts`); got != "Employee" {
		t.Errorf("the role is %s", got)
	}
	if now := value[int](w, live); now != rows {
		t.Errorf("%d time entries, before: %d", now, rows)
	}
}

// A key that Paymo refuses is an answer in words, and costs a few requests only.
func TestProgramRefusedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("PAYMO_API_KEY", "nobody-knows-this-key")
	w.run("sync").mustExit(exitUnwell).mustSay("401")
	if n := len(w.paymo.Requests()); n > 4 {
		t.Errorf("%d requests for a key that is refused", n)
	}
	if n := value[int](w, `SELECT count(*) FROM paymosync.accounts`); n != 0 {
		t.Errorf("an account was pinned")
	}
}
