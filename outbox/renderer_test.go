package outbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	specSource = Source{ID: 7, Topic: "warehouse.commands", TopicID: [16]byte([]byte("my topic id 123\x00")), Partition: 3}
	specCause  = Cause{
		CommandID: "cmd-4711", CorrelationID: "checkout-77", Time: time.Date(2026, 11, 23, 2, 40, 7, 123e6, time.UTC).UnixMilli(),
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", TraceState: "vendor=1",
	}
	bareCause = Cause{Time: NoTime}
)

// renderings are what is published, by the name of their golden file. Changing one breaks
// consumers.
func renderings() map[string]Row {
	event := func(kind, subject, value string, sequence int64) Row {
		return Row{Number: 9, Offset: 1042, Event: 2, Type: kind, Key: "CHAIR", Subject: subject, Value: []byte(value), Sequence: sequence, Cause: &specCause}
	}
	rejected := event("AllocationRejected", "o2", `{"orderid":"o2","sku":"CHAIR","qty":20,"reason":"line_conflict"}`, 0)
	bare := event("Allocated", "o2", `{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2"}`, 9_223_372_036_854_775_807)
	bare.Cause, bare.Event = &bareCause, 0
	letter := Row{Number: 10, Offset: 1043, Cause: &specCause, DeadLetter: &DeadLetter{
		Reason: "unknown_sku", Message: "sku: no batch of CHAIR was ever created", Key: []byte("CHAIR"), Value: []byte(`{"orderid":"o2"}`),
		Headers: []Header{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}, {Key: "empty", Value: []byte{}}, {Key: "nothing", Value: nil}, {Key: "twice", Value: []byte("1")}, {Key: "twice", Value: []byte("\xff\x00")}},
	}}
	empty := Row{Number: 11, Offset: 1044, Cause: &bareCause, DeadLetter: &DeadLetter{Reason: "malformed", Message: "no value"}}
	again := Row{Number: 12, Offset: 1045, Cause: &specCause, DeadLetter: &DeadLetter{
		Reason: "malformed", Message: "not JSON", Key: []byte{}, Value: []byte{},
		Headers: []Header{{Key: "dlq-reason", Value: []byte("unknown_sku")}, {Key: "dlq-original-offset", Value: []byte("7")}},
	}}
	packed := Row{Number: 13, Offset: 1046, Cause: &Cause{Time: specCause.Time}, DeadLetter: &DeadLetter{
		Reason: "too_large", Message: "the batch of 3 records unpacks to too much", Batch: &RecordBatch{Last: 1048, Records: 3, Bytes: 21_000, Codec: "zstd"},
	}}
	return map[string]Row{
		"BatchCreated":         event("BatchCreated", "b1", `{"ref":"b1","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`, 1),
		"BatchQuantityChanged": event("BatchQuantityChanged", "b1", `{"batchref":"b1","sku":"CHAIR","qty":25,"revision":3}`, 4),
		"BatchEtaChanged":      event("BatchEtaChanged", "b1", `{"batchref":"b1","sku":"CHAIR"}`, 5),
		"Allocated":            event("Allocated", "o2", `{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2"}`, 7),
		"Deallocated":          event("Deallocated", "o2", `{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b1","reason":"batch_reduced"}`, 6),
		"OutOfStock":           event("OutOfStock", "o2", `{"orderid":"o2","sku":"CHAIR","qty":20,"lineid":"l1"}`, 8),
		"Dispatched":           event("Dispatched", "o2", `{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2"}`, 9),
		"AllocationRejected":   rejected,
		"bare-command":         bare,
		"dead-letter":          letter,
		"dead-letter-empty":    empty,
		"dead-letter-again":    again,
		"dead-letter-batch":    packed,
	}
}

func render(row *Row, f form) *kgo.Record {
	e := Envelope{TypePrefix: "allocation.v1.", EventsTopic: events, DeadLetterTopic: deadLetters, Source: "/allocation", Group: "allocation"}
	r := newRenderer(&e, specSource)
	if row.DeadLetter == nil {
		record := r.event(row, nil)
		return &record
	}
	record := r.deadLetter(row)
	return f.in(&record, len(row.DeadLetter.Headers))
}

func text(r *kgo.Record) []byte {
	var b bytes.Buffer
	quote := func(v []byte) string {
		if v == nil {
			return "nil"
		}
		return fmt.Sprintf("%q", v)
	}
	fmt.Fprintf(&b, "topic   %s\nkey     %s\nvalue   %s\n", r.Topic, quote(r.Key), quote(r.Value))
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "header  %s: %s\n", h.Key, quote(h.Value))
	}
	return b.Bytes()
}

func TestRenderer_golden(t *testing.T) {
	t.Parallel()
	for name, row := range renderings() {
		golden(t, name, render(&row, whole))
	}
	letter := renderings()["dead-letter"]
	golden(t, "dead-letter-without-value", render(&letter, withoutValue))
	golden(t, "dead-letter-reasons-only", render(&letter, reasonsOnly))
	empty := renderings()["dead-letter-empty"]
	keyed := render(&empty, whole)
	makeUpKey(keyed, "warehouse.commands.3.1044")
	golden(t, "dead-letter-key-made-up", keyed)
}

func golden(t *testing.T, name string, r *kgo.Record) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	got := text(r)
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), name)
	require.True(t, r.Timestamp.IsZero(), "the time of publishing")
}

// A repeat is rendered by another process, among other rows, and has the same bytes.
func TestRenderer_repeatsAreTheSameBytes(t *testing.T) {
	t.Parallel()
	e := Envelope{TypePrefix: "allocation.v1.", EventsTopic: events, Source: "/allocation"}
	one, two := newRenderer(&e, specSource), newRenderer(&e, specSource)
	rows := numbered("Allocated", "CHAIR", 0, 50)
	for i := range rows {
		rows[i].Cause = &Cause{Time: int64(i%3) * 1000}
	}
	var first [][]byte
	for i := range rows {
		record := one.event(&rows[i], nil)
		first = append(first, text(&record))
	}
	for i := len(rows) - 1; i >= 0; i-- {
		record := two.event(&rows[i], nil)
		require.Equal(t, string(first[i]), string(text(&record)))
	}
}

func TestRenderer_timeThatCannotBeWrittenIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, ms := range []int64{NoTime, -62135596800000, 253402300800000, 1<<63 - 1} {
		row := event("Allocated", "CHAIR", "o1")
		row.Cause = &Cause{Time: ms}
		require.Empty(t, header(render(&row, whole), "ce_time"))
	}
}
