package product

import (
	"cmp"
	"slices"
)

// Size is how many products and batches are known.
func (c *Catalog) Size() int { return len(c.products) + len(c.batches) }

// Knows reports whether anything is known of a product.
func (c *Catalog) Knows(sku string) bool { return c.products[sku] != nil }

// KnowsBatch reports whether anything is known of a batch.
func (c *Catalog) KnowsBatch(ref string) bool { return c.batches[ref] != nil }

// Forget makes room, between transactions, where more than so many products and batches are known:
// of batches that have nothing available, and of the products that were not used for the longest
// time, with their batches. Of a product that has a quarter of the room for itself only its header
// stays.
func (c *Catalog) Forget(most int) {
	if c.Size() <= most {
		return
	}
	enough := most * 3 / 4
	batches := make(map[string][]*batch, len(c.products))
	for ref, b := range c.batches {
		if b.Available() > 0 {
			batches[b.SKU] = append(batches[b.SKU], b)
		} else {
			delete(c.batches, ref)
		}
	}
	for _, p := range c.longestUnused() {
		if of := batches[p.SKU]; len(of) > most/4 {
			c.forgetBatches(p, of)
			batches[p.SKU] = nil
		}
	}
	for _, p := range c.longestUnused() {
		if c.Size() <= enough {
			return
		}
		c.forgetBatches(p, batches[p.SKU])
		delete(c.products, p.SKU)
	}
}

func (c *Catalog) longestUnused() []*Product {
	products := make([]*Product, 0, len(c.products))
	for _, p := range c.products {
		products = append(products, p)
	}
	slices.SortFunc(products, func(a, b *Product) int { return cmp.Compare(a.used, b.used) })
	return products
}

func (c *Catalog) forgetBatches(p *Product, batches []*batch) {
	for _, b := range batches {
		delete(c.batches, b.Ref)
	}
	p.open = newOpenBatches()
}
