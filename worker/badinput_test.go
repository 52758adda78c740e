package worker_test

import (
	"database/sql"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/worker"
	"allocation/worker/cloudevents"
)

// Every bad record is a dead letter, byte for byte and with the right reason, in Kafka and in
// Postgres; every good one between them is applied; nothing stands still.
func TestWorker_refusesBadInput(t *testing.T) {
	p := setup(t, 4)
	p.setTopic(p.letters, "max.message.bytes", strconv.Itoa(4<<20)) // room for the largest command and its headers
	mapped := testbed.Topic(t, "mapped", 4)
	p.topics = []worker.Topic{{Name: mapped, Types: cloudevents.Types{Type: "Add"}}}
	probes := envelopeProbes(mapped)
	rand.Shuffle(len(probes), func(i, j int) { probes[i], probes[j] = probes[j], probes[i] })
	t.Logf("%d probes", len(probes))

	m := p.start()
	p.spread(4, probes)
	got := p.answers(probes)
	rows := p.letterRows()
	for _, probe := range probes {
		at := placeOf(probe.record)
		p.checkEvents(probe, got.events[at])
		p.checkLetter(probe, got.letters[at])
		p.checkRow(probe, got.letters[at], rows[at])
	}
	require.Len(t, rows, len(got.letters))
	p.awaitAllCommitted()
	require.Empty(t, m.NotReady(t.Context()))
}

// setTopic changes a topic's configuration.
func (p *pipeline) setTopic(topic, name, value string) {
	p.t.Helper()
	set := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}
	answer, err := kadm.NewClient(p.client).AlterTopicConfigs(p.t.Context(), set, topic)
	require.NoError(p.t, err)
	require.NoError(p.t, answer[0].Err)
}

func (p *pipeline) checkEvents(probe probe, events []string) {
	if !slices.Equal(probe.events, events) {
		p.t.Errorf("%s: events %v, want %v", probe.name, events, probe.events)
	}
}

func (p *pipeline) checkLetter(probe probe, letter *kgo.Record) {
	if letter == nil || probe.refused == "" {
		if letter != nil || probe.refused != "" {
			p.t.Errorf("%s: dead letter %v, want reason %q", probe.name, letter, probe.refused)
			if letter != nil {
				p.t.Errorf("  it says: %s", header(letter, "dlq-message"))
			}
		}
		return
	}
	sent := probe.record
	if !same(sent.Key, letter.Key) || !same(sent.Value, letter.Value) {
		p.t.Errorf("%s: key %q and value %.100q became %q and %.100q", probe.name, sent.Key, sent.Value, letter.Key, letter.Value)
	}
	own := len(sent.Headers)
	if len(letter.Headers) < own || !slices.EqualFunc(sent.Headers, letter.Headers[:own], sameHeader) {
		p.t.Errorf("%s: headers %.200q became %.300q", probe.name, sent.Headers, letter.Headers)
		return
	}
	p.checkReasons(probe, letter.Headers[own:])
}

// checkReasons checks the headers that a dead letter has of its own.
func (p *pipeline) checkReasons(probe probe, headers []kgo.RecordHeader) {
	sent, got := probe.record, map[string]string{}
	for _, h := range headers {
		got[h.Key] = string(h.Value)
	}
	message := got["dlq-message"]
	if !strings.Contains(message, probe.says) || message == "" || len(message) > 1000 {
		p.t.Errorf("%s: the message %q must name %q", probe.name, message, probe.says)
	}
	delete(got, "dlq-message")
	want := map[string]string{
		"dlq-reason": probe.refused, "dlq-original-topic": sent.Topic, "dlq-original-partition": strconv.Itoa(int(sent.Partition)),
		"dlq-original-offset": strconv.FormatInt(sent.Offset, 10), "dlq-consumer-group": p.group,
	}
	if ms := sent.Timestamp.UnixMilli(); ms >= 0 {
		want["dlq-original-timestamp"] = strconv.FormatInt(ms, 10)
	}
	if len(headers) != len(want)+1 {
		p.t.Errorf("%s: headers %q", probe.name, headers)
	}
	for name, value := range want {
		if got[name] != value {
			p.t.Errorf("%s: %s is %q, want %q", probe.name, name, got[name], value)
		}
	}
}

// same tells null from empty.
func same(a, b []byte) bool { return (a == nil) == (b == nil) && string(a) == string(b) }

func sameHeader(a, b kgo.RecordHeader) bool { return a.Key == b.Key && same(a.Value, b.Value) }

// letterRow is a dead letter in Postgres.
type letterRow struct {
	reason, message     string
	key, value, headers []byte
	time                sql.NullInt64
}

func (p *pipeline) letterRows() map[place]letterRow {
	p.t.Helper()
	db, err := sql.Open("pgx", p.database)
	require.NoError(p.t, err)
	defer db.Close()
	found, err := db.QueryContext(p.t.Context(), `select p.topic, p.partition, d.command_offset, d.reason, d.message, d.record_key, d.value, d.headers, d.command_time
		from dead_letters d join positions p using (source)`)
	require.NoError(p.t, err)
	defer found.Close()
	rows := map[place]letterRow{}
	for found.Next() {
		var at place
		var r letterRow
		require.NoError(p.t, found.Scan(&at.topic, &at.partition, &at.offset, &r.reason, &r.message, &r.key, &r.value, &r.headers, &r.time))
		rows[at] = r
	}
	require.NoError(p.t, found.Err())
	return rows
}

// checkRow compares a dead letter's row with what was sent and with the message.
func (p *pipeline) checkRow(probe probe, letter *kgo.Record, row letterRow) {
	if probe.refused == "" || letter == nil {
		return
	}
	sent := probe.record
	if row.reason != probe.refused || row.message != header(&kgo.Record{Headers: letter.Headers[len(sent.Headers):]}, "dlq-message") {
		p.t.Errorf("%s: the row says %s: %s", probe.name, row.reason, row.message)
	}
	if ms := sent.Timestamp.UnixMilli(); row.time != (sql.NullInt64{Int64: max(0, ms), Valid: ms >= 0}) {
		p.t.Errorf("%s: the row has time %v, want %d", probe.name, row.time, ms)
	}
	if !same(sent.Key, row.key) || !same(sent.Value, row.value) {
		p.t.Errorf("%s: the row has key %q and value %.100q", probe.name, row.key, row.value)
	}
	if !slices.EqualFunc(sent.Headers, headersOf(row.headers), sameHeader) {
		p.t.Errorf("%s: the row has headers %.300q", probe.name, headersOf(row.headers))
	}
}

// headersOf reads headers as Kafka encodes them.
func headersOf(in []byte) (headers []kgo.RecordHeader) {
	number := func() int64 {
		v, n := binary.Varint(in)
		in = in[n:]
		return v
	}
	bytes := func() []byte {
		n := number()
		if n < 0 {
			return nil
		}
		b := in[:n:n]
		in = in[n:]
		return b
	}
	for range number() {
		headers = append(headers, kgo.RecordHeader{Key: string(bytes()), Value: bytes()})
	}
	return headers
}
