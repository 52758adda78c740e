package explain

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/store"
)

// Commands of a correlation come in the order of time, and those of a partition in that of offsets,
// whatever their clocks and wherever they were found.
func TestSortByTime_followsOffsetsOfAPartition(t *testing.T) {
	t.Parallel()
	at := func(second int) *time.Time {
		at := time.Unix(1_800_000_000+int64(second), 0)
		return &at
	}
	want := []store.FoundCommand{
		{ID: store.RecordID{Topic: "a", Partition: 0, Offset: 1}, Time: at(1)},
		{ID: store.RecordID{Topic: "b", Partition: 0, Offset: 9}, Time: at(2)},
		{ID: store.RecordID{Topic: "a", Partition: 0, Offset: 2}, Time: at(3)},
		{ID: store.RecordID{Topic: "a", Partition: 0, Offset: 3}},               // not known
		{ID: store.RecordID{Topic: "a", Partition: 0, Offset: 10}, Time: at(2)}, // of another clock
		{ID: store.RecordID{Topic: "a", Partition: 1, Offset: 0}, Time: at(4)},
	}
	for range 50 {
		got := append([]store.FoundCommand{}, want...)
		rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		sortByTime(got)
		require.Equal(t, want, got)
	}
}
