package worker_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

// badInput is a record that is refused.
type badInput struct {
	record *kgo.Record
	reason string
}

// badInputs are unusual in what must be kept of them.
func badInputs() (all []badInput) {
	const makes = typePrefix + "Make"
	add := func(reason string, key, value []byte, headers ...kgo.RecordHeader) {
		all = append(all, badInput{&kgo.Record{Key: key, Value: value, Headers: headers}, reason})
	}
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	ofType := header("ce_type", makes)
	const most = 1<<20 - 300 // brokers take batches of 1 MiB
	fill := noise(most)
	var many []kgo.RecordHeader
	for i := range 500 {
		many = append(many, header(fmt.Sprintf("h%d", i%7), strconv.Itoa(i)))
	}
	add("malformed", nil, []byte("x"), ofType)
	add("malformed", []byte{}, nil, ofType)
	add("malformed", []byte{0, 0xff}, []byte{}, ofType)
	add("malformed", []byte("key"), []byte("\x00\xff"), ofType)
	add("malformed", nil, []byte(`{"key":"a","name":"s","n":1}`))
	add("malformed", nil, []byte(`{"key":"a"`), header("content-type", "application/cloudevents+json"))
	add("malformed", nil, []byte(`{"key":"a","name":"s"}`), ofType)
	add("unknown_type", nil, []byte(`{"key":"a","name":"s","n":1}`), header("ce_type", typePrefix+"Nope"))
	add("unknown_type", nil, []byte("x"), header("ce_type", strings.Repeat("é", 127)))
	add("unknown_key", nil, []byte(`{"key":"nowhere","n":1}`), header("ce_type", typePrefix+"Add"))
	add("malformed", nil, []byte("x"), header("", ""), kgo.RecordHeader{Key: "a"}, header("a", ""), header("a", "\x00\xff"), header("\xff", "y"), ofType)
	add("malformed", nil, []byte("x"), ofType, header("dlq-reason", "mine"), kgo.RecordHeader{Key: "dlq-message"}, header("dlq-original-offset", "x"))
	add("malformed", nil, []byte("x"), ofType, header("ce_id", "\x00"), header("traceparent", "\xff"), header("ce_correlationid", strings.Repeat("x", 300)))
	add("malformed", nil, []byte("x"), append(many, ofType)...)
	add("malformed", nil, []byte(fill), ofType)
	add("malformed", nil, []byte("x"), ofType, header("large", fill))
	add("malformed", nil, []byte("x"), header("ce_type", fill))
	add("malformed", nil, []byte(`{"key":"`+fill+`","name":"s","n":1}`), ofType)
	for _, at := range []int64{-1, 0, 1, 981173106000} { // none; the epoch; the year 2001
		add("malformed", nil, []byte("x"), ofType)
		all[len(all)-1].record.Timestamp = time.UnixMilli(at)
	}
	return all
}

// noise is text that compression makes little of.
func noise(bytes int) string {
	text := make([]byte, bytes)
	for i := range text {
		text[i] = byte('0' + rand.IntN(64))
		if text[i] == '\\' {
			text[i] = '-'
		}
	}
	return string(text)
}

// Every bad record is a dead letter, byte for byte and with the right reason, in Kafka and in
// Postgres; every good one between them is applied; nothing stands still.
func TestWorker_refusesBadInput(t *testing.T) {
	p := setup(t, 1)
	p.setTopic(p.letters, "max.message.bytes", strconv.Itoa(4<<20)) // room for the largest command and its headers
	m := p.start()
	inputs := badInputs()
	plain := p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(1<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	rejected := 0
	for i, input := range inputs {
		input.record.Topic = p.commands
		require.NoError(t, plain.ProduceSync(t.Context(), input.record).FirstErr())
		p.sendNames(0, i, 1)
		if input.reason == "unknown_key" {
			rejected++
		}
	}
	letters := map[int64]*kgo.Record{}
	for _, r := range p.await(2*len(inputs) + rejected) {
		if r.Topic == p.letters {
			at, err := strconv.ParseInt(header(r, "dlq-original-offset"), 10, 64)
			require.NoError(t, err)
			letters[at] = r
		}
	}
	rows := p.letterRows()
	require.Len(t, letters, len(inputs))
	require.Len(t, rows, len(inputs))
	for _, input := range inputs {
		at := input.record.Offset
		message := p.requireLetter(input, letters[at])
		want := letterRow{kept: keptOf(input.record, len(input.record.Headers)), reason: input.reason, message: message, time: max(input.record.Timestamp.UnixMilli(), -1)}
		require.Equal(t, want, rows[at], "the row of %.100q", input.record.Value)
	}
	p.awaitAllCommitted()
	require.Empty(t, m.NotReady(t.Context()))
}

// kept is what a dead letter keeps of its record. Nothing is not the same as an empty value.
type kept struct {
	key, value []byte
	headers    []kgo.RecordHeader
}

// keptOf is what a record has, with so many of its headers.
func keptOf(r *kgo.Record, headers int) kept {
	return kept{r.Key, r.Value, append([]kgo.RecordHeader(nil), r.Headers[:headers]...)}
}

// requireLetter compares a dead letter with its record, and returns what it says to people.
func (p *pipeline) requireLetter(input badInput, letter *kgo.Record) (message string) {
	p.t.Helper()
	own := len(input.record.Headers)
	require.Equal(p.t, keptOf(input.record, own), keptOf(letter, own))
	want := map[string]string{
		"dlq-reason": input.reason, "dlq-original-topic": p.commands, "dlq-original-partition": "0",
		"dlq-original-offset": strconv.FormatInt(input.record.Offset, 10), "dlq-consumer-group": p.group,
	}
	if ms := input.record.Timestamp.UnixMilli(); ms >= 0 {
		want["dlq-original-timestamp"] = strconv.FormatInt(ms, 10)
	}
	got := map[string]string{}
	for _, h := range letter.Headers[own:] {
		got[h.Key] = string(h.Value)
	}
	message = got["dlq-message"]
	require.NotEmpty(p.t, message)
	require.LessOrEqual(p.t, len(message), 1000)
	delete(got, "dlq-message")
	require.Equal(p.t, want, got)
	return message
}

// letterRow is a dead letter in Postgres.
type letterRow struct {
	kept
	reason, message string
	time            int64 // -1: none
}

// letterRows are the dead letters by their offset.
func (p *pipeline) letterRows() map[int64]letterRow {
	p.t.Helper()
	db, err := sql.Open("pgx", p.database)
	require.NoError(p.t, err)
	defer db.Close()
	found, err := db.QueryContext(p.t.Context(), `select command_offset, reason, message, record_key, value, headers, coalesce(command_time, -1) from dead_letters`)
	require.NoError(p.t, err)
	defer found.Close()
	rows := map[int64]letterRow{}
	for found.Next() {
		var at int64
		var r letterRow
		var encoded []byte
		require.NoError(p.t, found.Scan(&at, &r.reason, &r.message, &r.key, &r.value, &encoded, &r.time))
		r.headers, err = outbox.DecodeHeaders(encoded)
		require.NoError(p.t, err)
		rows[at] = r
	}
	require.NoError(p.t, found.Err())
	return rows
}

// setTopic changes a topic's configuration.
func (p *pipeline) setTopic(topic, name, value string) {
	p.t.Helper()
	set := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}
	answer, err := kadm.NewClient(p.client).AlterTopicConfigs(p.t.Context(), set, topic)
	require.NoError(p.t, err)
	require.NoError(p.t, answer[0].Err)
}
