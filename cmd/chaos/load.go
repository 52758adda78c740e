package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// load is all producers. They send so much that the whole comes out right in the end: in bursts,
// and after an outage more.
type load struct {
	campaign   *campaign
	producers  []*producer
	acked      *ackLog
	partitions atomic.Int32 // of the command topic, as far as producers may know

	sent    atomic.Int64 // records that Kafka acknowledged
	refused atomic.Int64 // records that it did not
	aborted atomic.Int64 // records of transactions that were aborted, or whose end nobody knows
}

const (
	producers     = 6 // the first sends transactions
	producersLook = 5 * time.Second
	maxLag        = 100_000 // commands: then producers wait
	maxBurst      = 2000
)

func newLoad(c *campaign) *load {
	l := &load{campaign: c, acked: newAckLog()}
	l.partitions.Store(commandPartitions)
	for n := range producers {
		random := rand.New(rand.NewPCG(c.seed, uint64(100+n)))
		l.producers = append(l.producers, &producer{shop: newShop(l, n, random), transactional: n == 0})
	}
	return l
}

// run sends until the context ends, and returns when all that was begun is acknowledged.
func (l *load) run(ctx context.Context) {
	began := time.Now()
	var sending sync.WaitGroup
	for _, p := range l.producers {
		sending.Go(func() {
			if err := p.run(ctx, began); err != nil {
				l.campaign.journal.find("producer %s: %v", p.Name, err)
			}
		})
	}
	sending.Wait()
}

// due is how many records a producer should have sent by now.
func (l *load) due(since time.Time) int {
	share := float64(l.campaign.commands) / producers
	return int(share * min(1, time.Since(since).Seconds()/l.campaign.duration.Seconds()))
}

// skus are some products that commands are about now.
func (l *load) skus(n int) (skus []string) {
	for _, p := range l.producers[:n] {
		if sku := p.busy.Load(); sku != nil {
			skus = append(skus, *sku)
		}
	}
	return skus
}

func (l *load) close() {
	for _, p := range l.producers {
		p.close()
	}
}
