package console

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// VENDORED names the files of others, where they come from, under which licence, and what is in
// them.
func TestStatics_areWhatIsVendored(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("static/VENDORED")
	require.NoError(t, err)
	vendored := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		require.Len(t, fields, 5, line)
		name, version, licence, sum := fields[0], fields[2], fields[3], fields[4]
		content, err := os.ReadFile("static/" + name)
		require.NoError(t, err)
		got := sha256.Sum256(content)
		require.Equal(t, sum, hex.EncodeToString(got[:]), name)
		require.Regexp(t, `^\d+\.\d+\.\d+$`, version)
		require.FileExists(t, "static/"+licence)
		vendored[name] = true
	}
	entries, err := fs.ReadDir(Static(), ".")
	require.NoError(t, err)
	for _, entry := range entries {
		name := entry.Name()
		require.Equal(t, strings.HasSuffix(name, ".js"), vendored[name], "%s: all scripts are vendored, and nothing else", name)
	}
}
