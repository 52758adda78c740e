package products

import (
	"maps"

	"allocation/store"
)

// maxKnown is how many products and batches an applier remembers.
const maxKnown = 20_000

// forget makes room where very much is known.
func (l *loaded) forget(most int) {
	if l.catalog.Size() <= most {
		return
	}
	l.catalog.Forget(most)
	unknown := func(sku string) bool { return !l.catalog.Knows(sku) }
	maps.DeleteFunc(l.versions, func(sku string, _ int64) bool { return unknown(sku) })
	maps.DeleteFunc(l.products, func(sku string, _ store.Ref) bool { return unknown(sku) })
	maps.DeleteFunc(l.batches, func(ref string, _ store.Ref) bool { return !l.catalog.KnowsBatch(ref) })
	maps.DeleteFunc(l.owners, func(ref, _ string) bool { return !l.catalog.KnowsBatch(ref) })
}

// committed keeps what is known of products and batches that exist, at the versions that they have
// now.
func (l *loaded) committed() {
	for _, p := range l.catalog.Products() {
		if p.Version == 0 {
			delete(l.versions, p.SKU)
		} else {
			l.versions[p.SKU] = p.Version
		}
	}
	l.catalog.Committed()
	for ref := range l.absent {
		if l.owners[ref] == "" {
			delete(l.owners, ref)
		}
	}
	clear(l.absent)
	clear(l.lines)
}
