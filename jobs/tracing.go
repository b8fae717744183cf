package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/riverqueue/rivercontrib/otelriver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	nometrics "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// tracerName is the scope of the spans that are made here: sync or verify, page, sweep
// and merge. Those of the requests are the client's transport's, and those of the jobs
// the queue's.
const tracerName = "github.com/paymosync/paymosync/jobs"

// newTracer makes the tracer of a provider; of none, one that does nothing.
func newTracer(provider trace.TracerProvider) trace.Tracer {
	if provider == nil {
		provider = noop.NewTracerProvider()
	}
	return provider.Tracer(tracerName)
}

// queueTraces makes a span of every job that is worked or inserted; without a provider
// there is nothing to plug in. A job's span links to the one that inserted it.
func queueTraces(provider trace.TracerProvider) []rivertype.Plugin {
	if provider == nil {
		return nil
	}
	return []rivertype.Plugin{otelriver.NewMiddleware(&otelriver.MiddlewareConfig{
		EnableTracePropagation:      true,
		EnableWorkSpanJobKindSuffix: true,
		MeterProvider:               nometrics.NewMeterProvider(),
		TracerProvider:              provider,
	})}
}

// startTable starts the span of what is done to one table.
func (s *Syncer) startTable(ctx context.Context, what, table string) (context.Context, trace.Span) {
	return s.tracer.Start(ctx, what+" "+table, trace.WithAttributes(
		attribute.String("account", s.Store.Account()), attribute.String("table", table)))
}

// traced does the work as a span of its name. The work's context carries it.
func (s *Syncer) traced(ctx context.Context, name string, work func(context.Context, trace.Span) error, known ...attribute.KeyValue) error {
	ctx, span := s.tracer.Start(ctx, name, trace.WithAttributes(known...))
	defer span.End()
	err := work(ctx, span)
	conclude(span, err)
	return err
}

// conclude says how a span's work ended. What only asks for waiting, or for the rest to
// follow, is no error: the next span goes on with it.
func conclude(span trace.Span, err error) {
	var parents *ParentsError
	_, waits := RetryIn(err)
	switch {
	case err == nil:
	case waits, errors.As(err, &parents), errors.Is(err, errHandBack), errors.Is(err, context.Canceled), errors.Is(err, sink.ErrBlanks):
		span.SetAttributes(attribute.String("stopped", err.Error()))
	default:
		span.SetStatus(codes.Error, err.Error())
	}
}

// describe adds to a sync's span what its line in the log says.
func (o Outcome) describe(span trace.Span) {
	span.SetAttributes(
		attribute.String("mode", string(o.Mode)), attribute.String("state", o.State),
		attribute.Int64("inserted", o.Inserted), attribute.Int64("updated", o.Updated), attribute.Int64("unchanged", o.Unchanged),
		attribute.Int64("tombstoned", o.Tombstoned), attribute.Int64("quarantined", o.Quarantined), attribute.Int("requests", o.Requests),
		attribute.Float64("waited", o.Waited.Seconds()), attribute.Int64("bytes", o.Bytes), attribute.Bool("unfinished", o.Unfinished),
	)
	if o.Reason != "" {
		span.SetAttributes(attribute.String("reason", o.Reason))
	}
}

// describe adds to a verification's span what it found.
func (v Verified) describe(span trace.Span) {
	span.SetAttributes(
		attribute.String("verdict", v.Verdict), attribute.Int64("found", v.Found()), attribute.Int64("repaired", v.Repaired),
		attribute.Int("requests", v.Requests), attribute.Float64("waited", v.Waited.Seconds()),
	)
	if v.Reason != "" {
		span.SetAttributes(attribute.String("reason", v.Reason))
	}
}

// page reads one slice as a span: the requests for it, and the merge of what they bring.
func (r *run) page(ctx context.Context, slice string, read func(context.Context) error) error {
	ctx, span := r.startPage(ctx, slice)
	defer span.End()
	seen := r.progress.Seen
	err := read(ctx)
	span.SetAttributes(attribute.Int64("rows", r.progress.Seen-seen))
	conclude(span, err)
	return err
}

// startPage starts the span of a slice, unless it was started when its request was sent.
func (r *run) startPage(ctx context.Context, slice string) (context.Context, trace.Span) {
	if r.ahead != nil {
		return trace.ContextWithSpan(ctx, r.ahead.span), r.ahead.span
	}
	return r.tracer.Start(ctx, "page", trace.WithAttributes(
		attribute.String("table", r.resource.Table), attribute.String("slice", slice)))
}

// write applies a page as a span: one transaction.
func (r *run) write(ctx context.Context, page sink.Page) (result sink.Result, err error) {
	err = r.traced(ctx, "merge", func(ctx context.Context, span trace.Span) error {
		result, err = r.lease.Apply(ctx, page)
		span.SetAttributes(
			attribute.Int64("inserted", result.Inserted), attribute.Int64("updated", result.Updated), attribute.Int64("unchanged", result.Unchanged),
			attribute.Int64("late", result.Late), attribute.Int64("quarantined", result.Quarantined), attribute.Int("stale", len(result.Stale)),
		)
		return err
	}, attribute.String("table", r.resource.Table), attribute.Int("rows", len(page.Records)+len(page.Rejects)))
	return result, err
}

// findGone finds out, as a span, what became of the rows that the listing did not bring.
func (r *run) findGone(ctx context.Context, tally sink.Candidates, find func(context.Context, sink.Candidates) error) error {
	return r.traced(ctx, "sweep", func(ctx context.Context, span trace.Span) error {
		before := r.outcome.Tombstoned
		err := find(ctx, tally)
		span.SetAttributes(attribute.Int64("tombstoned", r.outcome.Tombstoned-before))
		return err
	}, attribute.String("table", r.resource.Table), attribute.Int64("candidates", tally.Open+tally.Gone+tally.Unsure))
}

// next says what of the table is read next, in words.
func (r *run) next() string {
	switch p := r.progress; {
	case p.Ranges != nil && len(p.Ranges.Todo) == 0:
		return "rows without a parent"
	case p.Ranges != nil:
		asked, _ := p.Ranges.Next()
		return asked.words(p.Listing)
	case p.Pages != nil:
		return fmt.Sprintf("page %d", p.Pages.Page)
	case p.Parents != nil:
		return fmt.Sprintf("parents after %d", p.Parents.After)
	}
	return "everything"
}

// words name the range's ids or days, the last one of them included.
func (r Range) words(listing catalog.Listing) string {
	what, name := "ids", func(position int64) string { return fmt.Sprint(position) }
	if listing != catalog.ByID {
		what, name = "days", func(position int64) string {
			return time.Unix(position*int64(day/time.Second), 0).UTC().Format(time.DateOnly)
		}
	}
	switch {
	case r.Whole():
		return "everything"
	case r.From == nil:
		return fmt.Sprintf("%s to %s", what, name(*r.To-1))
	case r.To == nil:
		return fmt.Sprintf("%s from %s", what, name(*r.From))
	}
	return fmt.Sprintf("%s from %s to %s", what, name(*r.From), name(*r.To-1))
}
