package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
	"allocation/store/products/verify"
)

func (s *Service) verify(args ...string) outcome {
	s.t.Helper()
	return runProgram(s.t, append([]string{"verify", "--kafka-brokers=" + testbed.Kafka(s.t), "--events-topic=" + s.names.events}, args...)...)
}

// execute runs statements as the owner of the tables.
func (s *Service) execute(statements string) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), os.Getenv("DATABASE_URL"))
	require.NoError(s.t, err)
	defer conn.Close(s.t.Context())
	_, err = conn.Exec(s.t.Context(), statements)
	require.NoError(s.t, err)
}

// awaitAtRest returns when n rows are in the outbox, published, and known to be so.
func (s *Service) awaitAtRest(n int64) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), os.Getenv("DATABASE_URL"))
	require.NoError(s.t, err)
	defer conn.Close(s.t.Context())
	require.Eventually(s.t, func() bool {
		var next, published int64
		err := conn.QueryRow(s.t.Context(), `select sum(next_row), sum(published_row) from positions`).Scan(&next, &published)
		return err == nil && next == n && published == n
	}, 30*time.Second, 20*time.Millisecond)
}

// forget drops what is in the outbox, as if it were old.
func (s *Service) forget() {
	s.t.Helper()
	s.execute(`create table outbox_20200101 (like outbox including all);
		alter table outbox attach partition outbox_20200101 for values from ('2020-01-01') to ('2020-01-02');
		update outbox set day = '2020-01-01';
		update lines set last_day = '2020-01-01';
		select outbox_drop_day('2020-01-02')`)
}

// A consumer that tells repeats by ce_id would drop the second.
func TestVerify_namesTwoEventsWithOneID(t *testing.T) {
	s := startService(t)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=7")
	s.send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=9")
	s.awaitAtRest(3)
	s.verify().requireDone(t)

	// As a retry and a replay of the second command had it, before each number was given once.
	s.execute(`update outbox set command_offset = 1, event_no = 1000000 where row_no > 0`)
	for _, args := range [][]string{nil, {"--sku=CHAIR"}, {"--from-topic"}} {
		o := s.verify(args...)
		require.Equal(t, cli.ExitFailed, o.code)
		require.Regexp(t, `(?m)^event_id: product CHAIR, outbox: source (\d+), row 2
  must be     a ce_id of its own
  is          that of source \d+, row 1: event 1000000 of the command of source \d+, offset 1$`, o.out)
		require.Equal(t, "allocation: 1 differences\n", o.err)
	}
}

func TestVerify_saysWhatDiffers(t *testing.T) {
	s := startService(t)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.send("CreateBatch", "ref=t1", "sku=TABLE", "qty=50")
	s.awaitAtRest(3)
	require.Equal(t, `checked 2 products, 2 batches, 1 lines, 3 outbox rows, 0 dead letters
compared 2 products with their events
no differences
`, s.verify().requireDone(t))
	require.Contains(t, s.verify("--from-topic").requireDone(t), "compared 2 products with their events\nno differences\n")

	s.execute(`update batches set qty = 51 where ref = 'b1'`)
	for _, args := range [][]string{nil, {"--sku=CHAIR"}, {"--from-topic"}} {
		o := s.verify(args...)
		require.Equal(t, cli.ExitFailed, o.code)
		require.Contains(t, o.out, `events: product CHAIR, batches: b1
  events say  qty 50 of CHAIR, in the warehouse; created with qty 50, in the warehouse
  is          qty 51 of CHAIR, in the warehouse; created with qty 50, in the warehouse
checked `)
		require.Equal(t, "allocation: 1 differences\n", o.err)
	}
	require.Contains(t, s.verify("--sku=TABLE").requireDone(t), "checked 1 products")

	o := s.verify("--json")
	require.Equal(t, cli.ExitFailed, o.code)
	lines := strings.Split(strings.TrimSpace(o.out), "\n")
	require.Len(t, lines, 2)
	var d verify.Difference
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &d))
	require.Equal(t, verify.CheckEvents, d.Check)
	require.Equal(t, "b1", d.Key)
	require.JSONEq(t, `{"products":2,"batches":2,"lines":1,"outbox_rows":3,"dead_letters":0,"products_folded":2,"products_not_folded":0,
		"lines_without_event":0,"letters_without_row":0,"not_checked":[],"passes":1,"differences":1}`, lines[1])
}

// The topic keeps events longer than the database.
func TestVerify_fromTopicWhereTheDatabaseForgot(t *testing.T) {
	s := startService(t)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.awaitAtRest(2)
	s.forget()
	s.send("Allocate", "orderid=o2", "sku=CHAIR", "qty=20")
	s.awaitAtRest(3)
	require.Equal(t, `checked 1 products, 1 batches, 2 lines, 1 outbox rows, 0 dead letters
compared 0 products with their events
not compared: 1 products, whose events are not all kept
not checked: the last events of 1 lines, which are no longer kept
no differences
`, s.verify().requireDone(t))
	require.Contains(t, s.verify("--from-topic").requireDone(t), "compared 1 products with their events\n")
}

// What goes on meanwhile, published or not yet, gives no false alarm; repeats do neither.
func TestVerify_fromTopicWhileAWorkerWorks(t *testing.T) {
	s := startService(t)
	var lines strings.Builder
	for i := range 6 {
		fmt.Fprintf(&lines, "{\"type\":\"CreateBatch\",\"data\":{\"ref\":\"b%d\",\"sku\":\"SKU-%d\",\"qty\":20000}}\n", i, i)
	}
	for i := range 12000 {
		fmt.Fprintf(&lines, "{\"type\":\"Allocate\",\"data\":{\"orderid\":\"o%d\",\"sku\":\"SKU-%d\",\"qty\":3}}\n", i, i%6)
		if i%3 == 0 {
			fmt.Fprintf(&lines, "{\"type\":\"Dispatch\",\"data\":{\"orderid\":\"o%d\",\"sku\":\"SKU-%d\"}}\n", i/2, i/2%6)
		}
	}
	file := filepath.Join(t.TempDir(), "commands")
	require.NoError(t, os.WriteFile(file, []byte(lines.String()), 0o600))
	sent := make(chan outcome, 1)
	go func() {
		sent <- runWith(t.Context(), "", append([]string{"send", "-f", file}, s.names.flags(t)[:2]...)...)
	}()
	for range 8 {
		s.verify("--from-topic").requireDone(t)
		s.verify().requireDone(t)
	}
	(<-sent).requireDone(t)
	s.repeatEvents(500)
	require.Contains(t, s.verify("--from-topic").requireDone(t), "compared 6 products with their events\n")
}

// repeatEvents publishes the first events again, as a worker does that was frozen.
func (s *Service) repeatEvents(n int) {
	s.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(testbed.Kafka(s.t)), kgo.ConsumeTopics(s.names.events), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(s.t, err)
	defer client.Close()
	for n > 0 {
		records := client.PollRecords(s.t.Context(), n).Records()
		for i, r := range records {
			records[i] = &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers}
		}
		require.NoError(s.t, client.ProduceSync(s.t.Context(), records...).FirstErr())
		n -= len(records)
	}
}

// An event that the topic lacks is found; where the topic got more partitions, products in several
// are left out instead.
func TestVerify_fromTopicThatLacksAnEvent(t *testing.T) {
	s := startService(t)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	for _, order := range []string{"o1", "o2", "o3"} {
		s.send("Allocate", "orderid="+order, "sku=CHAIR", "qty=2")
	}
	s.awaitAtRest(4)
	lacking := s.names.events
	s.names.events = s.copyEvents(func(r *kgo.Record) (int32, bool) { return 0, !strings.Contains(string(r.Value), "o2") })
	o := s.verify("--from-topic")
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.out, "sequence: product CHAIR, events topic: CHAIR\n  must be     events 3 to 3\n  is          they are missing\n")

	s.names.events = lacking
	moved := int32(2)
	s.names.events = s.copyEvents(func(*kgo.Record) (int32, bool) { moved = max(0, moved-1); return moved, true })
	require.Contains(t, s.verify("--from-topic").requireDone(t), "not compared: 1 products")
	s.names.events = lacking
}

// copyEvents copies the events that are wanted to partitions of another topic.
func (s *Service) copyEvents(to func(*kgo.Record) (int32, bool)) string {
	s.t.Helper()
	topic := testbed.Topic(s.t, "copy", 2)
	client, err := kgo.NewClient(kgo.SeedBrokers(testbed.Kafka(s.t)), kgo.ConsumeTopics(s.names.events), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(10*time.Millisecond))
	require.NoError(s.t, err)
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(s.t.Context(), s.names.events)
	require.NoError(s.t, err)
	var left int64
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	for left > 0 {
		for _, r := range client.PollFetches(s.t.Context()).Records() {
			left--
			if partition, wanted := to(r); wanted {
				copied := &kgo.Record{Topic: topic, Partition: partition, Key: r.Key, Value: r.Value, Headers: r.Headers}
				require.NoError(s.t, client.ProduceSync(s.t.Context(), copied).FirstErr())
			}
		}
	}
	return topic
}

func TestVerify_wrongSettings(t *testing.T) {
	o := runProgram(t, "verify", "--from-topic", "--events-topic=..", "--kafka-brokers=x")
	require.Equal(t, cli.ExitUsage, o.code)
	require.Contains(t, o.err, "--events-topic (EVENTS_TOPIC)")
	require.Contains(t, o.err, "--kafka-brokers (KAFKA_BROKERS)")
}
