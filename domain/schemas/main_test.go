// Package schemas has the JSON Schemas of all commands and events, one file each, and the tests
// that hold them and the service together.
package schemas

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"allocation/domain/order"
	"allocation/domain/product"
	"allocation/domain/warehouse"
)

// The folders of this package.
const (
	commands = "commands"
	events   = "events"
)

var commandNames, eventNames = product.CommandNames(), product.EventNames()

// load compiles a schema, with "format" as a check: dates must be real.
func load(t *testing.T, folder, name string) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(filepath.Join(folder, name+".json"))
	require.NoError(t, err)
	return schema
}

// accepts reports whether data is JSON that the schema allows.
func accepts(schema *jsonschema.Schema, data string) bool {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(data))
	return err == nil && schema.Validate(value) == nil
}

func TestSchemas_oneForEachCommandAndEvent(t *testing.T) {
	requireSchemas(t, "allocation", "", commandNames, eventNames)
	requireSchemas(t, "orders", "orders", order.CommandNames(), order.EventNames())
	requireSchemas(t, "warehouse", "warehouse", warehouse.TaskNames(), warehouse.Events)
}

func requireSchemas(t *testing.T, service, in string, commandNames, eventNames []string) {
	t.Helper()
	for kind, names := range map[string][]string{"command": commandNames, "event": eventNames} {
		folder := filepath.Join(in, kind+"s")
		var found []string
		files, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, file := range files {
			found = append(found, strings.TrimSuffix(file.Name(), ".json"))
		}
		require.ElementsMatch(t, names, found)
		for _, name := range names {
			schema := load(t, folder, name)
			require.Equal(t, service+".v1."+name, schema.Title)
			require.Equal(t, "urn:"+service+":v1:"+kind+":"+name, strings.TrimSuffix(schema.ID, "#"))
			require.NotEmpty(t, schema.Description)
			for field, property := range schema.Properties {
				require.NotEmpty(t, property.Description, "%s.%s", name, field)
			}
			for _, field := range schema.Required {
				require.Contains(t, schema.Properties, field, name)
			}
		}
	}
}
