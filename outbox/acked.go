package outbox

import "math/bits"

// acked knows which rows of a source are acknowledged: all below low, and above it those whose bit
// is set. Each row costs one bit from its acknowledgement until all before it are acknowledged too.
type acked struct {
	low   int64
	words []uint64 // of 64 rows each; words[head] holds low
	head  int
}

func (a *acked) word(row int64) int { return a.head + int(row>>6-a.low>>6) }

// mark says that a row is acknowledged, and whether low went up.
func (a *acked) mark(row int64) bool {
	if row < a.low {
		return false
	}
	i := a.word(row)
	for len(a.words) <= i {
		a.words = append(a.words, 0)
	}
	a.words[i] |= 1 << (row & 63)
	if row != a.low {
		return false
	}
	a.advance()
	return true
}

func (a *acked) advance() {
	for a.head < len(a.words) {
		shift := a.low & 63
		run := int64(bits.TrailingZeros64(^(a.words[a.head] >> shift)))
		a.low += min(run, 64-shift)
		if shift+run < 64 {
			break
		}
		a.head++
	}
	if a.head == len(a.words) || a.head > 1024 && a.head > len(a.words)/2 {
		a.words = a.words[:copy(a.words, a.words[a.head:])]
		a.head = 0
	}
}

// has reports whether a row is acknowledged.
func (a *acked) has(row int64) bool {
	if row < a.low {
		return true
	}
	i := a.word(row)
	return i < len(a.words) && a.words[i]&(1<<(row&63)) != 0
}
