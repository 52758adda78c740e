package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed/traffic"
)

// load sends commands of every kind, as producers send them, and as they should not.
type load struct {
	traffic.Maker

	arena      *arena
	partitions int32
	products   []*traffic.Product
	keyed      bool          // a product's commands come by one partition, and are of its own batches: they have one order, however often they are applied
	total      int           // records sent
	sent       []*kgo.Record // commands, for repeats
}

func (a *arena) load(random *rand.Rand, partitions int32, products int) *load {
	l := &load{Maker: traffic.Maker{Rand: random, Name: "cmd"}, arena: a, partitions: partitions}
	for i := range products {
		l.products = append(l.products, &traffic.Product{SKU: fmt.Sprintf("SKU-%d", i)})
	}
	return l
}

func (a *arena) keyedLoad(t *testing.T, partitions int32, products int) *load {
	l := a.load(random(t), partitions, products)
	l.keyed = true
	return l
}

// send sends n commands, and returns when Kafka has them.
func (l *load) send(n int) {
	l.arena.t.Helper()
	l.total += n
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = l.next()
	}
	l.produce(records...)
}

// sendEverywhere sends a command by every partition of every topic, or of the first where each
// product has its own.
func (l *load) sendEverywhere() {
	l.arena.t.Helper()
	var records []*kgo.Record
	for topic := range l.arena.commands {
		for p := range l.partitions {
			switch {
			case !l.keyed:
				records = append(records, l.command(l.IntN(len(l.products)), topic, p))
			case topic == 0:
				records = append(records, l.command(int(p), 0, p))
			}
		}
	}
	l.produce(records...)
}

func (l *load) produce(records ...*kgo.Record) {
	l.arena.t.Helper()
	require.NoError(l.arena.t, l.arena.client.ProduceSync(l.arena.t.Context(), records...).FirstErr())
}

// next is a good command mostly; else one that was sent before, or one that cannot be read.
func (l *load) next() *kgo.Record {
	product := l.IntN(len(l.products))
	topic, partition := 0, int32(product)%l.partitions
	misplaced := !l.keyed && l.IntN(10) < 3
	if misplaced {
		topic, partition = l.IntN(len(l.arena.commands)), l.Int32N(l.partitions)
	}
	switch dice := l.IntN(100); {
	case dice < 6 && len(l.sent) > 0:
		r := l.Again(l.sent)
		if misplaced {
			r.Topic, r.Partition, r.Key = l.arena.commands[topic], partition, nil
		}
		return r
	case dice < 10:
		r := l.Malformed()
		r.Topic, r.Partition = l.arena.commands[0], partition
		return r
	}
	return l.command(product, topic, partition)
}

// command makes a command about a product, to be sent by a partition.
func (l *load) command(product, topic int, partition int32) *kgo.Record {
	p := l.products[product]
	other := p
	if !l.keyed {
		other = l.products[l.IntN(len(l.products))]
	}
	commandType, data := l.Content(p, other)
	r := l.Record(commandType, data, topic == 1)
	r.Topic, r.Partition, r.Key = l.arena.commands[topic], partition, []byte(p.SKU)
	l.sent = append(l.sent, r)
	return r
}
