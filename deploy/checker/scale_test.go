package checker

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCheck_aLongHistory: CHECKER_COMMANDS says how long. It logs what checking took.
func TestCheck_aLongHistory(t *testing.T) {
	commands := 20_000
	if text := os.Getenv("CHECKER_COMMANDS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		commands = n
	}
	h := longHistory(commands)
	start := time.Now()
	violations := Check(h)
	require.Empty(t, violations, Report(violations))
	t.Logf("%d commands, %d events, %d dead letters: %s", len(h.Commands), len(h.Events), len(h.Letters), time.Since(start))
}

// longHistory has commands of many products, a tenth of them by another partition than the rest,
// all partitions being worked off at once.
func longHistory(commands int) *History {
	const partitions = 12
	r := rand.New(rand.NewPCG(1, 2))
	w := newWorld(partitions)
	skus := max(20, commands/500)
	batches, orders := 0, 0
	for range commands {
		n := r.IntN(skus)
		partition := int32(n % partitions)
		if r.IntN(10) == 0 {
			partition = r.Int32N(partitions)
		}
		sku := fmt.Sprintf("SKU-%d", n)
		switch dice := r.IntN(100); {
		case dice < 8:
			w.send(partition, "CreateBatch", fmt.Sprintf(`{"ref":"b-%d","sku":%q,"qty":%d}`, batches, sku, r.IntN(200)))
			batches++
		case dice < 14 && batches > 0:
			w.send(partition, "", fmt.Sprintf(`{"batchref":"b-%d","qty":%d}`, r.IntN(batches), r.IntN(200)))
		case dice < 80:
			w.send(partition, "Allocate", fmt.Sprintf(`{"orderid":"o-%d","sku":%q,"qty":%d}`, orders, sku, 1+r.IntN(10)))
			orders++
		case orders > 0:
			w.send(partition, []string{"Deallocate", "Dispatch"}[r.IntN(2)], fmt.Sprintf(`{"orderid":"o-%d","sku":%q}`, r.IntN(orders), sku))
		}
		for range 3 { // the partitions advance unevenly
			l := topicPartition{worldCommands, r.Int32N(partitions)}
			if w.base.next[l] < int64(len(w.partitions[l])) {
				w.base.consume(l)
			}
		}
		w.apply(topicPartition{"quantities", 0})
	}
	for l := range w.partitions {
		w.apply(l)
	}
	w.actions = nil
	return w.end()
}
