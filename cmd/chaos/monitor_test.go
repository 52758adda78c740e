package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What consumers may not read yet is no work: a partition that waits for the end of a producer's
// transaction does not stand still.
func TestMonitor_countsNothingBehindAnOpenTransaction(t *testing.T) {
	t.Parallel()
	l := topicPartition{commandTopic, 0}
	stalled := func(stable map[topicPartition]int64) (lag int64, stalls int) {
		c := &campaign{load: &load{acked: newAckLog()}}
		c.journal = newJournal(c)
		c.load.acked.note(&kgo.Record{Topic: l.topic, Partition: l.partition, Offset: 9})
		m, begin := newMonitor(c), time.Now()
		const look = 500 * time.Millisecond
		for n := range 4 {
			at := begin.Add(time.Duration(n) * look)
			m.see(map[topicPartition]position{l: {nextOffset: 4}}, at, stable)
			lag = max(lag, m.lag.Load())
		}
		m.see(map[topicPartition]position{l: {nextOffset: 10}}, begin.Add(4*look), stable)
		return lag, len(c.journal.stalls)
	}
	lag, stalls := stalled(map[topicPartition]int64{l: 4})
	require.Zero(t, lag)
	require.Zero(t, stalls)
	lag, stalls = stalled(map[topicPartition]int64{l: 10})
	require.Equal(t, int64(6), lag)
	require.Equal(t, 1, stalls)
	_, stalls = stalled(nil)
	require.Equal(t, 1, stalls, "of a partition that Kafka does not answer for, all that was acknowledged is work")
}
