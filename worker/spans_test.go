package worker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"allocation/outbox"
	"allocation/worker/cloudevents"
)

const (
	sampledParent   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	otherParent     = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	unsampledParent = "00-2af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

// recordedSpans makes spans that are kept.
func recordedSpans() (*spans, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	return newSpans(sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)).Tracer("test"), "group"), recorder
}

// workOf are decoded commands that came with these traceparents, at offsets from 0 on.
func workOf(parents ...string) *work {
	w := &work{transaction: Transaction{Moves: []PositionMove{{Source: outbox.Source{Topic: "commands", Partition: 3}}}}}
	for i, parent := range parents {
		r := &kgo.Record{Offset: int64(i), Key: []byte("a"), Timestamp: then}
		w.records = append(w.records, record{Record: r, types: &cloudevents.Types{Prefix: "counters.v1."}})
		w.transaction.Commands = append(w.transaction.Commands, Command{Offset: int64(i), Type: "Add", Cause: &outbox.Cause{TraceParent: parent, TraceState: "vendor=1"}})
	}
	return w
}

// spanNames are the names of spans, and the traces that they are in by their first digit.
func spanNames(ended []sdk.ReadOnlySpan) (names []string) {
	for _, s := range ended {
		name := s.Name()
		if s.Parent().IsValid() {
			name = fmt.Sprint(s.SpanContext().TraceID().String()[:1], " ", name)
		}
		names = append(names, name)
	}
	return names
}

func attributesOf(s sdk.ReadOnlySpan) map[string]any {
	all := map[string]any{}
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.AsInterface()
	}
	return all
}

// A transaction has one span, linked to its sampled commands; each of them has its own in the trace
// that it came with. The others have none.
func TestSpans_areThoseOfSampledCommands(t *testing.T) {
	t.Parallel()
	s, recorder := recordedSpans()
	w := workOf(sampledParent, "", unsampledParent, otherParent)
	var records []*kgo.Record
	for _, r := range w.records {
		records = append(records, r.Record)
	}
	s.polled(records, then.Add(-time.Minute))
	_, spans := s.begin(t.Context(), w, time.Now())
	w.applied.Outcomes = []Outcome{{Result: Changed}, {}, {}, {Result: Refused, Reason: "no"}}
	spans.end(w, nil)

	ended := recorder.Ended()
	require.Equal(t, []string{"0 poll commands", "0 wait commands", "0 process commands", "1 poll commands", "1 wait commands", "1 process commands", "transaction commands"}, spanNames(ended))
	poll, wait, process, refused, transaction := ended[0], ended[1], ended[2], ended[5], ended[6]
	require.Equal(t, then, poll.StartTime(), "the poll began before there was a record")
	require.Equal(t, poll.EndTime(), wait.StartTime())
	require.Equal(t, wait.EndTime(), process.StartTime())
	require.Equal(t, process.StartTime(), transaction.StartTime())
	require.Equal(t, "b7ad6b7169203331", process.Parent().SpanID().String())
	require.Equal(t, transaction.SpanContext(), process.Links()[0].SpanContext)
	require.Equal(t, map[string]any{
		"messaging.system": "kafka", "messaging.operation.name": "process", "messaging.operation.type": "process", "messaging.destination.name": "commands",
		"messaging.destination.partition.id": "3", "messaging.kafka.offset": int64(0), "messaging.kafka.message.key": "a", "messaging.consumer.group.name": "group",
		"cloudevents.event_type": "counters.v1.Add", "outcome": "changed",
	}, attributesOf(process))
	require.Equal(t, []any{"refused", "no"}, []any{attributesOf(refused)["outcome"], attributesOf(refused)["reason"]})
	require.Equal(t, codes.Unset, refused.Status().Code, "a refusal is an answer")
	require.Len(t, transaction.Links(), 2)
	require.Equal(t, otherParent[3:35], transaction.Links()[1].SpanContext.TraceID().String())
	require.Equal(t, "vendor=1", transaction.Links()[1].SpanContext.TraceState().String())
	require.Equal(t, []any{int64(4), int64(1)}, []any{attributesOf(transaction)["messaging.batch.message_count"], attributesOf(transaction)["partitions"]})
	require.Equal(t, []trace.SpanKind{trace.SpanKindClient, trace.SpanKindInternal, trace.SpanKindConsumer, trace.SpanKindConsumer},
		[]trace.SpanKind{poll.SpanKind(), wait.SpanKind(), process.SpanKind(), transaction.SpanKind()})
}

// A transaction that fails says why, and so does each of its commands; when they are tried again,
// they are neither polled again nor tell of the wait before the first try. Those that a transaction
// leaves to the next have no span of it.
func TestSpans_areThoseOfEachTry(t *testing.T) {
	t.Parallel()
	s, recorder := recordedSpans()
	w := workOf(sampledParent, otherParent)
	s.polled([]*kgo.Record{w.records[0].Record, w.records[1].Record}, then)
	_, first := s.begin(t.Context(), w, time.Now())
	first.end(w, fmt.Errorf("%w: odd\nand more", ErrConflict))
	ended := recorder.Ended()
	require.Len(t, ended, 7)
	for _, failed := range []sdk.ReadOnlySpan{ended[2], ended[5], ended[6]} {
		require.Equal(t, sdk.Status{Code: codes.Error, Description: "conflict: odd"}, failed.Status())
		require.Equal(t, "conflict", attributesOf(failed)["error.type"])
	}

	_, second := s.begin(t.Context(), w, time.Now())
	w.applied.Outcomes = []Outcome{{Result: Changed}}
	second.end(w, nil)
	require.Equal(t, []string{"0 process commands", "transaction commands"}, spanNames(recorder.Ended()[7:]))
}

// A producer whose clock is ahead makes no span that ends before it begins. What comes by several
// topics names none, and a command that was parked names the partition that it came by.
func TestSpans_sayWhereACommandCameFrom(t *testing.T) {
	t.Parallel()
	s, recorder := recordedSpans()
	w := workOf(sampledParent, otherParent)
	w.transaction.Moves = append(w.transaction.Moves, PositionMove{Source: outbox.Source{Topic: "more"}})
	w.records[0].move, w.records[0].Timestamp = 1, time.Now().Add(time.Hour)
	w.records[1].parked = &Parked{From: outbox.Source{Topic: "before", Partition: 1}}
	w.transaction.Commands[1].Parked = w.records[1].parked
	s.polled([]*kgo.Record{w.records[0].Record}, then)
	_, spans := s.begin(t.Context(), w, time.Now())
	spans.end(w, errors.New("odd"))
	ended := recorder.Ended()
	require.Equal(t, []string{"0 poll more", "0 wait more", "0 process more", "1 process before", "transaction"}, spanNames(ended))
	require.Equal(t, ended[0].EndTime(), ended[0].StartTime())
	require.Equal(t, []any{"1", true}, []any{attributesOf(ended[3])["messaging.destination.partition.id"], attributesOf(ended[3])["redriven"]})
	require.Equal(t, "fault", attributesOf(ended[4])["error.type"])
}

// Commands that are not sampled cost nothing: no memory each while tracing is on, and none at all
// while it is off.
func TestSpans_costNothingWithoutSampledCommands(t *testing.T) {
	on, recorder := recordedSpans()
	w := workOf(make([]string, 1000)...)
	for i := range w.transaction.Commands[:500] {
		w.transaction.Commands[i].Cause.TraceParent = unsampledParent
	}
	records := make([]*kgo.Record, len(w.records))
	for i := range w.records {
		records[i] = w.records[i].Record
	}
	for most, s := range []*spans{nil, on} { // one for a poll's records of a partition
		allocations := testing.AllocsPerRun(10, func() {
			s.polled(records, then)
			_, spans := s.begin(t.Context(), w, then)
			spans.end(w, nil)
		})
		require.Equal(t, float64(most), allocations)
	}
	require.Empty(t, recorder.Started())
}
