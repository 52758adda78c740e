package buildyourown

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// block is a block of code of the document, in the order of the text.
type block struct {
	language string
	means    string // the path of a file, or how a command ends; empty: by itself
	text     string
	prints   string // the block after that of a command
}

var fence = regexp.MustCompile("(?ms)^```([a-z]+)(?: ([^\n]+))?\n(.*?)^```$")

// readDocument gives the files of the document, and its commands with what they print.
func readDocument(t *testing.T) (files, commands []block) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/build-your-own.md")
	require.NoError(t, err)
	blocks := fence.FindAllStringSubmatch(string(text), -1)
	require.Equal(t, 2*len(blocks), strings.Count(string(text), "\n```"), "each fence is understood")
	for _, found := range blocks {
		b := block{language: found[1], means: found[2], text: found[3]}
		switch {
		case strings.Contains(b.means, "/"):
			files = append(files, b)
		case b.language == "text":
			commands[len(commands)-1].prints = b.text
		default:
			require.Equal(t, "sh", b.language)
			require.Equal(t, 1, strings.Count(b.text, "\n"), "one command a block: %s", b.text)
			commands = append(commands, b)
		}
	}
	return files, commands
}

var (
	times   = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z`)
	workers = regexp.MustCompile(`by \S+/\d+, claim \d+`)
	took    = regexp.MustCompile(`(\t)(\(cached\)|\d+\.\d+s)`)
	columns = regexp.MustCompile(`  +`)
)

// same leaves out of what is printed what differs from time to time.
func same(printed string) string {
	printed = times.ReplaceAllString(printed, "TIME")
	printed = workers.ReplaceAllString(printed, "by WORKER")
	printed = took.ReplaceAllString(printed, "${1}TIME")
	printed = columns.ReplaceAllString(printed, "  ")
	var lines []string
	for line := range strings.Lines(printed) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.Join(lines, "\n")
}
