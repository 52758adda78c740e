package dlq

import (
	"bytes"
	"strings"

	"allocation/cmd/internal/cli"
)

// title heads the column of what keys name.
func title(p *cli.Program) string { return strings.ToUpper(p.Vocabulary.Entity) }

// printJSON prints one line for programs, with the service's words where the engine says key. Only
// names of fields are replaced: a quotation mark within a text has a backslash before it.
func printJSON(p *cli.Program, v any) error {
	var line bytes.Buffer
	if err := cli.NewJSONEncoder(&line).Encode(v); err != nil {
		return err
	}
	_, err := strings.NewReplacer(
		`"letter_key":`, `"`+p.Vocabulary.Key+`":`,
		`"held_key":`, `"`+p.Vocabulary.Entity+`":`,
	).WriteString(p.Out, line.String())
	return err
}
