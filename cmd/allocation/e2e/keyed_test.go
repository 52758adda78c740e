package e2e

import (
	"fmt"
	"math/rand/v2"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// keyedLoad makes commands as producers should. A product's commands come by one partition, so they
// have one order, however often they are applied and by which worker.
type keyedLoad struct {
	arena      *arena
	random     *rand.Rand
	partitions int32
	skus       int
	made       int
}

// send sends n commands, and returns when Kafka has them.
func (l *keyedLoad) send(n int) {
	l.arena.t.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = l.next()
	}
	require.NoError(l.arena.t, l.arena.client.ProduceSync(l.arena.t.Context(), records...).FirstErr())
}

// sendEverywhere sends a command by each partition.
func (l *keyedLoad) sendEverywhere() {
	l.arena.t.Helper()
	for product := range l.partitions {
		require.NoError(l.arena.t, l.arena.client.ProduceSync(l.arena.t.Context(), l.about(int(product))).FirstErr())
	}
}

func (l *keyedLoad) next() *kgo.Record { return l.about(l.random.IntN(l.skus)) }

func (l *keyedLoad) about(product int) *kgo.Record {
	l.made++
	sku := fmt.Sprintf("SKU-%d", product)
	commandType, data := l.content(sku)
	headers := []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1." + commandType)}}
	if l.random.IntN(3) > 0 {
		headers = append(headers, kgo.RecordHeader{Key: "ce_id", Value: fmt.Appendf(nil, "cmd-%d", l.made)})
	}
	return &kgo.Record{
		Topic: l.arena.commands[0], Partition: int32(product) % l.partitions, Key: []byte(sku), Value: []byte(data), Headers: headers,
	}
}

// content names batches and orders of which some exist. Some commands are refused.
func (l *keyedLoad) content(sku string) (commandType, data string) {
	ref := fmt.Sprintf("%s-batch-%d", sku, l.random.IntN(1+l.made/100))
	order := fmt.Sprintf("order-%d", l.random.IntN(1+l.made/2))
	switch dice := l.random.IntN(100); {
	case dice < 15:
		return "CreateBatch", fmt.Sprintf(`{"ref":%q,"sku":%q,"qty":%d}`, ref, sku, l.random.IntN(60))
	case dice < 30:
		return "ChangeBatchQuantity", fmt.Sprintf(`{"batchref":%q,"sku":%q,"qty":%d}`, ref, sku, l.random.IntN(60))
	case dice < 35:
		return "ChangeBatchEta", fmt.Sprintf(`{"batchref":%q,"sku":%q,"eta":"2030-01-%02d"}`, ref, sku, 1+l.random.IntN(28))
	case dice < 40:
		return "ChangeBatchEta", fmt.Sprintf(`{"batchref":%q,"sku":%q}`, ref, sku)
	case dice < 80:
		return "Allocate", fmt.Sprintf(`{"orderid":%q,"sku":%q,"qty":%d}`, order, sku, 1+l.random.IntN(9))
	case dice < 90:
		return "Deallocate", fmt.Sprintf(`{"orderid":%q,"sku":%q}`, order, sku)
	}
	return "Dispatch", fmt.Sprintf(`{"orderid":%q,"sku":%q}`, order, sku)
}
