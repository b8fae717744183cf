// Package web is the status page: where every table stands, what to do about it, and
// buttons to sync and to pause tables. It is HTML that is made here, from what it is
// given; it knows no database and no queue.
package web

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/paymosync/paymosync/jobs"
)

//go:embed template.html assets
var files embed.FS

// policy is the content security policy of the page: one style sheet and one script,
// both of its own, and nothing inline.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Config is what the page shows and does. All of it is required but River.
type Config struct {
	// Read reads where everything stands. What its error says is shown.
	Read func(ctx context.Context) (jobs.Overview, error)
	// Sync asks for a sync of a table; queued is false where one was asked for already.
	Sync func(ctx context.Context, table string, mode jobs.Mode) (queued bool, err error)
	// Pause and Resume stop the syncs of a table and let them go on; changed is false
	// where it was so already.
	Pause  func(ctx context.Context, table string) (changed bool, err error)
	Resume func(ctx context.Context, table string) (changed bool, err error)

	Version string
	Refresh time.Duration // how often the page is read anew
	River   string        // where the queue's page is, "" for nowhere
	Log     *slog.Logger
}

// page serves the status page.
type page struct {
	config Config
	pages  *template.Template
}

// New makes the handler of the status page: "/", its assets, and the buttons' posts. It
// leaves it to others to ask for a password and to refuse posts of other sites.
func New(config Config) (http.Handler, error) {
	pages, err := template.New("").Funcs(template.FuncMap{"words": words}).ParseFS(files, "template.html")
	if err != nil {
		return nil, err
	}
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, err
	}
	p := &page{config, pages}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	mux.HandleFunc("POST /tables/{table}/{action}", p.act)
	mux.Handle("GET /assets/{file}", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	mux.HandleFunc("/{$}", p.wrongMethod("GET, HEAD"))
	mux.HandleFunc("/tables/{table}/{action}", p.wrongMethod("POST"))
	mux.HandleFunc("/", p.notFound)
	return mux, nil
}

// show answers with the status page.
func (p *page) show(w http.ResponseWriter, r *http.Request) {
	overview, err := p.config.Read(r.Context())
	if err != nil {
		p.unreadable(w, r, err)
		return
	}
	query := r.URL.Query()
	still := query.Get("refresh") == "off"
	v := newView(p.config, overview, still)
	v.Flash = flashOf(query.Get("said"), query.Get("table"), overview)
	v.Refresh = int(p.config.Refresh.Seconds())
	switch {
	case still:
		v.Refresh = 0
	case v.Flash != nil: // what was asked for is soon there to be seen
		v.Refresh = min(v.Refresh, afterAction)
	}
	p.render(w, r, http.StatusOK, "status", v)
}

// afterAction is in how many seconds the page is read anew after a button was pressed.
const afterAction = 8

// message is a page that says one thing.
type message struct {
	Title, Sentence, Detail, Todo string
	Version                       string
	Refresh                       int // in seconds; 0: not
}

// unreadable says that the database does not tell where things stand.
func (p *page) unreadable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // who asked is gone
	}
	p.config.Log.WarnContext(r.Context(), "the status page cannot be read", "error", err)
	const again = 10
	w.Header().Set("Retry-After", strconv.Itoa(again))
	p.render(w, r, http.StatusServiceUnavailable, "message", message{
		Title:    "The database cannot be read",
		Sentence: "Where the tables stand is kept in PostgreSQL, which does not answer as it should. Nothing is lost by it.",
		Detail:   err.Error(),
		Todo:     jobs.Advice("", jobs.CauseDatabase),
		Refresh:  again,
	})
}

func (p *page) notFound(w http.ResponseWriter, r *http.Request) {
	p.render(w, r, http.StatusNotFound, "message", message{
		Title:    "There is nothing here",
		Sentence: "No page and no table has this address.",
		Todo:     "go to the status page",
	})
}

func (p *page) wrongMethod(allowed string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		p.render(w, r, http.StatusMethodNotAllowed, "message", message{
			Title:    "This cannot be done here",
			Sentence: "This address answers to " + allowed + " only.",
			Todo:     "go to the status page, and use its buttons",
		})
	}
}

// render answers with a page, or with nothing of it.
func (p *page) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	if m, ok := data.(message); ok {
		m.Version, m.Todo = p.config.Version, sentence(m.Todo)
		data = m
	}
	var text bytes.Buffer
	if err := p.pages.ExecuteTemplate(&text, name, data); err != nil {
		p.config.Log.ErrorContext(r.Context(), "the status page cannot be made", "error", err)
		http.Error(w, "paymosync: this is a fault of paymosync; its log says more", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // the reader may be gone
}
