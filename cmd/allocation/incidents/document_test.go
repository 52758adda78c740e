package incidents

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
)

const path = "../../../docs/incidents.md"

// written keeps tests from writing the document at the same time.
var written sync.Mutex

func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// block is the text of a code block, and where it is in the document.
type block struct {
	text     string
	from, to int
}

// section gives the code blocks below a heading: the command, and what it prints.
func section(t *testing.T, text, heading string) (command, prints block) {
	t.Helper()
	begin := regexp.MustCompile(`(?m)^#+ ` + regexp.QuoteMeta(heading) + `$`).FindStringIndex(text)
	require.NotNil(t, begin, "docs/incidents.md has %q", heading)
	end := len(text)
	if next := regexp.MustCompile(`(?m)^##`).FindStringIndex(text[begin[1]:]); next != nil {
		end = begin[1] + next[0]
	}
	var blocks []block
	for _, at := range regexp.MustCompile("(?ms)^```(?:sh)?\n(.*?)^```$").FindAllStringSubmatchIndex(text[begin[1]:end], 2) {
		from, to := begin[1]+at[2], begin[1]+at[3]
		blocks = append(blocks, block{text[from:to], from, to})
	}
	require.Len(t, blocks, 2, "%q has a command and what it prints", heading)
	require.Equal(t, 1, strings.Count(blocks[0].text, "\n"), "one command answers %q", heading)
	return blocks[0], blocks[1]
}

// Each command of the document with an answer has a test.
func TestDocument_hasNoAnswerWithoutATest(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	var tests strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		tests.Write(text)
	}
	heading, answers := "", 0
	for line := range strings.Lines(document(t)) {
		if name, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "##") {
			heading = strings.TrimSpace(name)
		}
		if line == "```sh\n" {
			answers++
			require.Contains(t, tests.String(), fmt.Sprintf("requireAnswer(s, %q, ", heading))
		}
	}
	require.Equal(t, 11, answers, "ten incidents, one of them in two ways")
}

// requireAnswer runs the command below a heading, and requires that it prints what stands there.
// UPDATE_GOLDEN=1 writes that instead. The service has the names that the document's must be
// replaced by.
func requireAnswer(s *programtest.Service, heading string, code int, names ...string) {
	s.T.Helper()
	command, prints := section(s.T, document(s.T), heading)
	o := run(s, strings.TrimSpace(command.text), names...)
	require.Equal(s.T, code, o.Code, "%s%s", o.Out, o.Err)
	got := inDocument(s, o.Out, names...)
	if os.Getenv("UPDATE_GOLDEN") != "" && alike(prints.text) != alike(got) {
		written.Lock()
		defer written.Unlock()
		text := document(s.T)
		_, prints = section(s.T, text, heading)
		require.NoError(s.T, os.WriteFile(path, []byte(text[:prints.from]+got+text[prints.to:]), 0o600))
		return
	}
	require.Equal(s.T, alike(prints.text), alike(got), "%s\nprints\n%s", command.text, got)
}

// run runs a command of the document against a service.
func run(s *programtest.Service, line string, names ...string) programtest.Outcome {
	s.T.Helper()
	args := words(replacer(s, names, false).Replace(line))
	require.Equal(s.T, "allocation", args[0], line)
	args = args[1:]
	switch args[0] {
	case "explain", "status", "offsets":
		args = append(args, "--kafka-brokers="+s.Names.Server(s.T))
	}
	if args[0] == "explain" {
		args = append(args, "--events-topic="+s.Names.Events)
	}
	return programtest.Run(s.T, args...)
}

// words are those of a command line, as far as the document needs what a shell does.
func words(line string) (words []string) {
	for _, w := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		words = append(words, strings.Trim(w, "'"))
	}
	return words
}

func inDocument(s *programtest.Service, text string, names ...string) string {
	return workerName.ReplaceAllString(replacer(s, names, true).Replace(text), "host-1/7")
}

var workerName = regexp.MustCompile(`\b[\w.-]+/\d+\b`)

// replacer exchanges names of the document for those of the service, or the other way around.
func replacer(s *programtest.Service, more []string, back bool) *strings.Replacer {
	pairs := append([]string{"warehouse.commands", s.Names.Commands, "allocation.events", s.Names.Events}, more...)
	if back {
		for i := 0; i < len(pairs); i += 2 {
			pairs[i], pairs[i+1] = pairs[i+1], pairs[i]
		}
	}
	return strings.NewReplacer(pairs...)
}

// What is never the same twice.
var changing = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`(?m) +$`), ""},
	{regexp.MustCompile(`   +`), "  "},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{workerName, "WORKER"},
	{regexp.MustCompile(`\b(\d+(\.\d+)?(ms|s|m|h))+\b`), "DURATION"},
	{regexp.MustCompile(`process \d+`), "process PID"},
	{regexp.MustCompile(`engine \d+ and products \d+`), "VERSION"},
	{regexp.MustCompile(`WORKER  \S+  (\d)`), "WORKER  BUILD  $1"},
}

// alike leaves out of a text what is never the same twice: times, workers, durations, versions, and
// how wide columns are.
func alike(text string) string {
	for _, c := range changing {
		text = c.what.ReplaceAllString(text, c.as)
	}
	return text
}

func TestAlike_takesAWorkerOfAnyName(t *testing.T) {
	t.Parallel()
	short := "WORKER  VERSION  PARTITIONS\nc/816   (devel)  3\n"
	long := "WORKER            VERSION  PARTITIONS\na.long.name/1234  v1.2.3   3\n"
	require.Equal(t, alike(short), alike(long))
	require.NotEqual(t, alike(short), alike("WORKER  VERSION  PARTITIONS\nc/816   (devel)  2\n"))
}
