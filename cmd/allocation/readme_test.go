package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	return string(text)
}

// section is the text below a heading.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(readme(t), "\n"+heading+"\n")
	require.True(t, found, heading)
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// block is the text of the code block below a marker.
func block(t *testing.T, marker string) string {
	t.Helper()
	found := regexp.MustCompile("(?s)<!-- "+regexp.QuoteMeta(marker)+" -->\n```[a-z]*\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	require.Len(t, found, 1, marker)
	return found[0][1]
}

// rows are the cells of a section's tables.
func rows(text string) (all [][]string) {
	escaped := strings.NewReplacer(`\|`, "\x00")
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "| ") {
			cells := strings.Split(strings.Trim(escaped.Replace(line), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(strings.ReplaceAll(cells[i], "\x00", "|"))
			}
			all = append(all, cells)
		}
	}
	return all
}

func TestReadme_configuration(t *testing.T) {
	t.Parallel()
	defaults := map[string]string{}
	for _, row := range rows(section(t, "## Configuration"))[1:] {
		defaults[strings.Trim(row[0], "`")] = row[1]
	}
	// Those that are no flags, and those whose default is in words.
	want := map[string]string{
		"DATABASE_URL": "", "KAFKA_SASL_PASSWORD": "",
		"KAFKA_TLS_CA_FILE": "the system's", "APPLIERS": "the number of cores", "LOG_FORMAT": "`text` on a terminal, else `json`",
	}
	for variable, flag := range workerFlags(t) {
		if _, inWords := want[variable]; inWords {
			require.Empty(t, flag.Default)
			continue
		}
		want[variable] = ""
		if flag.Default != "" {
			want[variable] = "`" + flag.Default + "`"
		}
	}
	require.Equal(t, want, defaults)
}

// workerFlags are the flags of a worker that have a variable with a name of its own, by variable.
func workerFlags(t *testing.T) map[string]*kong.Flag {
	t.Helper()
	parser, err := kong.New(&grammar{}, kong.Vars{"version": ""})
	require.NoError(t, err)
	flags := map[string]*kong.Flag{}
	for _, leaf := range parser.Model.Leaves(true) {
		for _, flag := range leaf.Flags {
			if leaf.Path() == "worker" && len(flag.Envs) > 0 {
				flags[flag.Envs[0]] = flag
			}
		}
	}
	return flags
}

func TestReadme_commandLine(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&grammar{}, kong.Vars{"version": ""})
	require.NoError(t, err)
	text := section(t, "## Command line")
	for _, child := range parser.Model.Children {
		require.Regexp(t, "(?m)^\\| `"+child.Name+"\\b", text)
		for _, leaf := range child.Children {
			if leaf.Type == kong.CommandNode {
				require.Regexp(t, "`"+child.Name+` ([a-z|\\]+)?`+leaf.Name+"\\b", text)
			}
		}
	}
}

func TestReadme_headers(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("../../outbox/testdata/Allocated.golden")
	require.NoError(t, err)
	want := map[string]string{}
	for line := range strings.Lines(string(golden)) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, quoted := kind, strings.TrimSpace(rest)
		if kind == "header" {
			name, quoted, _ = strings.Cut(quoted, ": ")
		}
		if kind != "topic" {
			want[name] = unquote(t, quoted)
		}
	}
	got := map[string]string{}
	for line := range strings.Lines(block(t, "headers: a test compares this block with a golden file")) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "headers"))
		name, value, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(line, "value ") {
			name, value, _ = strings.Cut(line, " ")
		}
		got[name] = strings.TrimSpace(value)
	}
	require.Equal(t, want, got)
}

func unquote(t *testing.T, quoted string) (text string) {
	t.Helper()
	_, err := fmt.Sscanf(quoted, "%q", &text)
	require.NoError(t, err, quoted)
	return text
}

// documentedMetrics are the names in the README's table.
func documentedMetrics(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	for _, row := range rows(section(t, "## Health and metrics"))[1:] {
		name, _, _ := strings.Cut(strings.Trim(row[0], "`"), "{")
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func TestReadme_deadLetters(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../outbox/testdata/dead-letter*.golden")
	require.NoError(t, err)
	name := regexp.MustCompile(`dlq-[a-z-]+`)
	published := map[string]bool{}
	for _, file := range files {
		golden, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, header := range name.FindAllString(string(golden), -1) {
			published[header] = true
		}
	}
	_, text, _ := strings.Cut(section(t, "## Messages"), "\n### Dead letters\n")
	documented := map[string]bool{}
	for _, row := range rows(text) {
		for _, header := range name.FindAllString(row[0], -1) {
			documented[header] = true
		}
	}
	require.NotEmpty(t, documented)
	require.Equal(t, published, documented)
}
