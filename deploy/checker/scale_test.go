package checker

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
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
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // forget how much memory making the history took
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	start, busy := time.Now(), processorTime()
	violations := Check(h)
	took := time.Since(start)
	busy = processorTime() - busy
	require.Empty(t, violations, Report(violations))
	t.Logf("%d commands, %d events, %d dead letters: %s, %s of processor time; the history takes %d MiB, at most %s were in use", len(h.Commands), len(h.Events), len(h.Letters),
		took, busy, before.HeapAlloc>>20, highWater())
}

// highWater is the most memory that the process had.
func highWater() string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "an unknown amount"
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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
