package verify

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// point is where something stands in the order in which passes share the work: by a hash of its
// product, then by one of itself. So the parts of a product are beside each other, and also a
// product that is too large for one pass can be divided.
type point struct{ product, part uint64 }

var seed = maphash.MakeSeed()

func productPoint(sku string) point { return point{product: maphash.String(seed, sku)} }

func linePoint(k lineKey) point {
	return point{maphash.String(seed, k.sku), maphash.Comparable(seed, k)}
}

func batchPoint(sku, ref string) point {
	return point{maphash.String(seed, sku), maphash.String(seed, ref)}
}

func (p point) compare(o point) int {
	return cmp.Or(cmp.Compare(p.product, o.product), cmp.Compare(p.part, o.part))
}

// interval is what a pass is about: the points from one up to, and without, the other.
type interval struct {
	from, to point
	last     bool // there is no end
}

func (i interval) holds(p point) bool {
	return p.compare(i.from) >= 0 && (i.last || p.compare(i.to) < 0)
}

// touches reports whether a part of the product may be held.
func (i interval) touches(p point) bool {
	return p.product >= i.from.product && (i.last || p.product <= i.to.product)
}

// median is the point that halves those given, of which there must be two at least that differ.
func median(points []point) point {
	slices.SortFunc(points, point.compare)
	return points[len(points)/2]
}
