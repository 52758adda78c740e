package verify

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// point is where something stands in the order in which passes share the work: by a hash of its
// key, then by one of itself. So the parts of a key are beside each other, and also a key that is
// too large for one pass can be divided.
type point struct{ key, part uint64 }

var seed = maphash.MakeSeed()

func keyPoint(key string) point { return point{key: maphash.String(seed, key)} }

func partPoint[K comparable](key string, part K) point {
	return point{maphash.String(seed, key), maphash.Comparable(seed, part)}
}

func (p point) compare(o point) int {
	return cmp.Or(cmp.Compare(p.key, o.key), cmp.Compare(p.part, o.part))
}

// interval is what a pass is about: the points from one up to, and without, the other.
type interval struct {
	from, to point
	last     bool // there is no end
}

func (i interval) holds(p point) bool {
	return p.compare(i.from) >= 0 && (i.last || p.compare(i.to) < 0)
}

// touches reports whether a part of the key may be held.
func (i interval) touches(p point) bool {
	return p.key >= i.from.key && (i.last || p.key <= i.to.key)
}

// median is the point that halves those given, of which there must be two at least that differ.
func median(points []point) point {
	slices.SortFunc(points, point.compare)
	return points[len(points)/2]
}
