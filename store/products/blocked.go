package products

import "allocation/domain/product"

// blocked holds the products and batches whose commands wait for a load.
type blocked struct {
	skus, refs map[string]struct{}
}

func (b *blocked) has(sku string, k *product.Keys) bool {
	if b.skus == nil {
		return false
	}
	_, product := b.skus[sku]
	_, batch := b.refs[k.Batch]
	_, made := b.refs[k.Makes]
	return product || batch || made
}

func (b *blocked) add(sku string, k *product.Keys) {
	if b.skus == nil {
		b.skus, b.refs = map[string]struct{}{}, map[string]struct{}{}
	}
	if sku != "" {
		b.skus[sku] = struct{}{}
	}
	for _, ref := range [...]string{k.Batch, k.Makes} {
		if ref != "" {
			b.refs[ref] = struct{}{}
		}
	}
}
