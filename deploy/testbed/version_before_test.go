package testbed

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuildBefore_saysWhatASourceWithoutHistoryLacks(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, checkOut(t.TempDir(), t.TempDir()), "the history here does not have commit "+VersionBefore)
}
