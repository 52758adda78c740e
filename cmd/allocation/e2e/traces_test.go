package e2e

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"allocation/deploy/testbed"
)

// producerSpan is the id of the span in which commands were sent.
const producerSpan = "b7ad6b7169203331"

// traceID is the id of a trace, by a letter.
func traceID(letter string) string { return strings.Repeat(letter, 32) }

// traced is a command that came with a trace.
func (a *arena) traced(letter, flags, commandType, key, data string) *kgo.Record {
	parent := fmt.Sprintf("00-%s-%s-%s", traceID(letter), producerSpan, flags)
	headers := append(typed(commandType), kgo.RecordHeader{Key: "traceparent", Value: []byte(parent)}, kgo.RecordHeader{Key: "tracestate", Value: []byte("vendor=1")})
	return &kgo.Record{Topic: a.commands[0], Key: []byte(key), Value: []byte(data), Headers: headers}
}

// plain replaces what each run of the test calls otherwise.
func (a *arena) plain(said []string) []string {
	names := strings.NewReplacer(a.group, "GROUP", a.commands[0], "commands", a.events, "events", a.letters, "letters")
	for i := range said {
		said[i] = names.Replace(said[i])
	}
	return said
}

// sayTrace says what is in a trace, without the ids of events, which no two runs share.
func (a *arena) sayTrace(r *receiver, id string) (said []string) {
	for _, s := range r.trace(id) {
		text := saySpan(s)
		if before, rest, ok := strings.Cut(text, " cloudevents.event_id="); ok {
			_, rest, _ = strings.Cut(rest, " ")
			text = before + " " + rest
		}
		said = append(said, text)
	}
	return a.plain(said)
}

// told is what is to be said of a span of a command's way.
type told struct {
	operation, topic, eventType, key string
	offset                           int
	more                             []string
}

func (s told) String() string {
	kinds := map[string]string{"poll": "client", "wait": "internal", "process": "consumer", "send": "client"}
	types := map[string]string{"poll": "receive", "process": "process", "send": "send"}
	said := []string{s.operation, s.topic, kinds[s.operation], "of", producerSpan}
	add := func(attribute, value string) {
		if value != "" {
			said = append(said, attribute+"="+value)
		}
	}
	add("cloudevents.event_type", s.eventType)
	if s.operation != "send" {
		add("messaging.consumer.group.name", "GROUP")
	}
	add("messaging.destination.name", s.topic)
	add("messaging.destination.partition.id", "0")
	add("messaging.kafka.message.key", s.key)
	add("messaging.kafka.offset", strconv.Itoa(s.offset))
	add("messaging.operation.name", s.operation)
	add("messaging.operation.type", types[s.operation])
	add("messaging.system", "kafka")
	return strings.Join(append(said, s.more...), " ")
}

// The way of a command is read from what a collector gets: two commands of one transaction that are
// sampled, among two that are not, and one that is refused and then retried.
func TestTraces_tellACommandsWay(t *testing.T) {
	t.Parallel()
	a, collector := setup(t, 1), newReceiver(t)
	a.itself()
	create, order := a.traced("a", "01", "CreateBatch", "CHAIR", `{"ref":"b1","sku":"CHAIR","qty":10}`), a.traced("b", "01", "Allocate", "CHAIR", `{"orderid":"o1","sku":"CHAIR","qty":1}`)
	unsampled := a.traced("c", "00", "Allocate", "CHAIR", `{"orderid":"o2","sku":"CHAIR","qty":1}`)
	untraced := &kgo.Record{Topic: a.commands[0], Key: []byte("CHAIR"), Value: []byte(`{"orderid":"o3","sku":"CHAIR","qty":1}`), Headers: typed("Allocate")}
	require.NoError(t, a.client.ProduceSync(t.Context(), create, order, unsampled, untraced).FirstErr())

	worker := a.start("traced", "", "OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.url)
	await(t, time.Minute, a.done, "they are applied")
	refused := a.traced("d", "01", "Allocate", "LAMP", `{"orderid":"o4","sku":"LAMP","qty":1}`)
	require.NoError(t, a.client.ProduceSync(t.Context(), refused).FirstErr())
	await(t, time.Minute, a.done, "it is refused")
	a.produce("CreateBatch", `{"ref":"b2","sku":"LAMP","qty":10}`)
	await(t, time.Minute, a.done, "it can be retried")
	a.subcommand("dlq", "retry", a.commands[0]+".0.4", "--wait=1m")
	await(t, time.Minute, a.done, "it is retried")
	worker.stop() // which sends what is left

	way := func(offset int, eventType, key string, more ...string) []string {
		command := told{topic: "commands", key: key, offset: offset}
		poll, wait, process := command, command, command
		poll.operation, wait.operation, process.operation = "poll", "wait", "process"
		process.eventType, process.more = "allocation.v1."+eventType, more
		return []string{poll.String(), wait.String(), process.String()}
	}
	sent := func(topic string, offset int, eventType, key string) string {
		return told{operation: "send", topic: topic, eventType: eventType, key: key, offset: offset}.String()
	}
	require.Equal(t, append(way(0, "CreateBatch", "CHAIR", "outcome=changed"), sent("events", 0, "allocation.v1.BatchCreated", "CHAIR")), a.sayTrace(collector, traceID("a")))
	require.Equal(t, append(way(1, "Allocate", "CHAIR", "outcome=changed"), sent("events", 1, "allocation.v1.Allocated", "CHAIR")), a.sayTrace(collector, traceID("b")))
	require.Empty(t, collector.trace(traceID("c")), "who sent it does not record its trace")
	require.ElementsMatch(t, slices.Concat(
		way(4, "Allocate", "LAMP", "outcome=refused", "reason=unknown_sku"),
		[]string{sent("events", 4, "allocation.v1.AllocationRejected", "LAMP"), sent("letters", 0, "allocation.v1.Allocate", "LAMP")},
		way(4, "Allocate", "LAMP", "outcome=changed", "redriven=true")[2:],
		[]string{sent("letters", 1, "", "LAMP"), sent("events", 6, "allocation.v1.Allocated", "LAMP")},
	), a.sayTrace(collector, traceID("d")))

	transactions := collector.spans(func(s *otlp.Span) bool { return strings.HasPrefix(s.Name, "transaction ") })
	require.Len(t, transactions, 3, "of those that sampled commands are in")
	first := transactions[0]
	require.Equal(t, []string{"transaction commands consumer of  messaging.batch.message_count=4 messaging.consumer.group.name=GROUP" +
		" messaging.destination.name=commands messaging.operation.name=transaction messaging.operation.type=process messaging.system=kafka partitions=1"}, a.plain([]string{saySpan(first)}))
	require.Equal(t, []string{traceID("a") + "-" + producerSpan, traceID("b") + "-" + producerSpan}, linksOf(first))
	for _, letter := range []string{"a", "b"} {
		process := collector.trace(traceID(letter))[2]
		require.Equal(t, []string{hex.EncodeToString(first.TraceId) + "-" + hex.EncodeToString(first.SpanId)}, linksOf(process))
	}
	requireSpansBelong(t, collector, transactions)
	requireCopied(t, a, create, order, unsampled)
}

// requireSpansBelong checks that what Postgres was asked is below a transaction, and that nothing
// else has spans.
func requireSpansBelong(t *testing.T, r *receiver, transactions []*otlp.Span) {
	t.Helper()
	require.Equal(t, map[string]bool{"allocation": true}, r.named)
	known := map[string]bool{traceID("a"): true, traceID("b"): true, traceID("d"): true}
	for _, s := range transactions {
		id := hex.EncodeToString(s.TraceId)
		known[id] = true
		require.Greater(t, len(r.trace(id)), 1, "what Postgres was asked")
	}
	require.Empty(t, r.spans(func(s *otlp.Span) bool { return !known[hex.EncodeToString(s.TraceId)] }))
}

// requireCopied checks that the events of commands, which have one each, have their trace headers
// byte for byte.
func requireCopied(t *testing.T, a *arena, commands ...*kgo.Record) {
	t.Helper()
	reader := testbed.Reader(t, a.brokers, a.events)
	var events []*kgo.Record
	for len(events) < len(commands) {
		events = append(events, reader.PollFetches(t.Context()).Records()...)
	}
	for i, command := range commands {
		headers := events[i].Headers
		require.Equal(t, command.Headers[len(command.Headers)-2:], headers[len(headers)-2:])
	}
}
