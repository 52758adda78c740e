package send_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/send"
	"allocation/deploy/testbed"
)

func TestSend_oneCommand(t *testing.T) {
	t.Parallel()
	topic := testbed.Topic(t, "commands", 3)
	out := programtest.Run(t, "send", "CreateBatch", "ref=b 1", "qty=50", "sku=CHAIR", "eta=2030-01-31", "--id=cmd-1", "--correlation-id=checkout-7",
		"--json", "--kafka-brokers="+testbed.Kafka(t), "--command-topics="+topic).RequireDone(t)
	var sent send.Sent
	require.NoError(t, json.Unmarshal([]byte(out), &sent))

	r := consume(t, topic, 1)[0]
	require.Equal(t, send.Sent{ID: "cmd-1", Topic: topic, Partition: r.Partition, Offset: r.Offset}, sent)
	require.Equal(t, "CHAIR", string(r.Key))
	require.Equal(t, `{"ref":"b 1","qty":50,"sku":"CHAIR","eta":"2030-01-31"}`, string(r.Value))
	require.Equal(t, map[string]string{
		"content-type": "application/json", "ce_specversion": "1.0", "ce_type": "allocation.v1.CreateBatch", "ce_source": "/allocation/send",
		"ce_id": "cmd-1", "ce_correlationid": "checkout-7",
	}, headersOf(r))
}

func TestSend_withoutSKUHasNoKey(t *testing.T) {
	t.Parallel()
	topic := testbed.Topic(t, "commands", 1)
	out := programtest.Run(t, "send", "ChangeBatchQuantity", "batchref=b1", "qty=5", "--kafka-brokers="+testbed.Kafka(t), "--command-topics="+topic).RequireDone(t)
	require.Regexp(t, `^sent ChangeBatchQuantity [0-9a-f-]{36} to `+topic+`, partition 0, offset 0\n$`, out)
	require.Nil(t, consume(t, topic, 1)[0].Key)
}

func TestSend_topicMissing(t *testing.T) {
	t.Parallel()
	programtest.Run(t, "send", "Dispatch", "orderid=o1", "sku=s", "--kafka-brokers="+testbed.Kafka(t), "--command-topics=none").RequireFailed(t, "the topic none does not exist: run `allocation topics create`")
}

// Another batch than the one asked for would be sent.
func TestSend_refusesBytesThatAreNotUTF8(t *testing.T) {
	t.Parallel()
	topic := testbed.Topic(t, "commands", 1)
	to := []string{"--kafka-brokers=" + testbed.Kafka(t), "--command-topics=" + topic}
	o := programtest.Run(t, append([]string{"send", "CreateBatch", "ref=bad\xff\xfeid", "sku=X", "qty=1"}, to...)...)
	o.RequireMisuse(t, `the argument "ref=bad\xff\xfeid" is not UTF-8`)
	for _, args := range [][]string{{"show", "order", "o\xff"}, {"dlq", "retry", "--sku=\xff"}, {"offsets", "accept", "--why", "\xff"}} {
		programtest.Run(t, args...).RequireMisuse(t, "is not UTF-8")
	}
	require.Zero(t, endOf(t, topic))
}

func TestSendFile_saysWhatAnEditorDidToIt(t *testing.T) {
	t.Parallel()
	topic := testbed.Topic(t, "commands", 1)
	good := `{"type":"Deallocate","data":{"orderid":"o","sku":"s"}}` + "\n"
	programtest.SendLines(t, topic, "\xef\xbb\xbf"+good).RequireFailed(t, "line 1: it begins with a byte order mark (EF BB BF): save the file as UTF-8 without one")
	programtest.SendLines(t, topic, "\xff\xfe{\x00").RequireFailed(t, "line 1: it is UTF-16")
	programtest.SendLines(t, topic, good+strings.Repeat(" ", 16<<20+1)+good).RequireFailed(t, "line 2 is longer than 16 MiB, which is more than any command that Kafka takes")
	require.Zero(t, endOf(t, topic))
}

func TestSendFile_sendsEveryLine(t *testing.T) {
	t.Parallel()
	topic := testbed.Topic(t, "commands", 3)
	var lines strings.Builder
	const total = 5000
	for i := range total {
		fmt.Fprintf(&lines, "{\"type\":\"Allocate\",\"data\":{\"orderid\":\"o%d\",\"sku\":\"s%d\",\"qty\":1}}\n\n", i, i%10)
	}
	lines.WriteString(`{"id":"i","key":"k","correlationid":"c","data":{"batchref":"b"},"type":"ChangeBatchEta"}`)
	out := programtest.SendLines(t, topic, lines.String(), "--json").RequireDone(t)
	var done send.SentFile
	require.NoError(t, json.Unmarshal([]byte(out), &done))
	require.EqualValues(t, total+1, done.Sent)

	next := map[string]int{}
	for _, r := range consume(t, topic, total+1) {
		if string(r.Key) == "k" {
			require.Equal(t, "i", headersOf(r)["ce_id"])
			require.Equal(t, "c", headersOf(r)["ce_correlationid"])
			require.Equal(t, "allocation.v1.ChangeBatchEta", headersOf(r)["ce_type"])
			continue
		}
		var number, product int
		_, err := fmt.Sscanf(string(r.Value), `{"orderid":"o%d","sku":"s%d"`, &number, &product)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("s%d", product), string(r.Key))
		require.Equal(t, next[string(r.Key)]*10+product, number, "a product's commands keep their order")
		next[string(r.Key)]++
	}
}

func TestSendFile_sendsNothingOfAWrongFile(t *testing.T) {
	t.Parallel()
	topic := testbed.Topic(t, "commands", 1)
	o := programtest.SendLines(t, topic, `{"type":"Deallocate","data":{"orderid":"o","sku":"s"}}
{"type":"Frob","data":{}}
{"type":"Allocate","data":{"orderid":"o","sku":"s","qty":0}}
{"type":"Allocate"}
{"data":{}}
{"type":"Allocate","date":{}}
{"type":"Deallocate","data":{"orderid":"o","sku":"s"},"id":7}
nonsense
`)
	require.Equal(t, cli.ExitFailed, o.Code)
	for _, says := range []string{
		"nothing was sent",
		`line 2: there is no command called "Frob"`,
		`line 3: Allocate: the field "qty" is 0; it must be an integer from 1 to 1000000000`,
		`line 4: the member "data" is missing`,
		`line 5: the member "type" is missing`,
		`line 6: there is no member "date"`,
		`line 7: id is 7; it must be a string that is not empty`,
		`line 8: not valid JSON`,
	} {
		require.Contains(t, o.Err, says)
	}
	require.Empty(t, endOf(t, topic))
}

func TestSendFile_standardInputStopsAtTheFirstWrongLine(t *testing.T) {
	t.Parallel()
	topic := testbed.Topic(t, "commands", 1)
	good := `{"type":"Deallocate","data":{"orderid":"o","sku":"s"}}` + "\n"
	programtest.RunWith(t.Context(), good+good+"{}\n"+good, "send", "-f", "-", "--kafka-brokers="+testbed.Kafka(t), "--command-topics="+topic).RequireFailed(t, "line 3: the member \"type\" is missing", "2 commands were sent before")
	require.EqualValues(t, 2, endOf(t, topic))
}

func headersOf(r *kgo.Record) map[string]string {
	headers := map[string]string{}
	for _, h := range r.Headers {
		headers[h.Key] = string(h.Value)
	}
	return headers
}

// consume reads so many records from a topic.
func consume(t *testing.T, topic string, total int) []*kgo.Record {
	t.Helper()
	client := testbed.Reader(t, testbed.Kafka(t), topic)
	var records []*kgo.Record
	for len(records) < total {
		fetches := client.PollFetches(t.Context())
		require.NoError(t, fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

// endOf is how many records the only partition of a topic has.
func endOf(t *testing.T, topic string) int64 {
	t.Helper()
	ends, err := testbed.Admin(t, testbed.Kafka(t)).ListEndOffsets(t.Context(), topic)
	require.NoError(t, err)
	end, ok := ends.Lookup(topic, 0)
	require.True(t, ok)
	return end.Offset
}
