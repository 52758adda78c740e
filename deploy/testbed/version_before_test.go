package testbed

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuildBefore_saysWhatASourceWithoutHistoryLacks(t *testing.T) {
	t.Parallel()
	err := checkOut(t.TempDir(), t.TempDir())
	require.ErrorIs(t, err, ErrNoHistory)
	require.ErrorContains(t, err, "the history here does not have commit "+VersionBefore)
}
