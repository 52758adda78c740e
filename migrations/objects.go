package migrations

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// Kind is what sort of thing an object is.
type Kind string

// The kinds of objects.
const (
	Table    Kind = "table"
	Function Kind = "function"
	Type     Kind = "type"
)

// Object is something that the migrations make in the schema public, and the version that makes it
// first.
type Object struct {
	Kind    Kind
	Name    string
	Version int64
}

var makes = regexp.MustCompile(`(?m)^create (?:or replace )?(table|function|type) (\w+)`)

// Objects are what the migrations make, but for the days of the outbox and what belongs to a table:
// indexes and sequences.
func Objects() []Object {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // they are embedded
	}
	var all []Object
	for _, entry := range entries {
		text, err := files.ReadFile(entry.Name())
		if err != nil {
			panic(err)
		}
		version, err := goose.NumericComponent(entry.Name())
		if err != nil {
			panic(err)
		}
		up, _, _ := strings.Cut(string(text), "\n-- +goose Down")
		for _, found := range makes.FindAllStringSubmatch(up, -1) {
			made := Object{Kind(found[1]), found[2], version}
			if !slices.ContainsFunc(all, func(o Object) bool { return o.Kind == made.Kind && o.Name == made.Name }) {
				all = append(all, made)
			}
		}
	}
	return all
}
