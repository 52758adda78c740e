package worker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// spans makes the spans of sampled commands, by OpenTelemetry's conventions for messaging. Nil, as
// it is while tracing is off, makes none.
type spans struct {
	tracer trace.Tracer
	group  string
}

func newSpans(tracer trace.Tracer, group string) *spans {
	if tracer == nil {
		return nil
	}
	return &spans{tracer, group}
}

// polling is when records were polled. It is their Context until their first transaction has ended.
type polling struct {
	context.Context
	began, polled time.Time
}

// polled notes when a poll gave the records of a partition.
func (s *spans) polled(records []*kgo.Record, began time.Time) {
	if s == nil || len(records) == 0 {
		return
	}
	p := &polling{context.Background(), began, time.Now()}
	for _, r := range records {
		r.Context = p
	}
}

// begin begins the span of a transaction, if one of its commands is sampled, and links it to what
// these came with. Else it gives nil.
func (s *spans) begin(ctx context.Context, w *work, now time.Time) (context.Context, *transactionSpans) {
	if s == nil {
		return ctx, nil
	}
	var commands []tracedCommand
	var links []trace.Link
	for i := range w.transaction.Commands {
		if from := w.transaction.Commands[i].Cause.Trace().SpanContext(); from.IsValid() {
			commands = append(commands, tracedCommand{i, from})
			links = append(links, trace.Link{SpanContext: from})
		}
	}
	if commands == nil {
		return ctx, nil
	}
	name, attrs := "transaction", []attribute.KeyValue{
		semconv.MessagingSystemKafka, semconv.MessagingOperationName("transaction"), semconv.MessagingOperationTypeProcess,
		semconv.MessagingConsumerGroupName(s.group), semconv.MessagingBatchMessageCount(len(w.transaction.Commands)),
		attribute.Int("partitions", len(w.transaction.Moves)),
	}
	if topic := w.topic(); topic != "" {
		name, attrs = name+" "+topic, append(attrs, semconv.MessagingDestinationName(topic))
	}
	ctx, span := s.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(now), trace.WithLinks(links...), trace.WithAttributes(attrs...))
	return ctx, &transactionSpans{spans: s, began: now, span: span, commands: commands}
}
