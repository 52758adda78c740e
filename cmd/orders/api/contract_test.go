package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"allocation/cmd/orders/api"
)

// contract is openapi.json, as clients read it.
type contract struct {
	document struct {
		OpenAPI    string
		Paths      map[string]map[string]operation
		Components struct {
			Schemas   map[string]json.RawMessage
			Responses map[string]response
		}
	}

	mu       sync.Mutex // guards the compiler
	compiler *jsonschema.Compiler
}

type operation struct {
	OperationID string
	Responses   map[string]response
}

type response struct {
	Ref     string `json:"$ref"`
	Headers map[string]struct{ Required bool }
	Content map[string]struct {
		Schema struct {
			Ref string `json:"$ref"`
		}
	}
}

const document = "openapi.json"

func newContract(t *testing.T) *contract {
	t.Helper()
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	c := &contract{compiler: jsonschema.NewCompiler()}
	require.NoError(t, json.Unmarshal(text, &c.document))
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	require.NoError(t, err)
	c.compiler.AssertFormat()
	require.NoError(t, c.compiler.AddResource(document, value))
	return c
}

// check requires that the contract has what came: the status, the headers, and the body.
func (c *contract) check(t *testing.T, method, path string, got *reply) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	o, known := c.find(method, path)
	if !known {
		return
	}
	r, named := o.Responses[strconv.Itoa(got.status)]
	require.True(t, named, "%s %s: %d is not in the contract: %s", method, path, got.status, got.body)
	if r.Ref != "" {
		r = c.document.Components.Responses[r.Ref[strings.LastIndex(r.Ref, "/")+1:]]
	}
	for name, header := range r.Headers {
		require.True(t, !header.Required || got.header.Get(name) != "", "%s %s: %d has no %s", method, path, got.status, name)
	}
	content, named := r.Content[got.header.Get("Content-Type")]
	require.True(t, named, "%s %s: %d has the type %q", method, path, got.status, got.header.Get("Content-Type"))
	if method == http.MethodHead || content.Schema.Ref == "" {
		return
	}
	c.mu.Lock()
	schema, err := c.compiler.Compile(document + content.Schema.Ref)
	c.mu.Unlock()
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(value), "%s %s: %d %s", method, path, got.status, got.body)
}

var parameter = regexp.MustCompile(`\\\{[a-z]+\\\}`)

func (c *contract) find(method, path string) (operation, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for pattern, operations := range c.document.Paths {
		if regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(pattern), "[^/]+") + "$").MatchString(path) {
			if o, found := operations[strings.ToLower(method)]; found {
				return o, true
			}
		}
	}
	return operation{}, false
}

// The contract has the routes that there are, and no others.
func TestOpenAPI_hasTheRoutes(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	require.True(t, strings.HasPrefix(c.document.OpenAPI, "3.1."))
	var documented []string
	for path, operations := range c.document.Paths {
		for method, o := range operations {
			documented = append(documented, strings.ToUpper(method)+" "+path+" "+o.OperationID)
		}
	}
	require.ElementsMatch(t, api.Routes(), documented)
}

// A field means the same in a command's schema and in the contract.
func TestOpenAPI_hasTheFieldsOfCommands(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	type schema struct {
		MinLength, MaxLength, Minimum, Maximum int64
		Type                                   string
	}
	for field, name := range map[string]string{"customerid": "CustomerID", "cartid": "OrderID", "sku": "SKU", "qty": "Quantity"} {
		text, err := os.ReadFile("../../../domain/schemas/orders/commands/AddToCart.json")
		require.NoError(t, err)
		var command struct{ Properties map[string]schema }
		require.NoError(t, json.Unmarshal(text, &command))
		var own schema
		require.NoError(t, json.Unmarshal(c.document.Components.Schemas[name], &own))
		want := command.Properties[field]
		if name == "OrderID" {
			want.MinLength = 3 // which its pattern says
		}
		require.Equal(t, want, own, field)
	}
}
