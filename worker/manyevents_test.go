package worker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A command has more events than 16 bits can count: they are in sequence, each with an id of its
// own.
func TestWorker_numbersAllEventsOfACommand(t *testing.T) {
	const events = 1<<16 + 100
	p := setup(t, 1)
	p.send(0, create("a", "first", 0), command("Flood", `{"key":"a","n":%d}`, events))
	m := p.start()
	ids := map[string]int{}
	for i, r := range p.await(1 + events) {
		require.Equal(t, fmt.Sprintf("%019d", i+1), header(r, "ce_sequence"))
		require.Equal(t, fmt.Sprintf(`{"key":"a","value":%d}`, i), string(r.Value))
		require.Zero(t, ids[header(r, "ce_id")], "the id of event %d", i)
		ids[header(r, "ce_id")] = i
	}
	p.awaitAllCommitted()
	require.NoError(t, m.stop())
}
