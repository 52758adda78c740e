package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A stall is explained by the faults that were at work within it, or just before, and by nothing
// else.
func TestJournal_explainsStalls(t *testing.T) {
	t.Parallel()
	from := time.Now()
	second := func(n float64) time.Time { return from.Add(time.Duration(n * float64(time.Second))) }
	c := &campaign{options: options{session: 6 * time.Second}}
	c.journal = newJournal(c)
	c.journal.strikes = []*strike{
		{kind: "long ago", began: second(-9), ended: second(-3)},
		{kind: "broker-kill", began: second(-1), ended: second(4)},
		{kind: "worker-kill", began: second(5), ended: second(5)},
		{kind: "going on", began: second(9)},
		{kind: "later", began: second(11), ended: second(12)},
	}
	active, allowed := c.journal.atWork(from, second(10))
	require.Equal(t, []string{"broker-kill", "going on", "worker-kill"}, active)
	require.Equal(t, 4*time.Second+1*time.Second+3*(6+5)*time.Second, allowed)

	c.journal.stall(topicPartition{commandTopic, 1}, from, second(10))
	require.Empty(t, c.journal.over)
	c.journal.strikes = c.journal.strikes[:1]
	c.journal.stall(topicPartition{commandTopic, 1}, from, second(10))
	require.Equal(t, []string{"commands.1 stood still for 10.0 s, with no fault; that explains 8.0 s"}, c.journal.over)
}
