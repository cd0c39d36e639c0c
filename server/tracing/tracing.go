// Package tracing sends spans to an OpenTelemetry collector: of requests, and below them of what they spend their time on.
//
//	provider, err := tracing.Open(ctx, tracing.Config{Endpoint: "localhost:4317", RatePerMillion: 1000})
//	defer tracing.Close(provider)
//	ctx, span := tracing.Start(ctx, "admission")
//	defer span.End()
//
// Where nothing is traced Start costs nothing: whether it is is in the context.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

const scope = "leme/server"

// Config says where spans go, and of which requests.
type Config struct {
	Endpoint       string // HOST:PORT of a collector that takes OTLP over gRPC in plain text, or an https:// URL
	RatePerMillion int    // of requests whose caller is not traced itself
	Version        string // of this program
}

// Open prepares to send; the collector need not be there yet. Close ends it.
func Open(ctx context.Context, c Config) (*sdktrace.TracerProvider, error) {
	if c.RatePerMillion < 0 || c.RatePerMillion > 1_000_000 {
		return nil, errors.New("tracing: the sampling rate per million must be from 0 to 1000000")
	}
	to := []otlptracegrpc.Option{otlptracegrpc.WithEndpoint(c.Endpoint), otlptracegrpc.WithInsecure()}
	if strings.Contains(c.Endpoint, "://") {
		to = []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(c.Endpoint)}
	}
	exporter, err := otlptracegrpc.New(ctx, to...)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	return sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(float64(c.RatePerMillion)/1_000_000))),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "leme"), attribute.String("service.version", c.Version))),
	), nil
}

// closeTime is how long the last spans may take to be sent.
const closeTime = 2 * time.Second

// Close sends what has not been sent yet.
func Close(p *sdktrace.TracerProvider) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		slog.Warn("The last traces were not sent", "error", err)
	}
}

// Tracer makes the spans of requests.
func Tracer(p trace.TracerProvider) trace.Tracer { return p.Tracer(scope) }

// Start begins a span below that of a context.
func Start(ctx context.Context, name string) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, noop.Span{}
	}
	return Tracer(parent.TracerProvider()).Start(ctx, name)
}

// End ends a span, and tells of an error.
func End(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
	}
	span.End()
}
