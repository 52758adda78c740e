package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Those who wait for one partition take no place of another.
func TestLanes_haveTheirOwnPlaces(t *testing.T) {
	l := lanes{waiting: map[int32]int{}}
	for range maxSending {
		require.True(t, l.enter(3))
	}
	require.False(t, l.enter(3))
	require.True(t, l.enter(2))
	l.leave(3)
	require.True(t, l.enter(3))
}
