package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

func TestAbortHanging(t *testing.T) {
	t.Parallel()
	topic := testbed.Topic(t, "hanging", 1)
	client, err := kgo.NewClient(kgo.SeedBrokers(testbed.Kafka(t)), kgo.TransactionalID(topic), kgo.DefaultProduceTopic(topic))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.BeginTransaction())
	require.NoError(t, client.ProduceSync(t.Context(), kgo.StringRecord("left open")).FirstErr())
	admin := kadm.NewClient(client)
	stable := func() int64 {
		listed, err := admin.ListCommittedOffsets(t.Context(), topic)
		require.NoError(t, err)
		offset, _ := listed.Lookup(topic, 0)
		return offset.Offset
	}

	aborted, err := abortHanging(t.Context(), admin, time.Hour, topic)
	require.NoError(t, err)
	require.Empty(t, aborted, "it may yet be ended")
	require.Zero(t, stable())
	aborted, err = abortHanging(t.Context(), admin, 0, topic)
	require.NoError(t, err)
	require.Len(t, aborted, 1)
	require.Zero(t, aborted[0].CurrentTxnStartOffset)
	require.EqualValues(t, 2, stable(), "behind the record and its marker")
}
