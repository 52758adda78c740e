package worker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWorker_startsWhereItWasToldTo(t *testing.T) {
	for name, c := range map[string]struct {
		latest bool
		events int
	}{
		"at the start of the log":                                  {false, 8},
		"at its end, in all partitions alike, wherever logs start": {true, 4},
	} {
		t.Run(name, func(t *testing.T) {
			p := setup(t, 4)
			p.latest = c.latest
			for i := range int32(4) {
				p.send(i, create(keyOf(i), fmt.Sprint("old", i), 1))
			}
			if c.latest {
				p.deleteRecords(0, 1)
			}
			p.start()
			second := p.start() // which claims some partitions later, when the topic is known
			p.awaitAllCommitted()
			for i := range int32(4) {
				p.send(i, create(keyOf(i), fmt.Sprint("new", i), 1))
			}
			got := p.await(c.events)
			p.awaitAllCommitted()
			require.Len(t, got, c.events)
			require.NoError(t, second.stop())
		})
	}
}
