package outbox

import (
	"cmp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const (
	sampledParent   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	unsampledParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

func tracedBy(row Row, parent string) Row {
	row.Cause = &Cause{TraceParent: parent, Time: NoTime}
	return row
}

// traced is a relay whose spans are kept.
func (s *stage) traced() (*Relay, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder))
	r := s.relay(func(o *Options) { o.Tracer = provider.Tracer("test") })
	s.open(r, 1, 0)
	return r, recorder
}

// What a sampled command has published is a span in its trace, one for each topic; dead letters
// too. Other commands have none.
func TestRelay_tellsTheTraceOfASampledCommandWhatItSends(t *testing.T) {
	s := newStage(t)
	r, recorder := s.traced()
	r.Publish(1, s.table.commit(1, tracedBy(event("Allocated", "CHAIR", "o1"), sampledParent), tracedBy(event("Allocated", "LAMP", "o2"), unsampledParent),
		event("Allocated", "DESK", "o3"), tracedBy(deadLetter(1), sampledParent)))
	s.flush(r)
	ended := recorder.Ended()
	slices.SortFunc(ended, func(a, b sdk.ReadOnlySpan) int { return cmp.Compare(a.Name(), b.Name()) })
	require.Len(t, ended, 3)
	for i, topic := range []string{events, routed, deadLetters} {
		require.Equal(t, "send "+topic, ended[i].Name())
		require.Equal(t, trace.SpanKindClient, ended[i].SpanKind(), "the context of a record is the command's, not this span's")
		require.Equal(t, sampledParent[3:35], ended[i].SpanContext().TraceID().String())
		require.Equal(t, sampledParent[36:52], ended[i].Parent().SpanID().String())
	}
	record := s.readAll(events)
	at := slices.IndexFunc(record, func(r *kgo.Record) bool { return string(r.Key) == "CHAIR" })
	attributes := map[string]any{}
	for _, a := range ended[0].Attributes() {
		attributes[string(a.Key)] = a.Value.AsInterface()
	}
	require.Equal(t, map[string]any{
		"messaging.system": "kafka", "messaging.operation.name": "send", "messaging.operation.type": "send", "messaging.destination.name": events,
		"messaging.destination.partition.id": strconv.Itoa(int(record[at].Partition)), "messaging.kafka.offset": record[at].Offset, "messaging.kafka.message.key": "CHAIR",
		"cloudevents.event_type": "allocation.v1.Allocated", "cloudevents.event_id": header(record[at], "ce_id"),
	}, attributes)
}

// Each try is a span, and one that failed says why.
func TestRelay_tellsTheTraceOfACommandOfEachTry(t *testing.T) {
	s := newStage(t)
	r, recorder := s.traced()
	fault := s.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: events, Err: kerr.TopicAuthorizationFailed, Count: -1})
	r.Publish(1, s.table.commit(1, tracedBy(event("BatchCreated", "CHAIR", "b1"), sampledParent)))
	s.await(func() bool { return len(recorder.Ended()) > 0 })
	fault.Remove()
	s.flush(r)
	ended := recorder.Ended()
	require.Equal(t, codes.Error, ended[0].Status().Code)
	require.Contains(t, ended[0].Attributes(), semconv.ErrorTypeKey.String("TOPIC_AUTHORIZATION_FAILED"))
	require.Equal(t, codes.Unset, ended[len(ended)-1].Status().Code)
}

// A record that is too large is tried alone, by another client.
func TestRelay_tellsTheTraceOfACommandOfARecordThatIsSentAlone(t *testing.T) {
	s := newStage(t)
	r, recorder := s.traced()
	r.Publish(1, s.table.commit(1, tracedBy(deadLetter(2<<20), sampledParent)))
	s.flush(r)
	var tries []codes.Code
	for _, span := range recorder.Ended() {
		tries = append(tries, span.Status().Code)
	}
	require.Equal(t, []codes.Code{codes.Error, codes.Unset}, tries)
}

// Commands that are not sampled cost no memory.
func TestRelay_spansCostNothingWithoutSampledCommands(t *testing.T) {
	on := &Relay{tracer: sdk.NewTracerProvider().Tracer("test")}
	sampled, unsampled := &Cause{TraceParent: sampledParent}, &Cause{TraceParent: unsampledParent}
	record := &kgo.Record{Topic: events}
	require.Zero(t, testing.AllocsPerRun(10, func() {
		endSend(new(Relay).beginSend(sampled, record), record, nil)
		endSend(on.beginSend(unsampled, record), record, nil)
		endSend(on.beginSend(noCause, record), record, nil)
	}))
}
