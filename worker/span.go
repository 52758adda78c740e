package worker

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// startSpan begins the span of a transaction: one for all its commands, linked to the contexts that
// they came with.
func startSpan(ctx context.Context, tracer trace.Tracer, transaction *Transaction) (context.Context, trace.Span) {
	ctx, span := tracer.Start(ctx, "transaction", trace.WithSpanKind(trace.SpanKindConsumer))
	if !span.IsRecording() {
		return ctx, span
	}
	span.SetAttributes(attribute.Int("commands", len(transaction.Commands)), attribute.Int("partitions", len(transaction.Moves)))
	for i := range transaction.Commands {
		if from := spanContext(&transaction.Commands[i]); from.IsValid() {
			span.AddLink(trace.Link{SpanContext: from})
		}
	}
	return ctx, span
}

// spanContext is the context that a command came with.
func spanContext(c *Command) trace.SpanContext {
	if c.Cause.TraceParent == "" {
		return trace.SpanContext{}
	}
	carrier := propagation.MapCarrier{"traceparent": c.Cause.TraceParent, "tracestate": c.Cause.TraceState}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}

// endSpan says what became of the transaction.
func endSpan(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}
