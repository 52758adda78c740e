package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

func TestDLQ_showsAndDiscardsABatchThatUnpacksToTooMuch(t *testing.T) {
	s := startService(t)
	bomb := testbed.PackedBatch{Codec: kgo.CodecZstd, Records: make([]testbed.PackedRecord, 300)}
	for i := range bomb.Records {
		bomb.Records[i].Zeros = 3 << 20
	}
	at, size := bomb.Produce(t, []string{testbed.Kafka(t)}, s.names.commands, 0)
	letter := s.awaitLetters(1, "--reason=too_large")[0]
	id := fmt.Sprintf("%s.0.%d", s.names.commands, at)
	require.Equal(t, id, letter.ID.String())
	show := s.dlq("show", id).requireDone(t)
	require.Contains(t, show, "too_large: the batch of 300 records at offsets 0 to 299, ")
	require.Regexp(t, `batch     offsets 0 to 299, 300 records, [\d,]+ bytes packed with zstd; none of them was applied\n`, show)
	require.NotContains(t, show, "value", "it has no bytes")
	var shown letterJSON
	require.NoError(t, json.Unmarshal([]byte(s.dlq("show", id, "--json").requireDone(t)), &shown))
	require.EqualValues(t, 299, shown.Batch.Last)
	require.EqualValues(t, 300, shown.Batch.Records)
	require.EqualValues(t, size, shown.Batch.Bytes)
	requireOutcome(t, s.dlq("retry", id), exitFailed, "is about a batch of records that is too large to be applied")
	requireOutcome(t, s.dlq("discard", id), exitDone, "1 discarded")
	requireOutcome(t, s.dlq("list"), exitDone, "no dead letters")
	require.Eventually(t, func() bool { return s.listed()[0].Published == 300 }, 30*time.Second, 50*time.Millisecond)
}

func TestOffsets_listSaysFromWhereNothingComes(t *testing.T) {
	s := startService(t)
	require.Eventually(t, func() bool { return len(s.listed()) > 0 }, 30*time.Second, 50*time.Millisecond)
	s.query(`insert into fetch_troubles select source, token, '2026-11-28 02:00Z', 'its leader does not answer' from positions where partition = 0`)
	require.Equal(t, "not_fetched", s.listed()[0].State)
	require.Contains(t, s.offsets("list").requireDone(t), "not_fetched: since 2026-11-28 02:00:00.000Z: its leader does not answer")
	s.query(`update fetch_troubles set token = gen_random_uuid()`) // of an owner of before
	require.Equal(t, "ok", s.listed()[0].State)
}
