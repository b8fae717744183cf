package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// identify makes sure that the key, by its number, still opens the company that the
// account is pinned to, with the rights it had. Asked often, it asks Paymo seldom.
func (r *run) identify(ctx context.Context, key int) error {
	if r.rehearsal != nil {
		return nil // its requests serve all tables, and are planned once
	}
	cost, err := r.guard.identify(ctx, r.Syncer, key)
	r.spend(cost)
	return err
}

// fetch makes one request. The time is the database's, before it was sent.
func (r *run) fetch(ctx context.Context, query paymo.Query) (*paymo.Page, time.Time, error) {
	page, at, err := r.askNext(ctx, query)
	if errors.Is(err, errKeyReplaced) {
		page, at, err = r.askFor(ctx, r.resource, query)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	return page, at, r.hear(page)
}

// fetchChildren makes one request for parents with their children. The time is the
// database's, before it was sent.
func (r *run) fetchChildren(ctx context.Context, query paymo.Query) (*paymo.Page, time.Time, error) {
	page, at, err := r.askChildren(ctx, query)
	if errors.Is(err, errKeyReplaced) {
		page, at, err = r.askChildren(ctx, query)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	return page, at, r.hear(page)
}

// hear takes note of what a reply of the listing tells beside its rows.
func (r *run) hear(page *paymo.Page) error {
	if err := makesSense(page); err != nil {
		return fmt.Errorf("list %s: %w", r.resource.Table, err)
	}
	for i := range page.Records {
		if updated := page.Records[i].Updated; updated.After(r.progress.Newest) {
			r.progress.Newest = updated
		}
		r.progress.Misfits = r.progress.Misfits || page.Records[i].Issues != ""
	}
	if !r.progress.Heard {
		// Where the server does not tell its time, the first reply's newest row does:
		// it was there before.
		r.progress.Heard, r.progress.Horizon = true, page.Date
		r.progress.Dated = !page.Date.IsZero()
		if page.Date.IsZero() {
			r.progress.Horizon = r.progress.Newest
		}
	}
	r.progress.Seen += int64(page.Rows)
	return nil
}

// patience is how long those wait for their turn who cannot go on later from where they are:
// where a few share the rate limit, they would begin anew again and again.
const patience = 20 * time.Second

// client is the one whose turn it is: what is due goes before what reads a lot and can
// wait, and before what Paymo told of, which may be a flood.
func (r *run) client() *paymo.Client {
	if r.patient {
		return r.Bulk.Patient(patience)
	}
	if r.progress.Mode == Incremental || r.progress.Mode == Full && r.check == nil && !r.checkpoint.FullAt.IsZero() {
		return r.Client
	}
	return r.Bulk
}

// askNext asks for rows of the table, unless that was done already.
func (r *run) askNext(ctx context.Context, query paymo.Query) (*paymo.Page, time.Time, error) {
	if got, ok := r.takeAhead(query); ok {
		return got.page, got.at, r.receive(ctx, got.page, got.err)
	}
	return r.askFor(ctx, r.resource, query)
}

// askFor asks for rows of any resource.
func (r *run) askFor(ctx context.Context, resource *catalog.Resource, query paymo.Query) (*paymo.Page, time.Time, error) {
	return r.request(ctx, func() (*paymo.Page, error) { return r.client().List(ctx, resource, query) })
}

func (r *run) askChildren(ctx context.Context, query paymo.Query) (*paymo.Page, time.Time, error) {
	return r.request(ctx, func() (*paymo.Page, error) { return r.client().Children(ctx, r.resource, query) })
}

// findIn asks for one row of any resource by its id.
func (r *run) findIn(ctx context.Context, resource *catalog.Resource, id int64) (*paymo.Page, time.Time, error) {
	return r.request(ctx, func() (*paymo.Page, error) { return r.client().Get(ctx, resource, id) })
}

// request makes a request, counts its cost and makes sure whose key it was made with.
// The time is the database's, before it was sent.
func (r *run) request(ctx context.Context, send func() (*paymo.Page, error)) (*paymo.Page, time.Time, error) {
	at, err := r.Store.Now(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	page, err := send()
	return page, at, r.receive(ctx, page, err)
}

// receive counts what a request took and makes sure whose key it was made with, before the
// rows of its reply are used: the key may have been replaced meanwhile.
func (r *run) receive(ctx context.Context, page *paymo.Page, err error) error {
	if page != nil {
		r.spend(costOf(page))
	}
	if err != nil {
		return err
	}
	return r.identify(ctx, page.Key)
}

// find asks for one row by its id; nil when Paymo says that there is none. Where it denies
// the row, which is no evidence of anything, the page is without it.
func (r *run) find(ctx context.Context, id int64) (*paymo.Page, time.Time, error) {
	page, at, err := r.findIn(ctx, r.resource, id)
	var api *paymo.APIError
	switch {
	case errors.As(err, &api) && api.NotFound():
		return nil, at, nil
	case errors.As(err, &api) && api.Denied():
		return &paymo.Page{}, at, nil
	}
	return page, at, err
}

// reidentify asks anew whose key it is, and what it may see.
func (r *run) reidentify(ctx context.Context) error {
	r.guard.forget()
	return r.identify(ctx, 0)
}
