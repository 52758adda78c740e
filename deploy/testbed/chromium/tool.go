package chromium

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// tool is where make puts something that tests need.
func tool(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".cache", "bin", name)
		}
		above := filepath.Dir(dir)
		require.NotEqual(t, above, dir, "this is in no module")
		dir = above
	}
}
