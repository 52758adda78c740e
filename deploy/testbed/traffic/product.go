package traffic

import "fmt"

// Product is what commands are about.
type Product struct {
	SKU             string
	batches, orders int // named so far
}

// Content makes the data of a command about a product. Where it names a batch, that is another
// product's now and then.
func (m *Maker) Content(p, other *Product) (commandType, data string) {
	switch dice := m.IntN(100); {
	case p.batches == 0 || dice < 10:
		return "CreateBatch", m.createBatch(p, other)
	case dice < 26:
		more := m.oneOf("", "", "", fmt.Sprintf(`,"revision":%d`, m.IntN(20)), fmt.Sprintf(`,"sku":%q`, p.SKU))
		return "ChangeBatchQuantity", fmt.Sprintf(`{"batchref":%q,"qty":%d%s}`, m.someBatch(p, other), m.IntN(60), more)
	case dice < 33:
		return "ChangeBatchEta", fmt.Sprintf(`{"batchref":%q%s}`, m.someBatch(p, other), m.eta())
	case dice < 74 || p.orders == 0:
		return "Allocate", m.allocate(p)
	case dice < 87:
		return "Deallocate", p.line(m.IntN(p.orders)) + "}"
	}
	return "Dispatch", p.line(m.IntN(p.orders)) + "}"
}

func (m *Maker) createBatch(p, other *Product) string {
	ref := p.batch(p.batches)
	if p.batches > 0 && m.IntN(12) == 0 {
		ref = m.someBatch(p, other) // a conflict, most likely
	} else {
		p.batches++
	}
	return fmt.Sprintf(`{"ref":%q,"sku":%q,"qty":%d%s}`, ref, p.SKU, m.IntN(80), m.eta())
}

// allocate places a new line mostly; else one that was placed before, perhaps with another
// quantity.
func (m *Maker) allocate(p *Product) string {
	order, more := p.orders, 0
	if p.orders > 0 && m.IntN(10) == 0 {
		order, more = m.IntN(p.orders), m.IntN(2)
	} else {
		p.orders++
	}
	return fmt.Sprintf(`%s,"qty":%d}`, p.line(order), 1+order*7%12+more)
}

func (m *Maker) someBatch(p, other *Product) string {
	if m.IntN(20) == 0 {
		p = other
	}
	return p.batch(m.IntN(max(1, p.batches)))
}

func (p *Product) batch(number int) string { return fmt.Sprintf("%s-batch-%d", p.SKU, number) }

// line names an order line, as the beginning of an object.
func (p *Product) line(order int) string {
	text := fmt.Sprintf(`{"orderid":"order-%d","sku":%q`, order, p.SKU)
	if order%8 == 7 {
		text += `,"lineid":"2"`
	}
	return text
}

func (m *Maker) eta() string {
	return m.oneOf("", "", `,"eta":null`, fmt.Sprintf(`,"eta":"2030-01-%02d"`, 1+m.IntN(28)))
}
