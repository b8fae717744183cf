package paymotest

import (
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// DefaultKey is the API key of the first company's Admin when Config names none.
const DefaultKey = "demo-key"

// DefaultRate and DefaultPeriod are the limit that clients observed at Paymo.
const (
	DefaultRate   = 5
	DefaultPeriod = 5 * time.Second
)

// Auth says which Authorization headers are accepted.
type Auth string

// The schemes. Both is the default.
const (
	Both  Auth = "both"
	Basic Auth = "basic" // Basic base64(key:anything)
	Raw   Auth = "raw"   // the bare key
)

// Order is the order of the rows of a list. Paymo promises none.
type Order string

// The orders. Ascending is the default; Shuffled is arbitrary but stable.
const (
	Ascending  Order = "ascending"
	Descending Order = "descending"
	Shuffled   Order = "shuffled"
)

// Config describes a fake account. The zero value is a small agency behind
// DefaultKey, without a rate limit. The same Config gives the same bytes.
type Config struct {
	Seed uint64

	// Sizes; zero takes the default, a negative number means none. What is not
	// listed follows from these.
	Users    int // 12
	Clients  int // 15
	Projects int // 30
	Tasks    int // 300
	Entries  int // 2000
	Invoices int // 2 a project

	// Until is the end of the seeded history, three years long: nothing seeded
	// is newer. Zero is 2026-06-01, or the clock's midnight if that is earlier.
	Until time.Time
	// Now is the clock of writes, limits and the Date header; nil is time.Now.
	// Writes are newer than the seeded rows only if it is past Until.
	Now func() time.Time
	// Changed is told of every row that is made, changed or deleted; nil: nobody is.
	// It must not call the Server.
	Changed func(table string, id int64, gone bool)

	Key      string // the Admin's key; "" is DefaultKey
	Auth     Auth   // "" is Both
	AlsoKeys bool   // spell reply keys as Resource.AlsoKey where there is one

	// Rate is the number of requests that a key has in a Period; 0 is no limit
	// and no headers. The window starts with a key's first request, or slides.
	Rate    int
	Period  time.Duration // 0 is DefaultPeriod
	Sliding bool
	// Remainings makes X-Ratelimit-Remaining a list of several numbers, the
	// least of which counts.
	Remainings bool

	Order Order // "" is Ascending
	// Cap is the number of objects of a type in one reply: 0 is Paymo's 2,500.
	// Nested lists beyond it come back empty. A top-level list is cut at it,
	// unless Uncut.
	Cap   int
	Uncut bool

	// MaxURL is the length of a request's path and query beyond which it is
	// answered with 414 and HTML; 0 is the 8,192 of Paymo's CDN, negative no limit.
	MaxURL int

	// Scopes is how lists that demand a filter judge it; "" is ScopesAny.
	Scopes Scopes
	// RelaxEntries lists time entries without one of the documented filters.
	RelaxEntries bool
	// Hooks is how hooks are called; see Server.Call.
	Hooks HookConfig
	// BulkOpen makes end_time=null match bulk entries too, which have no end.
	BulkOpen bool
}

func (c Config) withDefaults() Config {
	size := func(n *int, def int) {
		if *n == 0 {
			*n = def
		}
		*n = max(*n, 0)
	}
	size(&c.Users, 12)
	c.Users = max(c.Users, 4) // one of each role
	size(&c.Clients, 15)
	size(&c.Projects, 30)
	size(&c.Tasks, 300)
	size(&c.Entries, 2000)
	size(&c.Invoices, 2*c.Projects)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Changed == nil {
		c.Changed = func(string, int64, bool) {}
	}
	if c.Until.IsZero() {
		c.Until = minTime(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), c.Now().UTC().Truncate(24*time.Hour))
	}
	c.Until = c.Until.UTC().Truncate(time.Second)
	if c.Key == "" {
		c.Key = DefaultKey
	}
	if c.Auth == "" {
		c.Auth = Both
	}
	if c.Period <= 0 {
		c.Period = DefaultPeriod
	}
	if c.Order == "" {
		c.Order = Ascending
	}
	if c.Scopes == "" {
		c.Scopes = ScopesAny
	}
	if c.MaxURL == 0 {
		c.MaxURL = 8192
	}
	if c.Cap <= 0 {
		c.Cap = catalog.PageCap
	}
	return c
}
