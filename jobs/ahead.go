package jobs

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/sink"
)

// ahead is the request for the next slice, sent while the page before it is merged: Paymo
// and PostgreSQL work at the same time.
type ahead struct {
	query  paymo.Query
	span   trace.Span // of the page that the reply becomes
	cancel context.CancelFunc
	reply  chan arrival
}

// arrival is what came of a request that was sent ahead.
type arrival struct {
	page     *paymo.Page
	at       time.Time // the database's clock, before the request was sent
	err      error
	panicked any
}

// askAhead sends the request for the next range of ids or days, if there is one and time
// is left for it.
func (r *run) askAhead(ctx context.Context) {
	p := r.progress
	if r.check != nil || r.rehearsal != nil || p.Ranges == nil || len(p.Ranges.Todo) == 0 || r.overtime() {
		return
	}
	asked, _ := p.Ranges.Next()
	if asked.Empty() || p.Ranges.Excessive(p.Listed) {
		return
	}
	ctx, span := r.startPage(trace.ContextWithSpan(ctx, r.span), r.next())
	ctx, cancel := context.WithCancel(ctx)
	sent := &ahead{query: paymo.Query{Where: r.rangeWhere(asked)}, span: span, cancel: cancel, reply: make(chan arrival, 1)}
	resource, store, client := r.resource, r.Store, r.client() // nothing else of the run: it goes on meanwhile
	go func() {
		var got arrival
		defer func() {
			got.panicked = recover() // it is the run's, whose worker knows what to do
			sent.reply <- got
		}()
		if got.at, got.err = store.Now(ctx); got.err == nil {
			got.page, got.err = client.List(ctx, resource, sent.query)
		}
	}()
	r.ahead = sent
}

// takeAhead is the reply to the query, if that was sent ahead. A request for something
// else was sent in vain.
func (r *run) takeAhead(query paymo.Query) (got arrival, ok bool) {
	if r.ahead == nil || !r.ahead.query.Equal(query) {
		r.dropAhead()
		return arrival{}, false
	}
	return r.awaitAhead(), true
}

// dropAhead ends a request that was sent ahead and is not needed. What it took counts.
func (r *run) dropAhead() {
	if r.ahead == nil {
		return
	}
	r.ahead.cancel()
	span := r.ahead.span
	got := r.awaitAhead()
	span.End()
	if got.page != nil {
		r.spend(costOf(got.page))
	}
}

func (r *run) awaitAhead() arrival {
	sent := r.ahead
	got := <-sent.reply
	sent.cancel()
	r.ahead = nil
	if got.panicked != nil {
		panic(got.panicked)
	}
	return got
}

func costOf(page *paymo.Page) sink.Cost {
	return sink.Cost{Requests: page.Requests, Waited: page.Waited, Bytes: page.Bytes}
}
