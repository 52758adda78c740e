// Package examples holds small clients of the service in several languages, for people to copy. The README shows them.
package examples

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadme_showsTheExamplesAsTheyAre(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	language := map[string]string{".go": "go", ".py": "python", ".java": "java"}
	shown := 0
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		name, ok := language[filepath.Ext(path)]
		if err != nil || !ok || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		program, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(readme), "```"+name+"\n"+string(program)+"```\n", "copy %s into the README", path)
		shown++
		return nil
	}))
	require.Equal(t, 6, shown)
}
