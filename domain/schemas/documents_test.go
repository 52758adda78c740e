package schemas

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

// A row of the tables of commands and events: name and data.
var documented = regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\| `(\\{.*?\\})` \\|")

func TestDocuments_examplesKeepToTheSchemas(t *testing.T) {
	keepToSchemas(t, "messages.md", commands, events, commandNames, eventNames, func(name string, data []byte) bool {
		_, refusal := product.DecodeCommand(name, data)
		return refusal == nil
	})
}

// keepToSchemas requires that a document has an example of each message, which its schema accepts,
// and of a command that the service reads it.
func keepToSchemas(t *testing.T, document, commands, events string, commandNames, eventNames []string, reads func(name string, data []byte) bool) {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + document)
	require.NoError(t, err)
	var seen []string
	for _, row := range documented.FindAllStringSubmatch(string(text), -1) {
		name, data := row[1], row[2]
		folder := events
		if slices.Contains(commandNames, name) {
			folder = commands
			require.True(t, reads(name, []byte(data)), row[0])
		}
		schema := load(t, folder, name)
		require.True(t, accepts(schema, data), row[0])
		for _, field := range fieldsOf(t, data) {
			require.Contains(t, schema.Properties, field, row[0])
		}
		seen = append(seen, name)
	}
	require.ElementsMatch(t, slices.Concat(commandNames, eventNames), seen)
}

func TestOutbox_publishesWhatTheSchemasSay(t *testing.T) {
	files, err := filepath.Glob("../../outbox/testdata/*.golden")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		kind, isEvent := strings.CutPrefix(golden(t, text, "header  ce_type: "), "allocation.v1.")
		if !isEvent || !slices.Contains(eventNames, kind) {
			continue // a dead letter
		}
		require.True(t, accepts(load(t, events, kind), golden(t, text, "value   ")), file)
		seen[kind] = true
	}
	require.Len(t, seen, len(eventNames))
}

// golden is the text, or "", of the first line of a golden file that begins so.
func golden(t *testing.T, file []byte, begins string) string {
	t.Helper()
	for line := range strings.Lines(string(file)) {
		quoted, ok := strings.CutPrefix(strings.TrimSpace(line), begins)
		if !ok || quoted == "nil" {
			continue
		}
		text, err := strconv.Unquote(quoted)
		require.NoError(t, err)
		return text
	}
	return ""
}
