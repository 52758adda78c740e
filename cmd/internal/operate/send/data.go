package send

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"allocation/cmd/internal/cli"
)

// dataOf makes a command's JSON data of key=value arguments. A service ignores fields that it does
// not know; from a person they are typing mistakes.
func (l *Language) dataOf(commandType string, arguments []string) ([]byte, error) {
	command := l.find(commandType)
	if command == nil {
		return nil, cli.Misuse("there is no command %q; there are %s", commandType, l.names())
	}
	data := []byte{'{'}
	var seen []string
	for _, argument := range arguments {
		name, value, ok := strings.Cut(argument, "=")
		at := slices.IndexFunc(command.Fields, func(f Field) bool { return f.Name == name })
		switch {
		case !ok:
			return nil, cli.Misuse("%q is not key=value", argument)
		case at < 0:
			return nil, cli.Misuse("%s has no field %q; it has %s", commandType, name, command.fieldNames())
		case slices.Contains(seen, name):
			return nil, cli.Misuse("%s is there twice", name)
		}
		if len(seen) > 0 {
			data = append(data, ',')
		}
		seen = append(seen, name)
		data = appendField(data, command.Fields[at], value)
	}
	return append(data, '}'), nil
}

func (t *CommandType) fieldNames() string {
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// appendField writes a number where one is meant, and any other value as text, for the check to
// complain about.
func appendField(data []byte, field Field, value string) []byte {
	data = strconv.AppendQuote(data, field.Name)
	data = append(data, ':')
	if field.Number {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return strconv.AppendInt(data, n, 10)
		}
	}
	text, _ := json.Marshal(value) // a string always has JSON
	return append(data, text...)
}
