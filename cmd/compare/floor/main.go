// Command floor is the least work that any correct worker must do: read commands from Kafka,
// allocate in memory, write the fence, the batches, the order lines and the outbox rows in one
// Postgres transaction per micro-batch, then publish the events. It is a program without features:
// it refuses nothing, shares no partitions, survives no error, remembers all batches, and reads its
// outbox never. It is what throughput is divided by.
package main

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

const (
	appliers    = 2    // concurrent transactions
	maxCommands = 4000 // in a transaction
)

func main() { contest.Main(setup, run) }

// item is a command and its record.
type item struct {
	record  *kgo.Record
	command contest.Command
}

func run(ctx context.Context, settings contest.Settings) error {
	relay, err := newProducer(settings)
	if err != nil {
		return err
	}
	defer relay.Close()
	// What was read before the stop is applied and published, so its context does not end with the
	// reading.
	working, fail := context.WithCancelCause(context.WithoutCancel(ctx))
	defer fail(nil)

	queues := make([]chan item, appliers)
	var wg sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan item, 20000)
		wg.Go(func() {
			a := applier{relay: relay, fail: fail, cache: map[string]*batch{}, from: map[int32]int64{}}
			if err := a.run(working, settings.Database, queues[i]); err != nil {
				fail(err)
			}
		})
	}
	reading, stop := context.WithCancel(ctx)
	context.AfterFunc(working, stop) // an applier that failed takes no more
	err = read(reading, settings, func(r *kgo.Record) {
		var c contest.Command
		if json.Unmarshal(r.Value, &c) != nil {
			return
		}
		select {
		case queues[int(r.Partition)%len(queues)] <- item{r, c}:
		case <-working.Done():
		}
	})
	for _, queue := range queues {
		close(queue)
	}
	wg.Wait()
	if err == nil {
		err = relay.Flush(working)
	}
	if cause := context.Cause(working); cause != nil {
		return cause
	}
	return err
}
