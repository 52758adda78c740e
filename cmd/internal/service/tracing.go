package service

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// tracing sends traces where OpenTelemetry's variables say so. Without them it is off and costs
// nothing.
type tracing struct {
	provider *trace.TracerProvider // nil: off
}

// off is the exporter where no variable names one.
type off struct{}

func (off) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (off) Shutdown(context.Context) error                          { return nil }

func startTracing(ctx context.Context, service string) (*tracing, error) {
	exporter, err := autoexport.NewSpanExporter(ctx, autoexport.WithFallbackSpanExporter(
		func(context.Context) (trace.SpanExporter, error) { return off{}, nil }))
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	if _, none := exporter.(off); none || autoexport.IsNoneSpanExporter(exporter) {
		return &tracing{}, nil
	}
	name := resource.NewSchemaless(attribute.String("service.name", service))
	described, err := resource.Merge(name, resource.Environment()) // OTEL_SERVICE_NAME wins
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(described))
	otel.SetTracerProvider(provider)
	return &tracing{provider}, nil
}

// adjust has connections watched, and queries traced where tracing is on.
func (t *tracing) adjust(pool *pgxpool.Config, connections pgx.QueryTracer) {
	pool.ConnConfig.Tracer = connections
	if t.provider != nil {
		pool.ConnConfig.Tracer = multitracer.New(otelpgx.NewTracer(otelpgx.WithTracerProvider(t.provider)), connections)
	}
}

// stop sends what is left.
func (t *tracing) stop(logger *slog.Logger) {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		logger.Warn("traces are lost", "error", err)
	}
}
