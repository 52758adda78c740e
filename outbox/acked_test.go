package outbox

import (
	"testing"

	"pgregory.net/rapid"
)

// The naive model is a set of rows.
func TestAcked_isASet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Int64Range(0, 300).Draw(t, "low")
		a, model := acked{low: low}, map[int64]bool{}
		ahead := rapid.Int64Range(1, 3000).Draw(t, "ahead")
		for range rapid.IntRange(0, 4000).Draw(t, "steps") {
			row := a.low + rapid.Int64Range(-3, ahead).Draw(t, "row")
			before := low
			if row >= low {
				model[row] = true
			}
			for model[low] {
				low++
			}
			if advanced := a.mark(row); advanced != (low > before) || a.low != low {
				t.Fatalf("mark %d: advanced %v to %d, want %d after %d", row, advanced, a.low, low, before)
			}
			probe := low + rapid.Int64Range(-3, ahead).Draw(t, "probe")
			if want := probe < low || model[probe]; a.has(probe) != want {
				t.Fatalf("has %d: want %v", probe, want)
			}
		}
	})
}

func TestAcked_staysSmall(t *testing.T) {
	t.Parallel()
	var a acked
	for row := range int64(1_000_000) {
		a.mark(row + 1 - 2*(row&1)) // each pair in the wrong order
	}
	if a.low != 1_000_000 || cap(a.words) > 4096 {
		t.Fatalf("low %d, %d words", a.low, cap(a.words))
	}
}
