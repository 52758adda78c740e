package program_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/service"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// document is a text of the repository, named from its top.
func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../..", path))
	require.NoError(t, err)
	return string(text)
}

// block is the text of a document's code block below a marker.
func block(t *testing.T, path, marker string) string {
	t.Helper()
	found := regexp.MustCompile("(?s)<!-- "+regexp.QuoteMeta(marker)+" -->\n```[a-z]*\n(.*?)```").FindAllStringSubmatch(document(t, path), -1)
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

func TestDocuments_nameEachVariable(t *testing.T) {
	t.Parallel()
	defaults := map[string]string{}
	for _, row := range rows(document(t, "docs/configuration.md")) {
		defaults[strings.Trim(row[0], "`")] = row[1]
	}
	delete(defaults, "Variable") // the heads of the tables
	// Those that are no flags, and those whose default is in words.
	want := map[string]string{
		"DATABASE_URL": "", "KAFKA_SASL_PASSWORD": "",
		"KAFKA_TLS_CA_FILE": "the system's", "APPLIERS": "the number of cores", "LOG_FORMAT": "`text` on a terminal, else `json`",
	}
	for variable, flag := range processFlags(t) {
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

// processFlags are the flags of a worker and of a console that have a variable, by variable.
func processFlags(t *testing.T) map[string]*kong.Flag {
	t.Helper()
	parser := program.New(nil, nil, nil, service.Hooks{}).Parser()
	flags := map[string]*kong.Flag{}
	for _, leaf := range parser.Model.Leaves(true) {
		for _, flag := range leaf.Flags {
			if (leaf.Path() == "worker" || leaf.Path() == "console") && len(flag.Envs) > 0 {
				flags[flag.Envs[0]] = flag
			}
		}
	}
	return flags
}

func TestDocuments_nameEachSubcommand(t *testing.T) {
	t.Parallel()
	parser := program.New(nil, nil, nil, service.Hooks{}).Parser()
	text := document(t, "docs/cli.md")
	for _, child := range parser.Model.Children {
		require.Regexp(t, "(?m)^\\| `"+child.Name+"\\b", text)
		for _, leaf := range child.Children {
			if leaf.Type == kong.CommandNode {
				require.Regexp(t, "`"+child.Name+` ([a-z|\\]+)?`+leaf.Name+"\\b", text)
			}
		}
	}
}

func TestDocuments_showTheHeadersOfAnEvent(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("../../../outbox/testdata/Allocated.golden")
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
	for line := range strings.Lines(block(t, "docs/messages.md", "headers: a test compares this block with a golden file")) {
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

// documentedMetrics are the names in the table of documents.
func documentedMetrics(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	for _, row := range rows(document(t, "docs/metrics.md"))[1:] {
		name, _, _ := strings.Cut(strings.Trim(row[0], "`"), "{")
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func TestDocuments_nameEachHeaderOfADeadLetter(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../outbox/testdata/dead-letter*.golden")
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
	_, text, _ := strings.Cut(document(t, "docs/messages.md"), "\n## Dead letters\n")
	documented := map[string]bool{}
	for _, row := range rows(text) {
		for _, header := range name.FindAllString(row[0], -1) {
			documented[header] = true
		}
	}
	require.NotEmpty(t, documented)
	require.Equal(t, published, documented)
}

var (
	linked  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// anchors are those that headings make, as code forges make them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(h[1]), "")
		found[strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}

func TestDocuments_linkToWhatThereIs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../*.md")
	require.NoError(t, err)
	docs, err := filepath.Glob("../../../docs/*.md")
	require.NoError(t, err)
	links := 0
	for _, file := range append(files, docs...) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, link := range linked.FindAllStringSubmatch(string(text), -1) {
			path, anchor, _ := strings.Cut(link[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			links++
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), path)
			}
			_, err := os.Stat(target)
			require.NoError(t, err, "%s links to %s", file, link[1])
			if anchor != "" {
				to, err := os.ReadFile(target)
				require.NoError(t, err)
				require.True(t, anchors(string(to))[anchor], "%s links to %s", file, link[1])
			}
		}
	}
	require.Greater(t, links, 100)
}

// What promises.md names as proof is there.
func TestDocuments_nameTestsAndMutantsThatThereAre(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	require.NoError(t, filepath.WalkDir("../../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		tests.Write(text)
		return err
	}))
	_, shown, _ := strings.Cut(document(t, "docs/promises.md"), "\n## What shows them\n")
	for _, row := range rows(shown)[1:] {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			require.Contains(t, tests.String(), "\nfunc "+name[1])
		}
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			require.FileExists(t, "../../../deploy/mutants/"+name[1]+".patch")
		}
	}
}
