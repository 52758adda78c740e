package products

import (
	"fmt"
	"hash/maphash"

	"allocation/domain/product"
	"allocation/worker"
)

// newLines takes order lines that are to be placed for new ones, unless they were to be placed
// lately. If one is not new, the write fails on the primary key, and the next transactions look
// lines up.
type newLines struct {
	recent  recent // that were to be placed lately
	careful int    // so many transactions presume nothing
	caution int    // how many they will be the next time
}

// maxCaution bounds how many transactions look up lines after a wrong presumption.
const maxCaution = 64

// errNotNew is the conflict of an order line that was taken for a new one and came up while
// something else was read.
var errNotNew = fmt.Errorf("%w: an order line that is placed exists already", worker.ErrConflict)

func makeNewLines() newLines { return newLines{recent: newRecent(), caution: 1} }

// presumes reports whether an order line that is to be placed is taken for a new one.
func (n *newLines) presumes(id product.LineID) bool { return !n.recent.seen(id) && n.careful == 0 }

// committed notes that a transaction was not wrong.
func (n *newLines) committed() {
	n.careful = max(0, n.careful-1)
	if n.careful == 0 {
		n.caution = max(1, n.caution-1)
	}
}

// wrong notes that a line was not new.
func (n *newLines) wrong() { n.careful, n.caution = n.caution, min(2*n.caution, maxCaution) }

// recent knows order lines that it was asked about lately, by their hashes. Each has one slot,
// which it shares with others: the last one stays.
type recent struct {
	seed  maphash.Seed
	slots []uint32 // the upper halves of hashes; the lower ones choose the slot
}

// recentSlots is a power of two: half a megabyte of slots.
const recentSlots = 1 << 17

func newRecent() recent { return recent{maphash.MakeSeed(), make([]uint32, recentSlots)} }

// seen reports whether it was asked about a line before.
func (r *recent) seen(id product.LineID) bool {
	hash := maphash.Comparable(r.seed, id)
	slot, upper := &r.slots[hash%recentSlots], uint32(hash>>32)
	before := *slot == upper
	*slot = upper
	return before
}
