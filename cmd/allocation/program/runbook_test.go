package program_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/service"

	"github.com/stretchr/testify/require"
)

// Each command of the runbook is one that the program takes, and each metric one that it has.
func TestRunbook_namesWhatThereIs(t *testing.T) {
	t.Parallel()
	runbook := document(t, "docs/runbook.md")
	commands := regexp.MustCompile("(?m)(?:^|`)allocation ([a-z][^`\n]*)").FindAllStringSubmatch(runbook, -1)
	require.Greater(t, len(commands), 30)
	for _, c := range commands {
		parser := program.New(nil, nil, nil, service.Hooks{}).Parser()
		if _, err := parser.Parse(words(c[1])); err != nil {
			require.Regexp(t, "^expected", err.Error(), c[1]) // a command that is only mentioned
		}
	}
	metrics, err := os.ReadFile("testdata/metrics.txt")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`allocation_[a-z_]+`).FindAllString(runbook, -1) {
		require.Contains(t, string(metrics), m+" ")
	}
}

// words splits a command line as a shell does, as far as the runbook needs it.
func words(line string) (words []string) {
	for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		words = append(words, strings.Trim(w, `"`))
	}
	return words
}
