package verify_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/allocation/verify"
	"allocation/deploy/testbed"
)

// forget drops what is in the outbox, as if it were old.
func forget(s *programtest.Service) {
	s.T.Helper()
	s.Execute(`create table outbox_20200101 (like outbox including all);
		alter table outbox attach partition outbox_20200101 for values from ('2020-01-01') to ('2020-01-02');
		update outbox set day = '2020-01-01';
		update lines set last_day = '2020-01-01';
		select outbox_drop_day('2020-01-02')`)
}

func TestVerify_saysWhatDiffers(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=60")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=50")
	s.Send("CreateBatch", "ref=t1", "sku=TABLE", "qty=50")
	s.AwaitAtRest(4)
	require.Equal(t, `checked 2 products, 2 batches, 1 lines, 4 outbox rows, 0 dead letters
compared 2 products with their events
no differences
`, s.Verify().RequireDone(t))
	require.Contains(t, s.Verify("--from-topic").RequireDone(t), "compared 2 products with their events\nno differences\n")

	s.Execute(`update batches set qty = 51 where ref = 'b1'`)
	for _, args := range [][]string{nil, {"--sku=CHAIR"}, {"--from-topic"}} {
		o := s.Verify(args...)
		o.RequireFailed(t)
		require.Contains(t, o.Out, `events: product CHAIR, batches: b1
  events say  qty 50 of CHAIR, in the warehouse; created with qty 60, in the warehouse
  is          qty 51 of CHAIR, in the warehouse; created with qty 60, in the warehouse
checked `)
		require.Equal(t, "allocation: 1 differences\n", o.Err)
	}
	require.Contains(t, s.Verify("--sku=TABLE").RequireDone(t), "checked 1 products")

	o := s.Verify("--json")
	o.RequireFailed(t)
	lines := strings.Split(strings.TrimSpace(o.Out), "\n")
	require.Len(t, lines, 2)
	var d verify.Difference
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &d))
	require.Equal(t, "events", d.Check)
	require.Equal(t, "b1", d.Key)
	require.Equal(t, `{"check":"events","sku":"CHAIR","table":"batches","key":"b1","expected":"qty 50 of CHAIR, in the warehouse; created with qty 60, in the warehouse","found":"qty 51 of CHAIR, in the warehouse; created with qty 60, in the warehouse"}`, lines[0])
	require.Equal(t, `{"products":2,"batches":2,"lines":1,"outbox_rows":4,"dead_letters":0,"products_folded":2,"products_not_folded":0,`+
		`"lines_without_event":0,"letters_without_row":0,"passes":1,"differences":1,"not_checked":[]}`, lines[1])

	// As a retry and a replay of the second command had it, before each number was given once: a
	// consumer that tells repeats by ce_id would drop the second.
	s.Execute(`update batches set qty = 50 where ref = 'b1'; update outbox set command_offset = 1, event_no = 1000000 where row_no in (1, 2)`)
	for _, args := range [][]string{nil, {"--sku=CHAIR"}, {"--from-topic"}} {
		o := s.Verify(args...)
		o.RequireFailed(t)
		require.Regexp(t, `(?m)^event_id: product CHAIR, outbox: source (\d+), row 2
  must be     a ce_id of its own
  is          that of source \d+, row 1: event 1000000 of the command of source \d+, offset 1$`, o.Out)
		require.Equal(t, "allocation: 1 differences\n", o.Err)
	}
}

// What goes on meanwhile, published or not yet, gives no false alarm; repeats do neither.
func TestVerify_fromTopicWhileAWorkerWorks(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	var lines strings.Builder
	for i := range 6 {
		fmt.Fprintf(&lines, "{\"type\":\"CreateBatch\",\"data\":{\"ref\":\"b%d\",\"sku\":\"SKU-%d\",\"qty\":20000}}\n", i, i)
	}
	for i := range 3000 {
		fmt.Fprintf(&lines, "{\"type\":\"Allocate\",\"data\":{\"orderid\":\"o%d\",\"sku\":\"SKU-%d\",\"qty\":3}}\n", i, i%6)
		if i%3 == 0 {
			fmt.Fprintf(&lines, "{\"type\":\"Dispatch\",\"data\":{\"orderid\":\"o%d\",\"sku\":\"SKU-%d\"}}\n", i/2, i/2%6)
		}
	}
	file := filepath.Join(t.TempDir(), "commands")
	require.NoError(t, os.WriteFile(file, []byte(lines.String()), 0o600))
	sent := make(chan programtest.Outcome, 1)
	go func() {
		sent <- programtest.RunWith(t.Context(), "", append([]string{"send", "-f", file}, s.Names.Flags(t)[:2]...)...)
	}()
	for range 3 {
		s.Verify("--from-topic").RequireDone(t)
		s.Verify().RequireDone(t)
	}
	(<-sent).RequireDone(t)
	repeatEvents(s, 500)
	require.Contains(t, s.Verify("--from-topic").RequireDone(t), "compared 6 products with their events\n")
}

// repeatEvents publishes the first events again, as a worker does that was frozen.
func repeatEvents(s *programtest.Service, n int) {
	s.T.Helper()
	client := testbed.Reader(s.T, testbed.Kafka(s.T), s.Names.Events)
	for n > 0 {
		records := client.PollRecords(s.T.Context(), n).Records()
		for i, r := range records {
			records[i] = &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers}
		}
		require.NoError(s.T, client.ProduceSync(s.T.Context(), records...).FirstErr())
		n -= len(records)
	}
}

// An event that the topic lacks is found; where the topic got more partitions, products in several
// are left out instead.
func TestVerify_fromTopicThatLacksOrKeepsMore(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	for _, order := range []string{"o1", "o2", "o3"} {
		s.Send("Allocate", "orderid="+order, "sku=CHAIR", "qty=2")
	}
	s.AwaitAtRest(4)
	lacking := s.Names.Events
	s.Names.Events = copyEvents(s, func(r *kgo.Record) (int32, bool) { return 0, !strings.Contains(string(r.Value), "o2") })
	s.Verify("--from-topic").RequireFailed(t, "sequence: product CHAIR, events topic: CHAIR\n  must be     events 3 to 3\n  is          they are missing\n")

	s.Names.Events = lacking
	moved := int32(2)
	s.Names.Events = copyEvents(s, func(*kgo.Record) (int32, bool) { moved = max(0, moved-1); return moved, true })
	require.Contains(t, s.Verify("--from-topic").RequireDone(t), "not compared: 1 products")
	s.Names.Events = lacking

	// The topic keeps events longer than the database.
	forget(s)
	s.Send("Allocate", "orderid=o4", "sku=CHAIR", "qty=20")
	s.AwaitAtRest(5)
	require.Equal(t, `checked 1 products, 1 batches, 4 lines, 1 outbox rows, 0 dead letters
compared 0 products with their events
not compared: 1 products, whose events are not all kept
not checked: the last events of 3 lines, which are no longer kept
no differences
`, s.Verify().RequireDone(t))
	s.Verify("--from-topic").RequireDone(t, "compared 1 products with their events\n")
}

// copyEvents copies the events that are wanted to partitions of another topic.
func copyEvents(s *programtest.Service, to func(*kgo.Record) (int32, bool)) string {
	s.T.Helper()
	topic := testbed.Topic(s.T, "copy", 2)
	client := testbed.Client(s.T, testbed.Kafka(s.T), kgo.ConsumeTopics(s.Names.Events), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ends, err := kadm.NewClient(client).ListEndOffsets(s.T.Context(), s.Names.Events)
	require.NoError(s.T, err)
	var left int64
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	for left > 0 {
		for _, r := range client.PollFetches(s.T.Context()).Records() {
			left--
			if partition, wanted := to(r); wanted {
				copied := &kgo.Record{Topic: topic, Partition: partition, Key: r.Key, Value: r.Value, Headers: r.Headers}
				require.NoError(s.T, client.ProduceSync(s.T.Context(), copied).FirstErr())
			}
		}
	}
	return topic
}

func TestVerify_wrongSettings(t *testing.T) {
	t.Parallel()
	programtest.Run(t, "verify", "--from-topic", "--events-topic=..", "--kafka-brokers=x").RequireMisuse(t, "--events-topic (EVENTS_TOPIC)", "--kafka-brokers (KAFKA_BROKERS)")
}
