package worker_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A batch with many lines shrinks while lines of its product come by another partition, each of
// which is committed sooner than the large change is decided.
func TestWorker_largeChangeIsNotOvertakenForEver(t *testing.T) {
	const lines = 10_000
	p := setup(t, 2)
	p.start()
	p.send(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1000000}`)
	allocate := func(order string, n int) *kgo.Record {
		return &kgo.Record{
			Topic: p.commands, Partition: 0, Value: fmt.Appendf(nil, `{"orderid":"%s%d","sku":"CHAIR","qty":1}`, order, n),
			Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}},
		}
	}
	for n := range lines {
		p.client.Produce(t.Context(), allocate("o", n), nil)
	}
	p.await(1 + lines)

	var others sync.WaitGroup
	stop := make(chan struct{})
	others.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				if err := p.client.ProduceSync(t.Context(), allocate("other", n)).FirstErr(); err != nil {
					t.Errorf("send: %v", err)
					return
				}
			}
		}
	})
	defer others.Wait()
	defer close(stop)
	p.await(1 + lines + 100) // they come
	p.send(1, "ChangeBatchQuantity", `{"batchref":"b1","qty":%d,"revision":1}`, lines/2)
	for seen := 1 + lines; ; seen++ {
		r := p.await(seen + 1)[seen]
		if header(r, "ce_type") == "allocation.v1.BatchQuantityChanged" {
			return
		}
		require.Less(t, seen, 3*lines, "others are first for ever")
	}
}
