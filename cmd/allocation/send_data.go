package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"allocation/cmd/allocation/config"
)

// fieldsOf are the fields of each command's data.
var fieldsOf = map[string][]string{
	"CreateBatch":         {"ref", "sku", "qty", "eta"},
	"ChangeBatchQuantity": {"batchref", "qty", "sku", "revision"},
	"ChangeBatchEta":      {"batchref", "eta", "sku"},
	"Allocate":            {"orderid", "sku", "qty", "lineid"},
	"Deallocate":          {"orderid", "sku", "lineid"},
	"Dispatch":            {"orderid", "sku", "lineid"},
}

// dataOf makes a command's JSON data of key=value arguments. A service ignores fields that it does not know; from a person they are typing
// mistakes.
func dataOf(kind string, arguments []string) ([]byte, error) {
	allowed, ok := fieldsOf[kind]
	if !ok {
		return nil, misuse("there is no command %q; there are %s", kind, strings.Join(config.CommandTypes(), ", "))
	}
	data := []byte{'{'}
	var seen []string
	for _, argument := range arguments {
		name, value, ok := strings.Cut(argument, "=")
		switch {
		case !ok:
			return nil, misuse("%q is not key=value", argument)
		case !slices.Contains(allowed, name):
			return nil, misuse("%s has no field %q; it has %s", kind, name, strings.Join(allowed, ", "))
		case slices.Contains(seen, name):
			return nil, misuse("%s is there twice", name)
		}
		if len(seen) > 0 {
			data = append(data, ',')
		}
		seen = append(seen, name)
		data = appendField(data, name, value)
	}
	return append(data, '}'), nil
}

// appendField writes a number where one is meant, and any other value as text, for the check to complain about.
func appendField(data []byte, name, value string) []byte {
	data = strconv.AppendQuote(data, name)
	data = append(data, ':')
	if name == "qty" || name == "revision" {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return strconv.AppendInt(data, n, 10)
		}
	}
	text, _ := json.Marshal(value) // a string always has JSON
	return append(data, text...)
}
