package dlq

import (
	"strings"

	"allocation/cmd/internal/cli"
)

// title heads the column of what keys name.
func title(p *cli.Program) string { return strings.ToUpper(p.Vocabulary.Entity) }
