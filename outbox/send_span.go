package outbox

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"allocation/outbox/telemetry"
)

// beginSend begins the span of one try to send a record, in the trace of its command where that is
// sampled, and tracing is on. Else it gives nil.
func (r *Relay) beginSend(cause *Cause, record *kgo.Record) trace.Span {
	if r.tracer == nil || !cause.Trace().Sampled() {
		return nil
	}
	from := cause.Trace().SpanContext()
	if !from.IsValid() {
		return nil
	}
	sent := telemetry.Record{Topic: record.Topic, Key: record.Key}
	attrs := append(sent.Operation("send"), semconv.MessagingOperationTypeSend)
	for _, h := range record.Headers {
		switch h.Key {
		case "ce_type":
			attrs = append(attrs, semconv.CloudEventsEventType(string(h.Value)))
		case "ce_id":
			attrs = append(attrs, semconv.CloudEventsEventID(string(h.Value)))
		}
	}
	ctx := trace.ContextWithRemoteSpanContext(context.Background(), from)
	_, span := r.tracer.Start(ctx, "send "+record.Topic, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	return span
}

// endSend says what became of a try.
func endSend(span trace.Span, record *kgo.Record, err error) {
	if span == nil {
		return
	}
	if err == nil {
		span.SetAttributes(telemetry.Record{Partition: record.Partition, Offset: record.Offset}.Position()...)
	} else {
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(semconv.ErrorTypeKey.String(reason(err)))
	}
	span.End()
}
