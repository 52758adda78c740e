package cli

import (
	"cmp"
	"slices"
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
		"other": v.Examples.Other, "prefix": v.Prefix, "http_addr": cmp.Or(v.HTTPAddr, "127.0.0.1:8080"),
	}
}

// adopt makes the grammar the service's: it puts words into the names of flags and into the long
// help of commands, and the service's prefix before environment variables. Kong itself puts words
// into the help, the default and the placeholder of a flag. A service that knows no other one has
// no flag for the topics of others.
func (p *Program) adopt() kong.Option {
	var pairs []string
	for name, word := range p.words() {
		pairs = append(pairs, "${"+name+"}", word)
	}
	fill := strings.NewReplacer(pairs...).Replace
	alone := len(p.Vocabulary.Takes)+len(p.Vocabulary.Sends) == 0
	return kong.PostBuild(kong.OptionFunc(func(k *kong.Kong) error {
		return kong.Visit(k.Model, func(v kong.Visitable, next kong.Next) error {
			switch v := v.(type) {
			case *kong.Node:
				v.Detail = fill(v.Detail)
				v.Flags = slices.DeleteFunc(v.Flags, func(f *kong.Flag) bool { return alone && f.Name == "other-topics" })
			case *kong.Flag:
				v.Name = fill(v.Name)
				for i := range v.Envs {
					v.Envs[i] = p.Vocabulary.Prefix + v.Envs[i]
				}
			}
			return next(nil)
		})
	}))
}
