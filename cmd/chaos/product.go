package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// product is a SKU, as its producer knows it.
type product struct {
	shop      *shop
	sku       string
	partition int32 // its home
	spread    bool  // its commands come by others, too
	left      int   // commands, until its time is over
	batches   []string
	orders    []order
	sent      []*kgo.Record // the last of them
}

type order struct {
	id, line string
	qty      int
}

func (p *product) remember(r *kgo.Record) {
	const most = 20
	if len(p.sent) == most {
		p.sent = p.sent[1:]
	}
	p.sent = append(p.sent, r)
}

// content makes the data of a command.
func (p *product) content() (commandType, data string) {
	random := p.shop.random
	switch dice := random.IntN(100); {
	case random.IntN(100_000) < p.shop.mix[partPoison]:
		return "Allocate", p.poison()
	case len(p.batches) == 0 || dice < 8:
		return "CreateBatch", p.createBatch()
	case dice < 25:
		return "ChangeBatchQuantity", p.changeQuantity()
	case dice < 32:
		return "ChangeBatchEta", fmt.Sprintf(`{"batchref":%q%s}`, p.someBatch(), p.eta())
	case dice < 74 || len(p.orders) == 0:
		return "Allocate", p.allocate()
	case dice < 87:
		return "Deallocate", p.identity(p.someOrder()) + "}"
	}
	return "Dispatch", p.identity(p.someOrder()) + "}"
}

func (p *product) someBatch() string { return p.batches[p.shop.random.IntN(len(p.batches))] }
func (p *product) someOrder() order  { return p.orders[p.shop.random.IntN(len(p.orders))] }

// poison fails unexpectedly, in a worker that was told to let it. No other command is about its
// line: it would fail as well.
func (p *product) poison() string {
	kinds := []string{"poison-error", "poison-error", "poison-error", "poison-exit", "poison-stall"}
	o := order{id: fmt.Sprintf("%s-%d", kinds[p.shop.random.IntN(len(kinds))], p.shop.made), qty: 1}
	return p.identity(o) + `,"qty":1}`
}

func (p *product) createBatch() string {
	random := p.shop.random
	ref := fmt.Sprintf("%s-batch-%d", p.sku, len(p.batches))
	if random.IntN(12) == 0 && len(p.batches) > 0 {
		ref = p.someBatch() // a conflict, most likely
	}
	p.batches = append(p.batches, ref)
	return fmt.Sprintf(`{"ref":%q,"sku":%q,"qty":%d%s}`, ref, p.sku, random.IntN(80), p.eta())
}

func (p *product) changeQuantity() string {
	random, more := p.shop.random, ""
	if random.IntN(3) == 0 {
		more = fmt.Sprintf(`,"revision":%d`, random.IntN(20))
	}
	if random.IntN(3) == 0 {
		more += fmt.Sprintf(`,"sku":%q`, p.sku)
	}
	return fmt.Sprintf(`{"batchref":%q,"qty":%d%s}`, p.someBatch(), random.IntN(60), more)
}

func (p *product) allocate() string {
	random := p.shop.random
	o := order{id: fmt.Sprintf("order-%d", len(p.orders)), qty: 1 + random.IntN(12)}
	if random.IntN(8) == 0 {
		o.line = "2"
	}
	if random.IntN(10) == 0 && len(p.orders) > 0 {
		o = p.someOrder()
		o.qty += random.IntN(2)
	}
	p.orders = append(p.orders, o)
	return p.identity(o) + fmt.Sprintf(`,"qty":%d}`, o.qty)
}

// identity names the line, as the beginning of an object.
func (p *product) identity(o order) string {
	text := fmt.Sprintf(`{"orderid":%q,"sku":%q`, o.id, p.sku)
	if o.line != "" {
		text += fmt.Sprintf(`,"lineid":%q`, o.line)
	}
	return text
}

func (p *product) eta() string {
	switch random := p.shop.random; random.IntN(4) {
	case 0:
		return fmt.Sprintf(`,"eta":"2030-01-%02d"`, 1+random.IntN(28))
	case 1:
		return `,"eta":null`
	}
	return ""
}
