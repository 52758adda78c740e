package schemas

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

// What a field may be tried with, as JSON. The limits of all kinds of fields are among them.
var values = []string{
	`null`, `true`, `false`, `[]`, `["x"]`, `{}`, `{"x":1}`,
	`""`, `"x"`, `"x y/z"`, `"é😀"`, `"` + strings.Repeat("x", 255) + `"`, `"` + strings.Repeat("x", 256) + `"`,
	`"\u0000"`, `"a\u001fb"`, `" "`, `"x\n"`, `"\u007f"`, `"\u0080"`, `"\u009f"`, `"\u00a0"`, `"5"`,
	`-1`, `0`, `1`, `2`, `1000000000`, `1000000001`, `1.5`, `0.1`, `-9223372036854775808`,
	`9223372036854775807`, `9223372036854775808`, `99999999999999999999`,
	`"2030-01-01"`, `"0001-01-01"`, `"9999-12-31"`, `"2028-02-29"`, `"2030-02-29"`, `"2030-04-31"`, `"2030-13-01"`, `"2030-00-10"`, `"2030-01-00"`,
	`"0000-01-01"`, `"2030-1-1"`, `"30-01-01"`, `"12030-01-01"`, `"2030-01-01T00:00:00Z"`, `"2030/01/01"`, `" 2030-01-01"`, `"2030-01-01\n"`, `"-001-01-01"`,
	`20300101`,
}

// legal has a value that each field of a command may have.
var legal = map[string]string{
	"ref": `"b1"`, "batchref": `"b1"`, "sku": `"CHAIR"`, "qty": `50`, "eta": `"2030-01-01"`, "revision": `2`, "orderid": `"o1"`, "lineid": `"l1"`,
}

// complete is data of a command that has all its fields.
func complete(t *testing.T, name string) map[string]string {
	fields := map[string]string{}
	for _, f := range product.FindCommand(name).Fields {
		require.Contains(t, legal, f.Name, "this test has no value for the field %q of %s", f.Name, name)
		fields[f.Name] = legal[f.Name]
	}
	return fields
}

func TestCommands_agreeWithTheDecoder(t *testing.T) {
	for _, name := range commandNames {
		t.Run(name, func(t *testing.T) {
			schema := load(t, commands, name)
			fields := complete(t, name)
			require.Len(t, schema.Properties, len(fields))
			accepted := 0
			for _, data := range variants(fields) {
				_, refusal := product.DecodeCommand(name, []byte(data))
				require.Equal(t, refusal == nil, accepts(schema, data), "%s %s\ndecoder: %v", name, data, refusal)
				if refusal == nil {
					accepted++
				}
			}
			require.Greater(t, accepted, 20)
		})
	}
}

// variants are commands with one field changed or left out, and what is no command at all.
func variants(fields map[string]string) []string {
	all := []string{``, `{`, `{}`, `null`, `[]`, `"x"`, `1`, object(fields), object(with(fields, "added_later", `{"qty":[1.5]}`))}
	for field := range fields {
		all = append(all, object(with(fields, field, "")))
		for _, value := range values {
			all = append(all, object(with(fields, field, value)))
		}
	}
	return all
}

// with is a copy with another value, or without the field where that is empty.
func with(fields map[string]string, field, value string) map[string]string {
	changed := maps.Clone(fields)
	if value == "" {
		delete(changed, field)
	} else {
		changed[field] = value
	}
	return changed
}

func object(fields map[string]string) string {
	var members []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		name, _ := json.Marshal(field) // a string always has JSON
		members = append(members, string(name)+":"+fields[field])
	}
	return "{" + strings.Join(members, ",") + "}"
}

// What JSON Schema cannot say. Descriptions do, and the service refuses it.
func TestCommands_theServiceIsStricter(t *testing.T) {
	for _, test := range []struct{ name, data string }{
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20.0}`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":2e1}`},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":-0}`},
		{"Allocate", `{"orderid":"` + strings.Repeat("é", 128) + `","sku":"CHAIR","qty":20}`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20,"qty":20}`},
		{"Allocate", `{"orderid":"\ud800","sku":"CHAIR","qty":20}`},
	} {
		_, refusal := product.DecodeCommand(test.name, []byte(test.data))
		require.NotNil(t, refusal, test.data)
		require.Equal(t, product.ReasonMalformed, refusal.Reason)
		require.True(t, accepts(load(t, commands, test.name), test.data), test.data)
	}
}
