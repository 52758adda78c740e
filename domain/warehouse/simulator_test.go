package warehouse_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/warehouse"
)

// play has a simulator run for some steps, with customers who want some of each article now and
// then. It gives all tasks.
func play(t *testing.T, seed uint64, steps int64, wanted int64) (tasks []string, ledgers map[string]*warehouse.Ledger) {
	s := warehouse.Simulator{Seed: seed, Articles: []string{"CHAIR", "LAMP", "SOFA"}, Stock: 100}
	ledgers = map[string]*warehouse.Ledger{}
	for _, sku := range s.Articles {
		ledgers[sku] = &warehouse.Ledger{}
	}
	for step := range steps {
		sku := s.Article(step)
		l := ledgers[sku]
		require.Less(t, l.Free(), int64(100+5*80), "it does not grow without bound")
		task := s.Next(step, sku, l)
		if task == nil {
			continue
		}
		data, err := json.Marshal(task.Data)
		require.NoError(t, err)
		tasks = append(tasks, task.Name+string(data))
		m, refusal := warehouse.ReadTask(task.Name, data)
		require.Nil(t, refusal)
		require.Equal(t, sku, m.Key())
		require.Nil(t, warehouse.Decide(m, l).Refusal, "%s %s", task.Name, data)
		for i := range l.Batches { // stock answers at once
			l.Batches[i].Telling = false
		}
		for _, b := range slices.Clone(l.Batches) {
			if b.Arrived && b.Shelf() >= wanted {
				fact := fmt.Sprintf(`{"sku":%q,"orderid":"alice.1","qty":%d,"batchref":%q}`, sku, wanted, b.Ref)
				m, refusal := warehouse.ReadFact("Dispatched", l.Fact+1, []byte(fact))
				require.Nil(t, refusal)
				warehouse.Decide(m, l)
			}
		}
	}
	return tasks, ledgers
}

func TestSimulator_decidesTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	one, _ := play(t, 7, 2000, 2)
	again, _ := play(t, 7, 2000, 2)
	other, _ := play(t, 8, 2000, 2)
	require.Equal(t, one, again)
	require.NotEqual(t, one, other)
}

// Stock neither starves nor grows without bound, and all that can happen does.
func TestSimulator_keepsStock(t *testing.T) {
	t.Parallel()
	tasks, ledgers := play(t, 7, 3000, 2)
	kinds := map[string]int{}
	for _, task := range tasks {
		name, _, _ := strings.Cut(task, "{")
		kinds[name]++
	}
	for _, name := range []string{"AnnounceShipment", "ReceiveShipment", "ReportDamage", "CountBatch"} {
		require.Greater(t, kinds[name], 20, kinds)
	}
	for sku, l := range ledgers {
		require.Greater(t, l.Over.Shipped, int64(500), sku)
		require.Less(t, len(l.Batches), 15, sku)
	}
	require.Equal(t, int64(20), (&warehouse.Simulator{Seed: 1}).Steps(firstBurst(1)))
}

// firstBurst is the first step from which several come at once.
func firstBurst(seed uint64) (step int64) {
	for s := (warehouse.Simulator{Seed: seed}); s.Steps(step) == 1; step++ {
	}
	return step
}
