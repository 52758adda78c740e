package main

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed/traffic"
)

// shop makes the commands of one producer, about products of its own: some dozens at a time, of
// which one or another goes and a new one comes.
type shop struct {
	traffic.Maker

	load     *load
	mix      mix
	products []*product
	opened   int           // products so far
	recent   []*kgo.Record // the last commands

	busy atomic.Pointer[string] // the SKU of a late command
}

// product is a SKU, as its producer knows it.
type product struct {
	traffic.Product

	partition int32 // its home
	spread    bool  // its commands come by others, too
	left      int   // commands, until its time is over
}

const (
	shelf     = 60   // products that a shop has at a time
	maxRepeat = 1000 // how many commands ago one may be that is sent again
)

func newShop(l *load, n int, random *rand.Rand) *shop {
	return &shop{Maker: traffic.Maker{Rand: random, Name: fmt.Sprintf("p%d", n)}, load: l, mix: l.campaign.mix}
}

// records are the next n to send.
func (s *shop) records(n int) []*kgo.Record {
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = s.next()
	}
	return records
}

// next is a good command mostly; else one that was sent before, or one that cannot be read.
func (s *shop) next() *kgo.Record {
	switch dice := s.IntN(100); {
	case dice < s.mix[partRepeat] && len(s.recent) > 0:
		return s.Again(s.recent)
	case dice >= 100-s.mix[partMalformed]:
		r := s.Malformed()
		r.Topic, r.Partition = commandTopic, s.Int32N(commandPartitions)
		return r
	}
	r := s.command(s.product())
	s.recent = append(s.recent[max(0, len(s.recent)+1-maxRepeat):], r)
	return r
}

// product is one of the shelf; one whose time is over makes room for a new one.
func (s *shop) product() *product {
	for len(s.products) < shelf {
		s.products = append(s.products, s.open())
	}
	i := s.IntN(shelf)
	p := s.products[i]
	if p.left--; p.left < 0 {
		p = s.open()
		s.products[i] = p
	}
	s.busy.Store(&p.SKU)
	return p
}

func (s *shop) open() *product {
	s.opened++
	p := &product{partition: s.Int32N(s.load.partitions.Load()), spread: s.IntN(100) < s.mix[partSpread], left: 10 + int(80*s.ExpFloat64())}
	p.SKU = fmt.Sprintf("%s-SKU-%d", s.Name, s.opened)
	if s.IntN(100) == 0 {
		p.left *= 10
	}
	return p
}

// command makes a command, on the partition of its product unless that is spread.
func (s *shop) command(p *product) *kgo.Record {
	topic, partition := commandTopic, p.partition
	if p.spread && s.IntN(10) < 4 {
		partition = s.Int32N(s.load.partitions.Load())
		if s.IntN(4) == 0 {
			topic, partition = quantityTopic, s.Int32N(quantityPartitions)
		}
	}
	commandType, data := s.Content(&p.Product, &p.Product)
	if s.IntN(100_000) < s.mix[partPoison] {
		commandType, data = "Allocate", s.poison(p)
	}
	r := s.Record(commandType, data, topic == quantityTopic)
	r.Topic, r.Partition, r.Key = topic, partition, []byte(p.SKU)
	switch s.IntN(40) {
	case 0:
		r.Key = nil
	case 1:
		r.Key = []byte("another")
	}
	return r
}

// poison fails unexpectedly, in a worker that was told to let it. No other command is about its
// line: it would fail as well.
func (s *shop) poison(p *product) string {
	kinds := []string{"error", "error", "error", "exit", "stall"}
	return fmt.Sprintf(`{"orderid":"poison-%s-%d","sku":%q,"qty":1}`, kinds[s.IntN(len(kinds))], s.Made, p.SKU)
}
