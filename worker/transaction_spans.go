package worker

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// tracedCommand is a sampled command of a transaction.
type tracedCommand struct {
	index int
	from  trace.SpanContext // what it came with
}

// transactionSpans are the spans of a transaction: its own, and those of its sampled commands, each
// in the trace that the command came with.
type transactionSpans struct {
	*spans
	began    time.Time
	span     trace.Span
	commands []tracedCommand
}

// end says what became of the transaction, and of its commands but for those that it left to the
// next.
func (t *transactionSpans) end(w *work, err error) {
	if t == nil {
		return
	}
	now := time.Now()
	for _, c := range t.commands {
		if err == nil && c.index >= len(w.applied.Outcomes) {
			break
		}
		t.polled(w, c)
		t.processed(w, c, err, now)
	}
	if err != nil {
		t.span.RecordError(err)
	}
	end(t.span, err, now)
}

// polled tells of a command's poll, and how long it waited for its first transaction.
func (t *transactionSpans) polled(w *work, c tracedCommand) {
	r := w.records[c.index].Record
	p, ok := r.Context.(*polling)
	if !ok {
		return // it was parked, or a transaction before failed
	}
	r.Context = nil
	began := p.began // an idle worker polls long before there is a record
	if r.Timestamp.After(began) {
		began = r.Timestamp
	}
	if began.After(p.polled) {
		began = p.polled // the producer's clock is ahead
	}
	t.start(w, c, "poll", trace.SpanKindClient, began, semconv.MessagingOperationTypeReceive).End(trace.WithTimestamp(p.polled))
	t.start(w, c, "wait", trace.SpanKindInternal, p.polled).End(trace.WithTimestamp(t.began))
}

// processed tells what the transaction did with a command.
func (t *transactionSpans) processed(w *work, c tracedCommand, err error, now time.Time) {
	span := t.start(w, c, "process", trace.SpanKindConsumer, t.began, semconv.MessagingOperationTypeProcess)
	span.AddLink(trace.Link{SpanContext: t.span.SpanContext()})
	command := &w.transaction.Commands[c.index]
	if command.Type != "" {
		span.SetAttributes(semconv.CloudEventsEventType(w.records[c.index].types.Prefix + command.Type))
	}
	if command.Parked != nil {
		span.SetAttributes(attribute.Bool("redriven", true))
	}
	if err == nil {
		outcome := w.applied.Outcomes[c.index]
		span.SetAttributes(attribute.String("outcome", outcome.Result.String()))
		if outcome.Result == Refused {
			span.SetAttributes(attribute.String("reason", outcome.Reason))
		}
	}
	end(span, err, now)
}

func (t *transactionSpans) start(w *work, c tracedCommand, operation string, kind trace.SpanKind, began time.Time, more ...attribute.KeyValue) trace.Span {
	r := w.about(c.index)
	ctx := trace.ContextWithRemoteSpanContext(context.Background(), c.from)
	_, span := t.tracer.Start(ctx, operation+" "+r.Topic, trace.WithSpanKind(kind), trace.WithTimestamp(began),
		trace.WithAttributes(r.Operation(operation)...), trace.WithAttributes(r.Position()...),
		trace.WithAttributes(semconv.MessagingConsumerGroupName(t.group)), trace.WithAttributes(more...))
	return span
}

// end ends a span that may have failed.
func end(span trace.Span, err error, now time.Time) {
	if err != nil {
		what, _, _ := strings.Cut(err.Error(), "\n") // of a panic, without its stack
		span.SetStatus(codes.Error, what)
		span.SetAttributes(semconv.ErrorTypeKey.String(errorType(err)))
	}
	span.End(trace.WithTimestamp(now))
}
