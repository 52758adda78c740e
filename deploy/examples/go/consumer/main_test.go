package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func record(kind, id, sequence, value string) *kgo.Record {
	headers := []kgo.RecordHeader{
		{Key: "ce_type", Value: []byte("allocation.v1." + kind)}, {Key: "ce_id", Value: []byte(id)}, {Key: "ce_partitionkey", Value: []byte("CHAIR")},
	}
	if sequence != "" {
		headers = append(headers, kgo.RecordHeader{Key: "ce_sequence", Value: []byte(sequence)})
	}
	return &kgo.Record{Value: []byte(value), Headers: headers}
}

func onBatch(sequence int, batch string) *kgo.Record {
	return record("Allocated", fmt.Sprint("id", sequence), fmt.Sprintf("%019d", sequence), `{"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"`+batch+`"}`)
}

func TestState_takesEachEventOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := load()
	require.NoError(t, err)
	rejected := record("AllocationRejected", "id9", "", `{"orderid":"o9","sku":"CHAIR","qty":1,"reason":"line_conflict"}`)
	created := record("BatchCreated", "id1", "0000000000000000001", `{"ref":"b1","sku":"CHAIR","qty":50}`)
	// A repeat at once, and late ones between newer events.
	for _, r := range []*kgo.Record{
		created, onBatch(2, "b1"), rejected, onBatch(2, "b1"), onBatch(3, "b2"), created, onBatch(2, "b1"), rejected, onBatch(4, "b3"), onBatch(3, "b2"),
	} {
		require.NoError(t, s.take(r))
		require.NoError(t, s.save())
		s, err = load() // it may be stopped at any time
		require.NoError(t, err)
	}
	require.Equal(t, &state{
		Products: map[string]*product{"CHAIR": {Sequence: 4, Lines: map[string]string{"o1\t": "b3"}}},
		Rejected: []string{"id9"},
	}, s)
	require.ErrorContains(t, s.take(onBatch(7, "b1")), "events 5 to 6 are missing")
}
