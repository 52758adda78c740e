package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// words are what the texts of a grammar leave to the program: ${program} is its name.
func (p *Program) words() kong.Vars {
	return kong.Vars{"version": Version(), "program": p.Name}
}

// fillIn puts words into the long help of commands. Kong itself puts them into the help, the
// default and the placeholder of a flag.
func fillIn(words kong.Vars) kong.Option {
	var pairs []string
	for name, word := range words {
		pairs = append(pairs, "${"+name+"}", word)
	}
	fill := strings.NewReplacer(pairs...).Replace
	return kong.PostBuild(kong.OptionFunc(func(k *kong.Kong) error {
		return kong.Visit(k.Model, func(v kong.Visitable, next kong.Next) error {
			if node, ok := v.(*kong.Node); ok {
				node.Detail = fill(node.Detail)
			}
			return next(nil)
		})
	}))
}
