package event_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/event"
)

func TestHarm(t *testing.T) {
	t.Parallel()
	for says, of := range map[string]map[string]int64{
		"1 line loses its batch, and waits afterwards":                {"BatchQuantityChanged": 1, "Deallocated": 1, "OutOfStock": 1},
		"1 line loses its batch, and is allocated again":              {"BatchQuantityChanged": 1, "Deallocated": 1, "Allocated": 1},
		"2 lines lose their batch, and are all allocated again":       {"BatchQuantityChanged": 1, "Deallocated": 2, "Allocated": 2},
		"2 lines lose their batch, and 1 of them waits afterwards":    {"BatchQuantityChanged": 1, "Deallocated": 2, "Allocated": 1, "OutOfStock": 1},
		"1,200 lines lose their batch, and 2 of them wait afterwards": {"BatchQuantityChanged": 1, "Deallocated": 1200, "Allocated": 1198, "OutOfStock": 2},
		"3 lines lose their batch, and all of them wait afterwards":   {"BatchQuantityChanged": 1, "Deallocated": 3, "OutOfStock": 3},
	} {
		harm := event.Harm(of)
		require.Equal(t, says, harm.Says)
		require.Equal(t, map[string]int64{"lines_losing_batch": of["Deallocated"], "of_these_waiting": of["OutOfStock"]}, harm.Counts)
	}
	for _, of := range []map[string]int64{nil, {"OutOfStock": 1}, {"Deallocated": 1, "Allocated": 3}, {"BatchQuantityChanged": 1, "Allocated": 3}} {
		require.Nil(t, event.Harm(of), "nobody loses anything, but who wanted to")
	}
}
