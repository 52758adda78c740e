package product

import (
	"cmp"
	"slices"
)

// Catalog is what is known of products, batches and lines. It decides commands on that, one after
// the other, and says what to write in one transaction. What it knows of products and batches
// serves the next transaction too, see Committed.
type Catalog struct {
	products map[string]*Product
	batches  map[string]*batch
	// lines holds the known lines; nil stands for one that is known not to exist.
	lines map[LineID]*line

	// touched and mentioned are the products and batches of this transaction: what it asked about,
	// and what it was told.
	touched   []*Product
	mentioned []*batch

	transactions int64 // that were committed
}

// Result is what came of a command.
type Result struct {
	// Product is the one that the command was about, nil where it is not known.
	Product *Product
	// Events are what happened, in order. Without a refusal, none means that the command had no
	// effect.
	Events []Event
	// Refusal, where the command was refused. A refused Allocate also has the event
	// AllocationRejected.
	Refusal *Refusal
	// Need, unless nil, is what must be learned before the command can be decided. It was not
	// applied: there is no trace of it, and the other fields are empty.
	Need *Need
}

// NewCatalog makes a catalog that knows nothing.
func NewCatalog() *Catalog {
	return &Catalog{
		products: make(map[string]*Product),
		batches:  make(map[string]*batch),
		lines:    make(map[LineID]*line),
	}
}

// Apply decides cmd and carries it out. commandID is the id that its sender gave it, "" for none: a
// repeat of it can be told from a new command.
func (c *Catalog) Apply(cmd Command, commandID string) Result {
	return cmd.apply(c, commandID)
}

// Products are those whose existence, or absence, this transaction's decisions may rest on, in the
// order of their SKU's bytes.
func (c *Catalog) Products() []*Product {
	known := make([]*Product, 0, len(c.touched))
	for _, p := range c.touched {
		if p.knowledge != unknown {
			known = append(known, p)
		}
	}
	slices.SortFunc(known, func(a, b *Product) int { return cmp.Compare(a.SKU, b.SKU) })
	return known
}

// Product is the product of sku, nil where neither its existence nor its absence was learned.
func (c *Catalog) Product(sku string) *Product {
	p := c.products[sku]
	if p == nil || p.knowledge == unknown {
		return nil
	}
	c.touch(p)
	return p
}

// product is what is known of a SKU, even if it is nothing.
func (c *Catalog) product(sku string) *Product {
	p := c.products[sku]
	if p == nil {
		p = newProduct(sku)
		c.products[sku] = p
	}
	c.touch(p)
	return p
}

func (c *Catalog) touch(p *Product) {
	if !p.touched {
		p.touched, p.used = true, c.transactions
		c.touched = append(c.touched, p)
	}
}

// batch is what is known of a reference, even if it is nothing.
func (c *Catalog) batch(ref string) *batch {
	b := c.batches[ref]
	if b == nil {
		b = newBatch(ref)
		c.batches[ref] = b
	}
	if !b.mentioned {
		b.mentioned = true
		c.mentioned = append(c.mentioned, b)
	}
	return b
}

// line is the line of id, nil if there is none; ok reports whether that is known.
func (c *Catalog) line(id LineID) (l *line, ok bool) {
	l, ok = c.lines[id]
	return l, ok
}

// refused is the result of a refused command about the product of sku.
func (c *Catalog) refused(sku string, refusal *Refusal) Result {
	return Result{Product: c.Product(sku), Refusal: refusal}
}
