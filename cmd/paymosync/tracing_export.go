package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// How often a delivery is tried, and the pauses between the tries where the collector
// does not say; the delivery's timeout ends them sooner.
const (
	deliveryRetries  = 5
	deliveryWaitMin  = 500 * time.Millisecond
	deliveryWaitMax  = 5 * time.Second
	mostReply        = 64 << 10        // is read of a reply, to use the connection again
	lossReportPeriod = 1 * time.Minute // how often the log tells of spans that were lost
)

// traceSender delivers spans to a collector by OTLP over HTTP, in protobuf. It is
// otlptrace's client; OpenTelemetry's own ones link gRPC, a tenth of the program.
//
// A delivery that fails is told of in the log, at most once a minute, and is no error:
// the SDK would print it wherever it likes. Safe for concurrent use.
type traceSender struct {
	config  TracesConfig
	client  *retryablehttp.Client
	log     *slog.Logger
	losses  losses
	aborted chan struct{}
	abort   func() // ends what is under way, and delivers nothing any more
}

func newTraceSender(config TracesConfig, log *slog.Logger) *traceSender {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if config.Authority != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: config.Authority, MinVersion: tls.VersionTLS12}
	}
	client := &retryablehttp.Client{
		HTTPClient: &http.Client{Transport: transport, CheckRedirect: stay},
		RetryMax:   deliveryRetries, RetryWaitMin: deliveryWaitMin, RetryWaitMax: deliveryWaitMax,
		CheckRetry: mayPass, Backoff: retryablehttp.DefaultBackoff, ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	s := &traceSender{config: config, client: client, log: log, aborted: make(chan struct{})}
	s.abort = sync.OnceFunc(func() { close(s.aborted) })
	return s
}

// stay follows no redirect: the headers, which are secret, would go along.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// mayPass reports whether the standard has a delivery be tried again.
func mayPass(ctx context.Context, res *http.Response, err error) (bool, error) {
	passing := []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	return err == nil && ctx.Err() == nil && slices.Contains(passing, res.StatusCode), nil
}

// Start does nothing: the first delivery connects.
func (s *traceSender) Start(context.Context) error { return nil }

// Stop closes the connections.
func (s *traceSender) Stop(context.Context) error {
	s.abort()
	s.client.HTTPClient.CloseIdleConnections()
	return nil
}

// UploadTraces delivers spans. That it could not is told in the log.
func (s *traceSender) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	scrub(spans)
	err := s.deliver(ctx, spans)
	if err == nil {
		return nil
	}
	if lost, tell := s.losses.add(spansIn(spans), time.Now()); tell {
		s.log.WarnContext(ctx, "traces are lost: the collector does not take them", "spans", lost, "endpoint", s.config, "error", err)
	}
	return nil
}

// deliver posts the spans until they are taken or refused, or the time for it is over.
// Its errors hold neither the address nor what the collector says: either may repeat a
// secret.
func (s *traceSender) deliver(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.config.Timeout, fmt.Errorf("no answer in %v", s.config.Timeout))
	defer cancel()
	go func() {
		select {
		case <-s.aborted:
			cancel()
		case <-ctx.Done():
		}
	}()
	// It is what an ExportTraceServiceRequest is on the wire, whose package links gRPC.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	if s.config.Gzip {
		body = zipped(body)
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, s.config.Endpoint, body)
	if err != nil {
		return errors.New("the endpoint makes no request")
	}
	for name, value := range s.config.Headers {
		req.Header.Set(name, value.Reveal())
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "paymosync/"+version())
	if s.config.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := s.client.Do(req)
	if res != nil {
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, mostReply)) // what it says is not looked at
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return s.withoutSecrets(err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %d", res.StatusCode)
	}
	return nil
}

// withoutSecrets is an error without the address and without what of the headers a reply
// that makes no sense may repeat.
func (s *traceSender) withoutSecrets(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	said := err.Error()
	for _, value := range s.config.Headers {
		for _, secret := range append([]string{value.Reveal()}, strings.Fields(value.Reveal())...) {
			if secret != "" {
				said = strings.ReplaceAll(said, secret, redacted)
			}
		}
	}
	return errors.New(said)
}

func zipped(body []byte) []byte {
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return buffer.Bytes()
}

// scrub takes out of the spans of requests what may repeat a secret: the query, and the
// words of errors, which quote replies that make no sense. The span of the page says the
// same without the key.
func scrub(spans []*tracepb.ResourceSpans) {
	for _, resource := range spans {
		for _, scope := range resource.GetScopeSpans() {
			if scope.GetScope().GetName() != otelhttp.ScopeName {
				continue
			}
			for _, span := range scope.GetSpans() {
				if span.Status != nil {
					span.Status.Message = ""
				}
				for _, attribute := range span.GetAttributes() {
					if attribute.GetKey() == "url.full" {
						address, _, _ := strings.Cut(attribute.GetValue().GetStringValue(), "?")
						attribute.Value = &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: address}}
					}
				}
			}
		}
	}
}

// spansIn is how many spans there are.
func spansIn(spans []*tracepb.ResourceSpans) int {
	n := 0
	for _, resource := range spans {
		for _, scope := range resource.GetScopeSpans() {
			n += len(scope.GetSpans())
		}
	}
	return n
}

// losses counts spans that were lost until it is time to tell of them. Safe for
// concurrent use.
type losses struct {
	mu   sync.Mutex
	n    int
	told time.Time
}

// add counts spans, and says whether to tell of all that were lost since it was told.
func (l *losses) add(n int, now time.Time) (lost int, tell bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n += n
	if !l.told.IsZero() && now.Sub(l.told) < lossReportPeriod {
		return 0, false
	}
	lost, l.n, l.told = l.n, 0, now
	return lost, true
}
