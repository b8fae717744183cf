package main

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	nometrics "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// flushTime is how long a program that ends waits for its last traces to arrive.
const flushTime = 3 * time.Second

// traces make the program's spans and send them to a collector, in the background: one
// that cannot be reached costs spans, and nothing else.
type traces struct {
	provider trace.TracerProvider // nil: none are made
	finish   func(context.Context) error
	sender   *traceSender
	log      *slog.Logger
}

// newTraces begins to send the spans that are made, unless none are asked for. Stop it.
func newTraces(config TracesConfig, log *slog.Logger) (*traces, error) {
	if config.Endpoint == "" {
		return &traces{}, nil
	}
	sender := newTraceSender(config, log)
	exporter, err := otlptrace.New(context.Background(), sender)
	if err != nil {
		return nil, err
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter),
		sdk.WithResource(resource.NewSchemaless(config.Attributes...)),
		sdk.WithSampler(config.Sampler),
	)
	return &traces{provider: provider, finish: provider.Shutdown, sender: sender, log: log}, nil
}

// stop sends what is left, for as long as that may take. The context may have ended.
func (t *traces) stop(ctx context.Context) {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	if err := t.finish(ctx); err != nil {
		t.log.WarnContext(ctx, "the last traces did not arrive", "error", err)
	}
	t.sender.abort()
}

// transport is a transport to Paymo that makes a span of every request, nil where none
// are made. Paymo is told nothing of them.
func (t *traces) transport() http.RoundTripper {
	if t.provider == nil {
		return nil
	}
	return otelhttp.NewTransport(http.DefaultTransport.(*http.Transport).Clone(),
		otelhttp.WithTracerProvider(t.provider),
		otelhttp.WithMeterProvider(nometrics.NewMeterProvider()),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + placeOf(r.URL.Path) }),
		// Of the address that a redirect leads to nobody knows what it repeats.
		otelhttp.WithFilter(func(r *http.Request) bool { return r.Response == nil }),
	)
}

// placeOf is a path without the ids in it, by which spans are told apart.
func placeOf(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if part != "" && strings.Trim(part, "0123456789") == "" {
			parts[i] = "{id}"
		}
	}
	return strings.Join(parts, "/")
}
