package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// words are what the texts of a grammar leave to the program: its name, and the words of its
// service.
func (p *Program) words() kong.Vars {
	v, lines := p.Vocabulary, p.Service.Lines().Names()
	event, _, _ := strings.Cut(v.Examples.Route, "=")
	return kong.Vars{
		"version": Version(), "program": p.Name, "key": v.Key, "KEY": strings.ToUpper(v.Key), "entity": v.Entity, "topic": v.Topic,
		"a_type": v.Examples.Type, "an_event": event, "a_key": v.Examples.Key, "bare": v.Examples.Bare, "route": v.Examples.Route, "again": v.Examples.Again,
		"line": lines[len(lines)-1], "lines": strings.Join(lines, " or "),
	}
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
