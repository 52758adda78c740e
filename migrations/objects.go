package migrations

import (
	"regexp"
	"slices"
	"strings"
)

// Kind is what sort of thing an object is.
type Kind string

// The kinds of objects.
const (
	Table    Kind = "table"
	Function Kind = "function"
	Type     Kind = "type"
)

// Object is something that the migrations make in the schema, and the version of a line that makes
// it first.
type Object struct {
	Kind    Kind
	Name    string
	Line    int // of Lines
	Version int64
}

// in reports whether a schema of a version has the object.
func (o Object) in(v Version) bool { return o.Version <= v[o.Line] }

var makes = regexp.MustCompile(`(?m)^create (?:or replace )?(table|function|type) (\w+)`)

// Objects are what the migrations make, but for the days of the outbox and what belongs to a table:
// indexes and sequences.
func Objects() (all []Object) {
	for i, line := range Lines {
		for _, name := range names(line) {
			text, err := files.ReadFile(line + "/" + name)
			if err != nil {
				panic(err) // they are embedded
			}
			up, _, _ := strings.Cut(string(text), "\n-- +goose Down")
			for _, found := range makes.FindAllStringSubmatch(up, -1) {
				made := Object{Kind(found[1]), found[2], i, versionOf(name)}
				if !slices.ContainsFunc(all, func(o Object) bool { return o.Kind == made.Kind && o.Name == made.Name }) {
					all = append(all, made)
				}
			}
		}
	}
	return all
}
