package dlq_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/dlq"
	"allocation/deploy/testbed"
)

func TestDLQ_showsAndDiscardsABatchThatUnpacksToTooMuch(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	bomb := testbed.PackedBatch{Codec: kgo.CodecZstd, Records: make([]testbed.PackedRecord, 300)}
	for i := range bomb.Records {
		bomb.Records[i].Zeros = 3 << 20
	}
	at, size := bomb.Produce(t, []string{testbed.Kafka(t)}, s.Names.Commands, 0)
	letter := s.AwaitLetters(1, "--reason=too_large")[0]
	id := fmt.Sprintf("%s.0.%d", s.Names.Commands, at)
	require.Equal(t, id, letter.ID.String())
	show := s.DLQ("show", id).RequireDone(t)
	require.Contains(t, show, "too_large: the batch of 300 records at offsets 0 to 299, ")
	require.Regexp(t, `batch     offsets 0 to 299, 300 records, [\d,]+ bytes packed with zstd; none of them was applied\n`, show)
	require.NotContains(t, show, "value", "it has no bytes")
	var shown dlq.Letter
	require.NoError(t, json.Unmarshal([]byte(s.DLQ("show", id, "--json").RequireDone(t)), &shown))
	require.EqualValues(t, 299, shown.Batch.Last)
	require.EqualValues(t, 300, shown.Batch.Records)
	require.EqualValues(t, size, shown.Batch.Bytes)
	programtest.RequireOutcome(t, s.DLQ("retry", id), cli.ExitFailed, "is about a batch of records that unpacks to too much: --max-bytes 1GiB, or another size, reads it again")
	programtest.RequireOutcome(t, s.DLQ("retry", "--reason=too_large"), cli.ExitFailed, "no open dead letters match")
	programtest.RequireOutcome(t, s.DLQ("retry", id, "--max-bytes=much"), cli.ExitUsage, "200MiB or 2GiB")
	programtest.RequireOutcome(t, s.DLQ("discard", id), cli.ExitDone, "1 discarded")
	programtest.RequireOutcome(t, s.DLQ("list"), cli.ExitDone, "no dead letters")
	testbed.Eventually(t, func() bool { return s.Positions()[0].Published == 300 })
}

func TestOffsets_listSaysFromWhereNothingComes(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	testbed.Eventually(t, func() bool { return len(s.Positions()) > 0 })
	s.Execute(`insert into fetch_troubles select source, token, '2026-11-28 02:00Z', 'its leader does not answer' from positions where partition = 0`)
	require.Equal(t, "not_fetched", s.Positions()[0].State)
	require.Contains(t, s.Offsets("list").RequireDone(t), "not_fetched: since 2026-11-28 02:00:00.000Z: its leader does not answer")
	s.Execute(`update fetch_troubles set token = gen_random_uuid()`) // of an owner of before
	require.Equal(t, "ok", s.Positions()[0].State)
}

func TestDLQ_readsABatchAgainThatUnpackedToTooMuch(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	command := func(commandType, data string) testbed.PackedRecord {
		return testbed.PackedRecord{Value: []byte(data), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1." + commandType)}}}
	}
	at, _ := testbed.PackedBatch{Codec: kgo.CodecZstd, Records: []testbed.PackedRecord{
		command("CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`), command("Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`),
		{Zeros: 33 << 20}, command("Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`),
	}}.Produce(t, []string{testbed.Kafka(t)}, s.Names.Commands, 0)
	id := s.AwaitLetters(1, "--reason=too_large")[0].ID.String()

	programtest.RequireOutcome(t, s.DLQ("retry", id, "--max-bytes=8MiB", "--wait=1m"), cli.ExitFailed,
		"not read to its end: it unpacks to more than the 8388608 bytes that --max-bytes allowed")
	show := s.DLQ("show", id).RequireDone(t)
	require.Contains(t, show, "read again and applied up to offset 1. Reading it ended: it unpacks to more than the 8388608 bytes that --max-bytes allowed\n")
	require.Contains(t, s.Verify().RequireDone(t), "partition 0, has at offsets 2 to 3: it was not unpacked, see allocation dlq show "+id)
	require.Contains(t, s.DLQ("list").RequireDone(t), "open; up to offset 1 of 3")

	programtest.RequireOutcome(t, s.DLQ("retry", id, "--max-bytes=64MiB", "--wait=1m"), cli.ExitDone,
		"applied: offsets 0 to 3; what was refused of it are dead letters of their own")
	require.Contains(t, s.DLQ("show", id).RequireDone(t), "read again and applied; what was refused of it are dead letters of their own")
	letter := s.AwaitLetters(1)[0]
	require.Equal(t, "malformed", letter.Reason)
	require.EqualValues(t, at+2, letter.ID.Offset)
	programtest.RequireOutcome(t, s.DLQ("retry", id, "--max-bytes=64MiB", "--force"), cli.ExitFailed, "was read again and applied")
	require.Contains(t, s.Verify().RequireDone(t), "no differences")
}
