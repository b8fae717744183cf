package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/sink"
)

// Cause names what keeps a table from being ok, for programs: in the ledger, in metrics
// and in alerts. Its sentence says the same to people.
type Cause string

// The causes. Those of a table that was read, but may not be Paymo's:
const (
	CauseCutShort      Cause = "listing_cut_short"   // Paymo lists no more, and has more
	CauseEmptied       Cause = "listing_empty"       // Paymo lists nothing where there were rows
	CauseIncomplete    Cause = "listing_incomplete"  // the listing lacks rows that are there
	CauseUnstable      Cause = "listing_unstable"    // it was another one when it was read again
	CauseStale         Cause = "stale_versions"      // rows came in older versions than are known
	CauseGuard         Cause = "guard_stopped"       // too many rows are gone without an explanation
	CauseUndecided     Cause = "deletions_undecided" // rows are not listed, and Paymo does not say that they are gone
	CauseHidden        Cause = "deletions_hidden"    // a lesser key cannot tell what is gone
	CauseLate          Cause = "late_rows"           // incrementals should have brought them
	CauseStuck         Cause = "stuck_cursor"        // Paymo's clock stands still
	CauseBlank         Cause = "blank_prices"        // Paymo hides them
	CauseParentDenied  Cause = "parents_denied"      // rows of some parents are not shown
	CauseParentDoubted Cause = "parents_doubted"     // the table that it is read by may lack rows
	CauseNested        Cause = "nested_lists_empty"  // the lists in its parents may be left empty
	CauseQuarantine    Cause = "quarantine"          // records cannot become rows
	CauseWithdrawn     Cause = "withdrawn"           // Paymo does not serve it any more
)

// The causes of a table that could not be read.
const (
	CauseRole         Cause = "role_weaker"      // the key's user lost rights
	CauseIdentity     Cause = "other_account"    // the key or the address is of another company
	CauseKeyRefused   Cause = "key_refused"      // Paymo answers 401
	CauseDenied       Cause = "request_denied"   // Paymo answers 403 to what it used to answer
	CauseKeyMissing   Cause = "key_missing"      // Vault has none, or not for us
	CauseVault        Cause = "vault_away"       // Vault does not answer
	CauseDatabase     Cause = "database"         // PostgreSQL broke off, or cannot for now
	CauseWriteRefused Cause = "database_refused" // PostgreSQL refuses to read or write the table
	CauseUnreachable  Cause = "paymo_away"       // no reply came
	CauseRedirect     Cause = "redirected"       // the address is not where Paymo is
	CauseRateLimit    Cause = "rate_limited"     // the rate budget is spent
	CauseServer       Cause = "paymo_error"      // Paymo answers 5xx
	CauseRejected     Cause = "request_rejected" // Paymo answers another 4xx
	CauseReply        Cause = "reply_unreadable" // it is not what Paymo is known to send
	CauseParents      Cause = "parents_unread"   // the table that it comes with was not read yet
	CauseOther        Cause = "other"            // anything else: the sentence tells
)

// The causes of a table that is not there to be read.
const (
	CauseUnsynced     Cause = "not_synced_yet"
	CauseNotServed    Cause = "not_served"            // not in the plan, or not permitted
	CauseElsewhere    Cause = sink.CauseElsewhere     // another schema is synced
	CauseParentPaused Cause = "parents_paused"        // the table that it comes with is paused
	CausePaused       Cause = Cause(sink.CausePaused) // by an operator
	CauseLayout       Cause = "other_layout"          // the database is not laid out as this version wants it
	CauseTable        Cause = sink.CauseTableMissing  // a table of the warehouse is gone
	causeWell         Cause = ""                      // nothing is wrong
)

// Doubt is why rows may not be Paymo's: by name, and in words. The zero value is none.
type Doubt struct {
	Cause    Cause  `json:"cause,omitempty"`
	Sentence string `json:"sentence,omitempty"`
}

// UnmarshalJSON reads what an earlier version wrote, too: the sentence alone.
func (d *Doubt) UnmarshalJSON(text []byte) error {
	type plain Doubt
	if len(text) > 0 && text[0] == '"' {
		d.Cause = CauseOther
		return json.Unmarshal(text, &d.Sentence)
	}
	return json.Unmarshal(text, (*plain)(d))
}

// some reports whether there is a doubt.
func (d Doubt) some() bool { return d.Sentence != "" }

// doubtf makes a doubt.
func doubtf(cause Cause, format string, args ...any) Doubt {
	return Doubt{Cause: cause, Sentence: fmt.Sprintf(format, args...)}
}

// CauseOf names what a sync failed by.
func CauseOf(err error) Cause {
	var role *RoleError
	var identity *IdentityError
	var parents *ParentsError
	var key *paymo.KeyError
	var limited *paymo.RateLimitError
	var api *paymo.APIError
	var transport *paymo.TransportError
	var reply *paymo.DecodeError
	var redirect *paymo.RedirectError
	switch {
	case err == nil:
		return causeWell
	case errors.As(err, &role):
		return CauseRole
	case errors.As(err, &identity):
		return CauseIdentity
	case errors.As(err, &parents):
		return CauseParents
	case errors.As(err, &key):
		if temporary(err) {
			return CauseVault
		}
		return CauseKeyMissing
	case errors.As(err, &limited):
		return CauseRateLimit
	case errors.As(err, &api):
		return causeOfStatus(api)
	case errors.As(err, &redirect):
		return CauseRedirect
	case errors.As(err, &transport):
		return CauseUnreachable
	case errors.As(err, &reply):
		return CauseReply
	case sink.MissingColumn(err):
		return CauseLayout
	case sink.Missing(err):
		return CauseTable
	case sink.Temporary(err):
		return CauseDatabase
	case sink.RefusedByDatabase(err):
		return CauseWriteRefused
	}
	return CauseOther
}

// failure is why a sync failed: by name, and in the error's words.
func failure(err error) Doubt { return Doubt{CauseOf(err), err.Error()} }

// orOther is the cause, and CauseOther where none was noted.
func orOther(cause Cause) Cause {
	if cause == causeWell {
		return CauseOther
	}
	return cause
}

func causeOfStatus(api *paymo.APIError) Cause {
	switch {
	case api.Unauthorized():
		return CauseKeyRefused
	case api.Denied():
		return CauseDenied
	case api.Status >= 500:
		return CauseServer
	}
	return CauseRejected
}

// Advice says what to do about a table's state: "" where nothing is to be done.
func Advice(table string, cause Cause) string {
	words := strings.Fields(advice(cause))
	for i, word := range words {
		if strings.Trim(word, ",;:.") == "TABLE" { // and not SYNC_TABLES
			words[i] = strings.Replace(word, "TABLE", table, 1)
		}
	}
	return strings.Join(words, " ")
}

func advice(cause Cause) string {
	switch cause {
	case causeWell:
		return ""
	case CauseCutShort, CauseEmptied, CauseIncomplete, CauseUnstable:
		return "nothing was deleted; run paymosync sync --full TABLE to read it again, and paymosync verify TABLE to see what differs"
	case CauseStale:
		return "run paymosync verify --repair TABLE if it stays after the next full"
	case CauseGuard:
		return "look into Paymo whether the rows were really deleted; if so, run paymosync sync --full --accept-deletes TABLE TABLE"
	case CauseUndecided:
		return "the next full asks again; if it stays, run paymosync verify TABLE"
	case CauseHidden:
		return "use the key of a user whose role is Admin, or set SWEEP_WITHOUT_ADMIN=true if this key sees all that you want"
	case CauseLate:
		return "nothing now: the rows are in, and incrementals read everything until the next full"
	case CauseStuck:
		return "see whether Paymo's answers are served from a cache on the way; the next full reads everything"
	case CauseBlank:
		return "give the key's user its rights back: the prices are kept meanwhile"
	case CauseParentDenied:
		return "let the key's user see them in Paymo; they are read whole when it does"
	case CauseParentDoubted:
		return "mend the table that it is read by first: paymosync status tells of it"
	case CauseNested:
		return "compare a few with Paymo by hand; if they are there, tell the maintainers of paymosync"
	case CauseQuarantine:
		return "run paymosync quarantine list TABLE to see them, and paymosync quarantine replay after an update"
	case CauseWithdrawn:
		return "see that the Paymo plan and the role of the key's user still include it; leave the table out of SYNC_TABLES if not"
	case CauseRole:
		return "make the key's user an Admin again, use another key, or set ACCEPT_ROLE to go on with less"
	case CauseIdentity:
		return "use the key and PAYMO_BASE_URL that belong to this warehouse, or another DATABASE_URL"
	case CauseKeyRefused:
		return "put a valid API key into Vault, where PAYMO_API_KEY points to; it is read again at the next sync"
	case CauseDenied:
		return "see that the key's user is active and may see it in Paymo"
	case CauseKeyMissing:
		return "run paymosync check: it says what Vault answers, and what to do"
	case CauseVault:
		return "see that Vault is up, unsealed and reachable at VAULT_ADDR; syncs go on by themselves"
	case CauseDatabase:
		return "see that PostgreSQL is up, writable and has room; syncs go on by themselves"
	case CauseWriteRefused:
		return "see what others put on the table (triggers, constraints, rights), and that the role of DATABASE_URL owns it"
	case CauseUnreachable:
		return "see that Paymo can be reached from here, with proxy and DNS; syncs go on by themselves"
	case CauseRedirect:
		return "set PAYMO_BASE_URL to where Paymo is"
	case CauseRateLimit:
		return "nothing: it goes on when Paymo lets it; other programs that use the same key share its limit"
	case CauseServer:
		return "wait: Paymo is in trouble; syncs go on by themselves"
	case CauseRejected, CauseReply, CauseOther:
		return "run paymosync sync TABLE to see whether it stays; if so, run paymosync check and tell the maintainers of paymosync what it says"
	case CauseParents:
		return "nothing: it follows when the table that it comes with was read"
	case CauseUnsynced:
		return "run paymosync sync TABLE, or let the service do it"
	case CauseNotServed:
		return "nothing, if your Paymo plan does not include it: leave it out of SYNC_TABLES to hide it; else let the key's user see it"
	case CauseElsewhere:
		return "set WAREHOUSE_SCHEMA to the schema that you want, and sync it; drop the other one if nobody needs it"
	case CauseParentPaused:
		return "run paymosync resume with the name of that table to let both go on"
	case CausePaused:
		return "run paymosync resume TABLE to let its syncs go on"
	case CauseLayout:
		return "run paymosync migrate status, and see that one version of paymosync alone uses the database"
	case CauseTable:
		return "restore it from a backup, or set WAREHOUSE_SCHEMA to a new name, which the next sync fills; and see that nobody drops tables of the warehouse"
	}
	return advice(CauseOther)
}

// Causes are all causes, for references and tests.
func Causes() []Cause {
	return []Cause{
		CauseCutShort, CauseEmptied, CauseIncomplete, CauseUnstable, CauseStale, CauseGuard, CauseUndecided, CauseHidden,
		CauseLate, CauseStuck, CauseBlank, CauseParentDenied, CauseParentDoubted, CauseNested, CauseQuarantine, CauseWithdrawn,
		CauseRole, CauseIdentity, CauseKeyRefused, CauseDenied, CauseKeyMissing, CauseVault, CauseDatabase, CauseWriteRefused, CauseUnreachable,
		CauseRedirect, CauseRateLimit, CauseServer, CauseRejected, CauseReply, CauseParents, CauseOther,
		CauseUnsynced, CauseNotServed, CauseElsewhere, CausePaused, CauseParentPaused, CauseTable, CauseLayout,
	}
}
