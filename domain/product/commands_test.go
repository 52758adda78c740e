package product_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

// Commands are ordered, held and locked by what they name. A field that Keys forgets would let a
// command overtake others of its product.
func TestCommands_nameAllTheirKeysAndNoOthers(t *testing.T) {
	values := map[string]string{"ref": "b1", "batchref": "b1", "sku": "CHAIR", "orderid": "o1", "lineid": "l1", "eta": "2030-01-01", "qty": "5", "revision": "7"}
	for _, c := range product.Commands {
		data, has := "{", map[string]bool{}
		for i, f := range c.Fields {
			require.Contains(t, values, f.Name, "this test has no value for the field %q of %s", f.Name, c.Name)
			if i > 0 {
				data += ","
			}
			value := values[f.Name]
			if !f.Number {
				value = strconv.Quote(value)
			}
			data += strconv.Quote(f.Name) + ":" + value
			has[f.Name] = true
		}
		command, refusal := product.DecodeCommand(c.Name, []byte(data+"}"))
		require.Nil(t, refusal, c.Name)
		require.Equal(t, c.Name, command.Name())
		given := func(field string) string {
			if has[field] {
				return values[field]
			}
			return ""
		}
		keys := command.Keys()
		require.Equal(t, given("sku"), keys.SKU, c.Name)
		require.Equal(t, given("ref"), keys.Makes, c.Name)
		require.Equal(t, given("batchref"), keys.Batch, c.Name)
		line := product.LineID{OrderID: given("orderid"), LineID: given("lineid")}
		if has["orderid"] {
			line.SKU = given("sku")
		}
		require.Equal(t, line, keys.Line, c.Name)
		require.True(t, keys.SKU != "" || keys.Batch != "", "%s is about no product", c.Name)
		require.Equal(t, has["orderid"] && has["qty"], keys.Places, c.Name)
	}
}

func TestCommands_haveANameOfTheirOwn(t *testing.T) {
	names := map[string]bool{}
	for _, c := range product.Commands {
		require.False(t, names[c.Name], c.Name)
		names[c.Name] = true
		require.Equal(t, c.Name, product.FindCommand(c.Name).Name)
	}
	require.Nil(t, product.FindCommand("Reserve"))
}

// The lists of reasons and events have every constant of their type.
func TestLists_areComplete(t *testing.T) {
	reasons := make([]string, 0, len(product.Reasons))
	for _, r := range product.Reasons {
		reasons = append(reasons, string(r))
	}
	require.ElementsMatch(t, constants(t, "refusal.go", "Reason"), reasons)
	require.ElementsMatch(t, constants(t, "event.go", "EventType"), product.EventNames())
}

// constants are the values of a file's constants of a type.
func constants(t *testing.T, file, typeName string) (values []string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == typeName {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			values = append(values, value)
		}
		return true
	})
	require.NotEmpty(t, values)
	return values
}
