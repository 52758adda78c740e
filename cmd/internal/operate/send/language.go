package send

import (
	"errors"
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// Language is how people write a service's commands.
type Language struct {
	Service  *store.Service
	Commands []CommandType
	Examples []string // what may stand after "send"
	Line     string   // of a file, as an example

	// Read reads the JSON data of a command, and gives its key, empty where the data has none. Its
	// error says why the service would refuse to read it.
	Read func(name string, data []byte) (key string, err error)
}

// CommandType is a command, and the fields of its data.
type CommandType struct {
	Name   string
	Fields []Field
}

// Field is a member of a command's data.
type Field struct {
	Name   string
	Number bool // else it is text
}

func (l *Language) find(name string) *CommandType {
	for i := range l.Commands {
		if l.Commands[i].Name == name {
			return &l.Commands[i]
		}
	}
	return nil
}

func (l *Language) names() string {
	names := make([]string, len(l.Commands))
	for i := range l.Commands {
		names[i] = l.Commands[i].Name
	}
	return strings.Join(names, ", ")
}

// Types are the commands and the fields of their data, for a help.
func (l *Language) Types() string {
	var types strings.Builder
	for i := range l.Commands {
		fmt.Fprintf(&types, "    %-20s %s\n", l.Commands[i].Name, l.Commands[i].fieldNames())
	}
	return types.String()
}

// ReadLine reads a command as a person types it, TYPE key=value …, or as a line of a file has it.
func (l *Language) ReadLine(line string) (*Message, error) {
	if strings.HasPrefix(line, "{") {
		return l.readMessage([]byte(line))
	}
	words, err := cli.Split(line)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, errors.New("it has no command")
	}
	return (&Given{Type: words[0], Fields: words[1:], Language: l}).one()
}
