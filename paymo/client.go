// Package paymo is the client of Paymo's API: one request path that knows the key,
// keeps to the rate limit, retries what is safe and short, judges every reply with
// typed errors, and turns lists into records.
//
// What it expects of Paymo comes from the reference (github.com/paymo-org/api) and
// from what other clients observed; each fact names its source.
package paymo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Config is what a Client needs. BaseURL and Key are required.
type Config struct {
	BaseURL       string                                // https, unless the host is loopback or AllowHTTP
	AllowHTTP     bool                                  // the key may go over plain http
	Key           func(context.Context) (string, error) // called when the key is needed, and again after a 401
	Scheme        Scheme                                // default SchemeAuto
	LearnedScheme Scheme                                // for SchemeAuto: what worked last
	Version       string                                // of paymosync, for the User-Agent
	Budget        Budget                                // default: a Pacer
	Share         int                                   // percentage of Paymo's limit that the budget uses; default 100
	MaxWait       time.Duration                         // longest wait within a call; default 5 s
	Timeout       time.Duration                         // of one request with its reply; default 60 s
	MaxBytes      int64                                 // of one reply; default 64 MiB
	Transport     http.RoundTripper                     // default: http.DefaultTransport's clone, with proxies from the environment
}

// Client talks to one account's Paymo. Safe for concurrent use.
type Client struct {
	base     *url.URL
	http     *http.Client
	auth     *auth
	budget   Budget
	agent    string
	share    int
	maxWait  time.Duration
	timeout  time.Duration
	maxBytes int64
	decoders map[string]*decoder
	heard    *heard
}

// heard is what the last rate headers said.
type heard struct {
	mu   sync.Mutex
	rate Rate
}

// New makes a Client. It asks for nothing yet.
func New(config Config) (*Client, error) {
	base, err := ParseBaseURL(config.BaseURL, config.AllowHTTP)
	if err != nil {
		return nil, fmt.Errorf("make a Paymo client: base URL: %w", err)
	}
	if config.Key == nil {
		return nil, errors.New("make a Paymo client: there is no source of the API key")
	}
	c := &Client{
		base:     base,
		auth:     newAuth(config.Key, config.Scheme, config.LearnedScheme),
		budget:   config.Budget,
		agent:    "paymosync/" + orDefault(config.Version, "dev"),
		share:    orDefault(config.Share, 100),
		maxWait:  orDefault(config.MaxWait, 5*time.Second),
		timeout:  orDefault(config.Timeout, time.Minute),
		maxBytes: orDefault(config.MaxBytes, 64<<20),
		decoders: make(map[string]*decoder),
		heard:    &heard{rate: Rate{Remaining: -1}},
	}
	if c.budget == nil {
		c.budget = &Pacer{Share: c.share}
	}
	transport := config.Transport
	if transport == nil {
		transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: checkRedirect}
	for _, r := range catalog.All() {
		c.decoders[r.Table] = newDecoder(r)
	}
	return c, nil
}

// WithBudget is the same client, for calls that another budget paces and that wait for up
// to so long.
func (c *Client) WithBudget(budget Budget, maxWait time.Duration) *Client {
	other := *c
	other.budget, other.maxWait = budget, maxWait
	return &other
}

// Patient is the same client, for calls that wait for their turn for up to so long.
func (c *Client) Patient(maxWait time.Duration) *Client { return c.WithBudget(c.budget, maxWait) }

// Format names the client and prints nothing of what it holds: the key is there.
func (c *Client) Format(out fmt.State, _ rune) { fmt.Fprintf(out, "paymo client of %s", c.base) }

// ParseBaseURL reads the address of a Paymo: absolute, without query or user, and
// https unless the host is loopback or plain http is allowed.
func ParseBaseURL(text string, allowHTTP bool) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err != nil:
		return nil, errors.New("it is not a URL")
	case base.Scheme != "https" && base.Scheme != "http" || base.Hostname() == "":
		return nil, errors.New("it is not an absolute https URL")
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("it must have neither user, query nor fragment")
	case base.Scheme == "http" && !allowHTTP && !loopback(base.Hostname()):
		return nil, errors.New("plain http would show the key to the network: use https, or set PAYMO_ALLOW_HTTP=true")
	}
	return base, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// maxRedirects is how often a request follows the server elsewhere on it.
const maxRedirects = 3

// checkRedirect follows a redirect only within the same server: the key would go
// along.
func checkRedirect(req *http.Request, via []*http.Request) error {
	from := via[0].URL
	there, loop := origin(from) == origin(req.URL), len(via) > maxRedirects
	if there && !loop {
		return nil
	}
	// Of the rest of the address nobody knows what it repeats.
	return &RedirectError{From: from.Path, To: req.URL.Scheme + "://" + req.URL.Host, Loop: there}
}

// origin is the server of a URL, with its port.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// Scheme is how the key is sent now; known is whether it has worked.
func (c *Client) Scheme() (scheme Scheme, known bool) { return c.auth.inUse() }

// Rate is what the last rate headers said.
func (c *Client) Rate() Rate {
	c.heard.mu.Lock()
	defer c.heard.mu.Unlock()
	return c.heard.rate
}

// Page is one reply. Its last three fields tell the cost, and are set even where the
// call returned an error with it.
type Page struct {
	Records  []catalog.Record
	Rejects  []catalog.Reject
	Rows     int               // objects in the list, rejects included
	Cut      bool              // reading stopped at a limit: there was more
	Date     time.Time         // the server's clock when it answered, zero when unknown
	Stripped int               // U+0000 taken out
	Dropped  int               // unknown fields left out because their names smell of a secret
	Unknown  map[string]string // unknown fields and the JSON type of each
	Families []Family          // of Children: the parents in the reply, in its order
	Key      int               // number of the key that was used: another one means that the key was replaced
	Requests int               // made, tries included
	Waited   time.Duration     // for the rate budget
	Bytes    int64             // of replies
}

func newPage(d decoded) *Page {
	return &Page{
		Records: d.records, Rejects: d.rejects, Rows: d.rows, Cut: d.cut,
		Stripped: d.stripped, Dropped: d.dropped, Unknown: d.unknown, Families: d.families,
	}
}

// maxRows is where reading of a reply stops. A list as long as catalog.PageCap is
// taken as cut short anyway; a server without a cap is not read to its end.
const maxRows = 2 * catalog.PageCap

// List makes one request for a list of the resource and decodes the whole reply
// before it returns. With an error the page, if not nil, tells the cost alone.
func (c *Client) List(ctx context.Context, resource *catalog.Resource, query Query) (*Page, error) {
	if !query.Fits() {
		return nil, tooLong(resource, query)
	}
	return c.get(ctx, c.decoders[resource.Table].decode, resource.Path, query.encode())
}

func tooLong(resource *catalog.Resource, query Query) error {
	return fmt.Errorf("list %s: the query has %d bytes, more than the %d that are sent: ask for less at once", resource.Table, len(query.encode()), maxQuery)
}

// Get asks for one row by its id. That there is none is an *APIError that is
// NotFound.
func (c *Client) Get(ctx context.Context, resource *catalog.Resource, id int64) (*Page, error) {
	return c.get(ctx, c.decoders[resource.Table].decode, fmt.Sprintf("%s/%d", resource.Path, id), "")
}

// Me is whose key it is.
type Me struct {
	ID   int64
	Name string
	Role string // Admin, Employee, …
}

// Me asks who the key is. With an error the page, if not nil, tells the cost.
func (c *Client) Me(ctx context.Context) (Me, *Page, error) {
	users, _ := catalog.Lookup("users")
	page, err := c.get(ctx, c.decoders["users"].decode, "/api/me", "")
	if err != nil {
		return Me{}, page, err
	}
	if len(page.Records) != 1 {
		return Me{}, page, fmt.Errorf("GET /api/me: the reply holds %d users instead of one: is PAYMO_BASE_URL a Paymo?", len(page.Records))
	}
	me := Me{ID: page.Records[0].ID}
	for i, column := range users.Stored() {
		switch column.Name {
		case "name":
			me.Name = page.Records[0].Values[i].Text
		case "type":
			me.Role = page.Records[0].Values[i].Text
		}
	}
	return me, page, nil
}

// CompanyID asks which company the key opens. With an error the page, if not nil,
// tells the cost.
func (c *Client) CompanyID(ctx context.Context) (int64, *Page, error) {
	page, err := c.get(ctx, c.decoders["company"].decode, "/api/company", "")
	if err != nil {
		return 0, page, err
	}
	if len(page.Records) != 1 {
		return 0, page, errors.New("GET /api/company: the reply holds no company with an id")
	}
	return page.Records[0].ID, page, nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
