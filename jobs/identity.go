package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/sink"
)

// How long the answer to "whose key is it" holds, so that the tables of one tick ask
// once. What was read since a good answer is read again where the next one is a lesser
// role, and no row is blanked or marked deleted on an old one: it may hold for long. A
// bad answer is to end soon after its cause has, and a question that failed is asked
// again sooner still.
const (
	identityLife = 5 * time.Minute
	refusedLife  = time.Minute
	failureLife  = 5 * time.Second
)

// AdminRole is the role that sees the whole account.
const AdminRole = "Admin"

// errKeyReplaced means that a reply was brought by a key that is not in use any more,
// and that nobody asked about while it was.
var errKeyReplaced = errors.New("the key was replaced between two requests: what the old one brought is not used")

// IdentityError means that the key, or the address, is not of the company that the
// warehouse is pinned to. No row was written.
type IdentityError struct {
	What   string // what differs
	Pinned string
	Found  string
	Advice string
}

func (e *IdentityError) Error() string {
	return fmt.Sprintf("the warehouse belongs to another Paymo: its %s is %s, now it is %s; no row was written: %s", e.What, e.Pinned, e.Found, e.Advice)
}

// RoleError means that the key's user may see less than before. No row was written:
// missing rows and blanked prices would look like changes.
type RoleError struct{ Pinned, Found string }

func (e *RoleError) Error() string {
	return fmt.Sprintf("the key's role is %s now and was %s: it may see fewer rows and blank prices; no row was written: "+
		"give the user its role back, use another key, or set ACCEPT_ROLE=%q to go on with less", e.Found, e.Pinned, e.Found)
}

// guard knows whose key it is. One question serves all tables for a while, whether
// its answer was good or bad.
type guard struct {
	mu     sync.Mutex
	until  time.Time // the answer holds
	key    int       // number of the key that was asked about
	answer error
	found  string // the key's role, as it was last told

	company      int64     // that the key opens, which stays as it is
	companyUntil time.Time // it need not be asked again
}

// role is the key's role, as it was last told.
func (g *guard) role() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.found
}

// refuses reports whether nothing may be written with the key, as it was last told.
func (g *guard) refuses() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.answer != nil
}

// forget makes the next question go to Paymo.
func (g *guard) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = time.Time{}
}

// identify asks Paymo who the key is, and holds it against what the account is
// pinned to; the first time, it pins it. A key other than the one that was asked
// about is asked about anew; 0 is whichever is held. The cost is what this call
// spent.
func (g *guard) identify(ctx context.Context, s *Syncer, key int) (sink.Cost, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Now().Before(g.until) && (key == 0 || key == g.key) {
		return sink.Cost{}, g.answer
	}
	var cost sink.Cost
	asked, role, err := g.check(ctx, s, &cost)
	if err == nil && key != 0 && asked != key {
		return cost, errKeyReplaced
	}
	g.key, g.answer = asked, err
	if role != "" {
		g.found = role
	}
	switch _, limited := errors.AsType[*paymo.RateLimitError](err); {
	case ctx.Err() != nil, limited: // the caller's affair alone
		g.until = time.Time{}
	case err == nil:
		g.until = time.Now().Add(identityLife)
	case Refused(err):
		g.until = time.Now().Add(refusedLife)
	default:
		g.until = time.Now().Add(failureLife)
	}
	return cost, err
}

// check returns the number of the key that it asked about, and its role.
func (g *guard) check(ctx context.Context, s *Syncer, cost *sink.Cost) (key int, role string, err error) {
	me, page, err := s.Client.Me(ctx)
	addCost(cost, page)
	if err != nil {
		return 0, "", refusedKey("find out whose key it is", err)
	}
	key, role = page.Key, me.Role
	company, err := g.companyOf(ctx, s, key, cost)
	if err != nil {
		return key, role, err
	}
	scheme, _ := s.Client.Scheme()
	found := sink.Identity{BaseURL: s.BaseURL, CompanyID: company, UserID: me.ID, Role: me.Role, Scheme: string(scheme)}
	pinned, ok, err := s.Store.Identity(ctx)
	if err != nil {
		return key, role, err
	}
	if found.Role != AdminRole && (!ok || found.Role != pinned.Role) {
		s.Log.WarnContext(ctx, "the key is not an Admin's: it sees a part of the account, and prices may be blank", "role", found.Role)
	}
	if ok {
		err := CompareIdentity(pinned, found, s.AcceptRole)
		if _, weaker := errors.AsType[*RoleError](err); weaker {
			// What was read since the last answer may lack what a lesser key is not shown.
			err = errors.Join(err, s.Store.Rewind(ctx, pinned.CheckedAt.Add(-overlap)))
		}
		if err != nil {
			return key, role, err
		}
	}
	mine, err := s.Store.PinIdentity(ctx, found)
	if err == nil && !mine {
		err = errors.New("the warehouse was pinned to another Paymo meanwhile; sync again to learn which")
	}
	return key, role, err
}

// companyOf is the company that the key opens, 0 where Paymo does not tell it that.
func (g *guard) companyOf(ctx context.Context, s *Syncer, key int, cost *sink.Cost) (int64, error) {
	if key == g.key && time.Now().Before(g.companyUntil) {
		return g.company, nil
	}
	g.companyUntil = time.Time{} // it was another key's, or of long ago
	company, page, err := s.Client.CompanyID(ctx)
	addCost(cost, page)
	var api *paymo.APIError
	if err != nil && !(errors.As(err, &api) && api.Denied()) {
		return 0, refusedKey("find out which company the key opens", err)
	}
	if company != 0 {
		g.company, g.companyUntil = company, time.Now().Add(identityLife)
	}
	return company, nil
}

// refusedKey says what to do where Paymo denies a key even what every user may see.
func refusedKey(what string, err error) error {
	var api *paymo.APIError
	if errors.As(err, &api) && api.Denied() {
		return fmt.Errorf("%s: %w: Paymo denies this key what every user may see: check that its user is active", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// CompareIdentity says what speaks against syncing with the key that was found.
func CompareIdentity(pinned, found sink.Identity, acceptRole string) error {
	advice := "use the key and PAYMO_BASE_URL that belong to it, or another database"
	switch {
	case pinned.BaseURL != found.BaseURL:
		return &IdentityError{What: "base URL", Pinned: pinned.BaseURL, Found: found.BaseURL, Advice: advice}
	case pinned.CompanyID != 0 && found.CompanyID != 0 && pinned.CompanyID != found.CompanyID:
		return &IdentityError{What: "company", Pinned: fmt.Sprint(pinned.CompanyID), Found: fmt.Sprint(found.CompanyID), Advice: advice}
	case found.Role != pinned.Role && found.Role != AdminRole && found.Role != acceptRole:
		return &RoleError{Pinned: pinned.Role, Found: found.Role}
	case pinned.CompanyID != 0 && found.CompanyID == 0 && found.Role != acceptRole:
		return &IdentityError{What: "company", Pinned: fmt.Sprint(pinned.CompanyID), Found: "hidden from this key",
			Advice: "Paymo denies this key its own company (403): see that the key's user is active and an Admin, or use another key"}
	}
	return nil
}

func addCost(cost *sink.Cost, page *paymo.Page) {
	if page == nil {
		return
	}
	cost.Requests += page.Requests
	cost.Waited += page.Waited
	cost.Bytes += page.Bytes
}
