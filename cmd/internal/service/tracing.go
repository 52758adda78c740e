package service

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// tracing sends traces where OpenTelemetry's variables say so. Without them it is off and costs
// nothing.
type tracing struct {
	provider *sdk.TracerProvider // nil: off
}

func startTracing(ctx context.Context, service string) (*tracing, error) {
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	if exporter == nil {
		return &tracing{}, nil
	}
	name := resource.NewSchemaless(semconv.ServiceName(service))
	described, err := resource.Merge(name, resource.Environment()) // OTEL_SERVICE_NAME wins
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	return &tracing{sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(described))}, nil
}

// newExporter makes what OpenTelemetry's variables name; nil where they name none. All else of them
// is read by the exporters.
func newExporter(ctx context.Context) (sdk.SpanExporter, error) {
	const variable = "OTEL_TRACES_EXPORTER"
	switch name := os.Getenv(variable); name {
	case "", "none":
		return nil, nil
	case "console":
		return stdouttrace.New()
	case "otlp":
		return newOTLP(ctx)
	default:
		return nil, fmt.Errorf("%s is %q; it must be otlp, console or none", variable, name)
	}
}

func newOTLP(ctx context.Context) (sdk.SpanExporter, error) {
	const variable = "OTEL_EXPORTER_OTLP_PROTOCOL"
	protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv(variable), "http/protobuf")
	switch protocol {
	case "http/protobuf":
		return otlptracehttp.New(ctx)
	case "grpc":
		return otlptracegrpc.New(ctx)
	default:
		return nil, fmt.Errorf("%s is %q; it must be http/protobuf or grpc", variable, protocol)
	}
}

// tracer makes the spans of a part of the program; nil where tracing is off.
func (t *tracing) tracer(part string) trace.Tracer {
	if t.provider == nil {
		return nil
	}
	return t.provider.Tracer(part, trace.WithSchemaURL(semconv.SchemaURL))
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
