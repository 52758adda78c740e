package worker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A few commands, fetched at once, each of which the service wants alone in its transaction: what
// comes behind them, by their partition and by others, is reached, once and in order, and a stop is
// obeyed.
func TestWorker_takesFewCommandsAtOnceThatHaveManyEvents(t *testing.T) {
	const floods, events = 10, 4000
	p := setup(t, 2)
	sent := []*kgo.Record{create("a", "first", 0)}
	for range floods {
		sent = append(sent, command("Flood", `{"key":"a","n":%d}`, events), add("a", "between"))
	}
	p.send(0, sent...)
	p.send(1, create("b", "other", 5))
	m := p.start()
	value := 0
	for _, r := range p.await(1 + floods*(events+1) + 1) {
		if string(r.Key) == "a" {
			require.Equal(t, fmt.Sprintf(`{"key":"a","value":%d}`, value), string(r.Value))
			value++
		}
	}
	p.awaitAllCommitted()
	require.GreaterOrEqual(t, m.gauge("batch_commands"), float64(floods))
	require.NoError(t, m.stop())
}
