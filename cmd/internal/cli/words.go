package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// words are what the texts of a grammar leave to the program: its name, what its keys are called,
// and what they name.
func (p *Program) words() kong.Vars {
	key := p.Vocabulary.Key
	return kong.Vars{"version": Version(), "program": p.Name, "key": key, "KEY": strings.ToUpper(key), "entity": p.Vocabulary.Entity}
}

// fillIn puts words into the names of flags and into the long help of commands. Kong itself puts
// them into the help, the default and the placeholder of a flag.
func fillIn(words kong.Vars) kong.Option {
	var pairs []string
	for name, word := range words {
		pairs = append(pairs, "${"+name+"}", word)
	}
	fill := strings.NewReplacer(pairs...).Replace
	return kong.PostBuild(kong.OptionFunc(func(k *kong.Kong) error {
		return kong.Visit(k.Model, func(v kong.Visitable, next kong.Next) error {
			switch v := v.(type) {
			case *kong.Node:
				v.Detail = fill(v.Detail)
			case *kong.Flag:
				v.Name = fill(v.Name)
			}
			return next(nil)
		})
	}))
}
