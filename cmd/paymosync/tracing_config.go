package main

import (
	"crypto/x509"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"golang.org/x/net/http/httpguts"
)

// TracesConfig says where traces go, by OpenTelemetry's standard variables. The zero
// value has none made.
type TracesConfig struct {
	Endpoint   string            // the address that spans are posted to; empty: no traces
	Headers    map[string]Secret // of each delivery
	Timeout    time.Duration     // of one delivery, with all its tries
	Gzip       bool
	Authority  *x509.CertPool // of the endpoint's certificate; nil: those of the system
	Sampler    trace.Sampler
	Attributes []attribute.KeyValue // of the service
}

// LogValue is the server that traces go to: the rest of the address may be a secret.
func (c TracesConfig) LogValue() slog.Value {
	u, err := url.Parse(c.Endpoint)
	if err != nil || c.Endpoint == "" {
		return slog.StringValue("")
	}
	return slog.StringValue(u.Scheme + "://" + u.Host)
}

// tracesTimeout is how long a delivery takes at most, and tracesEndpoint where spans go,
// unless a variable says otherwise; both are the standard's.
const (
	tracesTimeout  = 10 * time.Second
	tracesEndpoint = "http://localhost:4318"
)

func (p *parser) traces() TracesConfig {
	if !p.wantsTraces() {
		return TracesConfig{}
	}
	c := TracesConfig{
		Endpoint:   p.tracesEndpoint(),
		Headers:    p.tracesHeaders(),
		Timeout:    p.tracesTimeout(),
		Authority:  p.tracesAuthority(),
		Sampler:    p.tracesSampler(),
		Attributes: p.tracesAttributes(),
	}
	p.tracesProtocol()
	variable, compression := p.first("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION")
	c.Gzip = compression != "" && p.oneOf(variable, compression, "none", "gzip") == "gzip"
	return c
}

// wantsTraces reports whether the variables ask for traces.
func (p *parser) wantsTraces() bool {
	if disabled, _ := p.env.Lookup("OTEL_SDK_DISABLED"); strings.EqualFold(disabled, "true") {
		return false
	}
	if exporter, ok := p.env.Lookup("OTEL_TRACES_EXPORTER"); ok {
		return p.oneOf("OTEL_TRACES_EXPORTER", exporter, "otlp", "none") == "otlp"
	}
	_, endpoint := p.first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	return endpoint != ""
}

// first is the first of the variables that is set; if none is, the last one and "".
func (p *parser) first(variables ...string) (variable, value string) {
	for _, variable = range variables {
		if value, ok := p.env.Lookup(variable); ok {
			return variable, value
		}
	}
	return variable, ""
}

// tracesEndpoint is the address: as it is given for traces, or below the one for
// everything. It is not repeated: it may hold a secret.
func (p *parser) tracesEndpoint() string {
	variable, value := p.first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	if value == "" {
		value = tracesEndpoint
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		p.fail(variable, "not an absolute URL; example: %s", tracesEndpoint)
		return ""
	case u.User != nil || strings.ContainsAny(value, "?#"):
		p.fail(variable, "holds a user, a query or a fragment; what the collector asks for goes into OTEL_EXPORTER_OTLP_HEADERS")
		return ""
	case variable == "OTEL_EXPORTER_OTLP_ENDPOINT":
		u = u.JoinPath("v1", "traces")
	}
	return u.String()
}

// tracesProtocol refuses what is not spoken: gRPC would make the program a tenth larger.
func (p *parser) tracesProtocol() {
	variable, protocol := p.first("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	if protocol != "" && protocol != "http/protobuf" {
		p.fail(variable, "%q is not spoken: set http/protobuf, and the endpoint to the collector's port for it, by default 4318", protocol)
	}
}

// tracesHeaders are the headers of a delivery. Their values are not repeated.
func (p *parser) tracesHeaders() map[string]Secret {
	variable, text := p.first("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
	headers := map[string]Secret{}
	for _, pair := range p.pairs(variable, text) {
		if !httpguts.ValidHeaderFieldName(pair.name) || !httpguts.ValidHeaderFieldValue(pair.value) {
			p.fail(variable, "a name or a value has characters that no header may have; expected name=value,name=value with values percent-encoded")
			continue
		}
		headers[pair.name] = NewSecret(pair.value)
	}
	return headers
}

func (p *parser) tracesTimeout() time.Duration {
	variable, text := p.first("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
	if text == "" {
		return tracesTimeout
	}
	ms, err := strconv.Atoi(text)
	if err != nil || ms <= 0 {
		p.fail(variable, "%q is not a number of milliseconds above 0; example: 10000", text)
	}
	return time.Duration(ms) * time.Millisecond
}

func (p *parser) tracesAuthority() *x509.CertPool {
	variable, file := p.first("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")
	if file == "" {
		return nil
	}
	pool := x509.NewCertPool()
	text, err := os.ReadFile(file)
	if err != nil {
		p.fail(variable, "cannot read %q: %v", file, reason(err))
	} else if !pool.AppendCertsFromPEM(text) {
		p.fail(variable, "%q holds no certificate in PEM", file)
	}
	return pool
}

// tracesSampler is which traces are made: all, unless said otherwise. The SDK knows the
// same variables, but not those of a file, and goes on with a bad one.
func (p *parser) tracesSampler() trace.Sampler {
	const variable = "OTEL_TRACES_SAMPLER"
	value, ok := p.env.Lookup(variable)
	if !ok {
		return trace.ParentBased(trace.AlwaysSample())
	}
	name := p.oneOf(variable, value, "always_on", "always_off", "traceidratio",
		"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio")
	name, byParent := strings.CutPrefix(name, "parentbased_")
	sampler := trace.AlwaysSample()
	switch name {
	case "always_off":
		sampler = trace.NeverSample()
	case "traceidratio":
		sampler = trace.TraceIDRatioBased(p.tracesRatio())
	}
	if byParent {
		sampler = trace.ParentBased(sampler)
	}
	return sampler
}

func (p *parser) tracesRatio() float64 {
	const variable = "OTEL_TRACES_SAMPLER_ARG"
	text, ok := p.env.Lookup(variable)
	if !ok {
		return 1
	}
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		p.fail(variable, "%q is not a share from 0 to 1; example: 0.25", text)
	}
	return ratio
}

// tracesAttributes say which service the traces are of.
func (p *parser) tracesAttributes() []attribute.KeyValue {
	attributes := []attribute.KeyValue{semconv.ServiceName("paymosync"), semconv.ServiceVersion(version())}
	text, _ := p.env.Lookup("OTEL_RESOURCE_ATTRIBUTES")
	for _, pair := range p.pairs("OTEL_RESOURCE_ATTRIBUTES", text) {
		attributes = append(attributes, attribute.String(pair.name, pair.value))
	}
	if name, ok := p.env.Lookup("OTEL_SERVICE_NAME"); ok {
		attributes = append(attributes, semconv.ServiceName(name))
	}
	return attributes // of two with one name the last one holds
}

type pair struct{ name, value string }

// pairs reads name=value,name=value with values percent-encoded. It repeats nothing of a
// bad one.
func (p *parser) pairs(variable, text string) []pair {
	var pairs []pair
	for i, part := range strings.Split(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || name == "" || err != nil {
			p.fail(variable, "part %d is not understood; expected name=value,name=value with values percent-encoded", i+1)
			continue
		}
		pairs = append(pairs, pair{name, value})
	}
	return pairs
}
