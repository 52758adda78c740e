package dlq_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/operate/dlq"
	"allocation/deploy/testbed"
)

func TestDLQ_showsReadsAgainAndDiscardsABatchThatUnpacksToTooMuch(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	command := func(commandType, data string) testbed.PackedRecord {
		return testbed.PackedRecord{Value: []byte(data), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1." + commandType)}}}
	}
	batch := testbed.PackedBatch{Codec: kgo.CodecZstd, Records: []testbed.PackedRecord{
		command("CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`), command("Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`),
		{Zeros: 33 << 20}, command("Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`),
	}}
	brokers := []string{testbed.Kafka(t)}
	_, size := batch.Produce(t, brokers, s.Names.Commands, 0)
	id := s.AwaitLetters(1, "--reason=too_large")[0].ID.String()
	require.Equal(t, s.Names.Commands+".0.0", id)
	show := s.DLQ("show", id).RequireDone(t)
	require.Contains(t, show, "too_large: the batch of 4 records at offsets 0 to 3, ")
	require.Regexp(t, `batch     offsets 0 to 3, 4 records, [\d,]+ bytes packed with zstd; none of them was applied\n`, show)
	require.NotContains(t, show, "value", "it has no bytes")
	var shown dlq.Letter
	require.NoError(t, json.Unmarshal([]byte(s.DLQ("show", id, "--json").RequireDone(t)), &shown))
	require.EqualValues(t, 3, shown.Batch.Last)
	require.EqualValues(t, 4, shown.Batch.Records)
	require.EqualValues(t, size, shown.Batch.Bytes)

	s.DLQ("retry", id).RequireFailed(t, "is about a batch of records that unpacks to too much: --max-bytes 1GiB, or another size, reads it again")
	s.DLQ("retry", "--reason=too_large").RequireFailed(t, "no open dead letters match")
	s.DLQ("retry", id, "--max-bytes=much").RequireMisuse(t, "200MiB or 2GiB")
	s.DLQ("retry", id, "--max-bytes=8MiB", "--wait=1m").RequireFailed(t,
		"not read to its end: it unpacks to more than the 8388608 bytes that --max-bytes allowed")
	s.DLQ("show", id).RequireDone(t, "read again and applied up to offset 1. Reading it ended: it unpacks to more than the 8388608 bytes that --max-bytes allowed\n")
	s.Verify().RequireDone(t, "partition 0, has at offsets 2 to 3: it was not unpacked, see allocation dlq show "+id)
	s.DLQ("list").RequireDone(t, "open; up to offset 1 of 3")

	s.DLQ("retry", id, "--max-bytes=2GiB", "--wait=1m").RequireDone(t,
		"applied: offsets 0 to 3; what was refused of it are dead letters of their own")
	s.DLQ("show", id).RequireDone(t, "read again and applied; what was refused of it are dead letters of their own")
	letter := s.AwaitLetters(1)[0]
	require.Equal(t, "malformed", letter.Reason)
	require.EqualValues(t, 2, letter.ID.Offset)
	s.DLQ("retry", id, "--max-bytes=64MiB", "--force").RequireFailed(t, "was read again and applied")
	s.Verify().RequireDone(t, "no differences")
	s.DLQ("discard", letter.ID.String()).RequireDone(t, "1 discarded")

	batch.Produce(t, brokers, s.Names.Commands, 0)
	s.DLQ("discard", s.AwaitLetters(1)[0].ID.String()).RequireDone(t, "1 discarded")
	s.DLQ("list").RequireDone(t, "no dead letters")
	testbed.Eventually(t, func() bool { return s.Positions()[0].Published == 8 })
}
