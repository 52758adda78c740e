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
	Line    int // an index into the lines
	Version int64
}

// in reports whether a schema of a version has the object.
func (o Object) in(v Version) bool { return o.Version <= v[o.Line] }

// Column is a column that a migration adds to a table that another one made.
type Column struct {
	Table, Name string
	Line        int
	Version     int64
}

var (
	alters = regexp.MustCompile(`(?m)^alter table (\w+)([^;]*)`)
	adds   = regexp.MustCompile(`add column (\w+)`)
)

// Columns are what the migrations add to tables.
func (l Lines) Columns() (all []Column) {
	l.eachUp(func(line int, version int64, up string) {
		for _, table := range alters.FindAllStringSubmatch(up, -1) {
			for _, column := range adds.FindAllStringSubmatch(table[2], -1) {
				all = append(all, Column{table[1], column[1], line, version})
			}
		}
	})
	return all
}

// eachUp reads what each migration makes.
func (l Lines) eachUp(read func(line int, version int64, up string)) {
	for i, line := range l {
		for _, name := range line.names() {
			text, err := line.Files.ReadFile(line.Name + "/" + name)
			if err != nil {
				panic(err) // they are embedded
			}
			up, _, _ := strings.Cut(string(text), "\n-- +goose Down")
			read(i, versionOf(name), up)
		}
	}
}

var makes = regexp.MustCompile(`(?m)^create (?:or replace )?(table|function|type) (\w+)`)

// Objects are what the migrations make, but for the days of the outbox and what belongs to a table:
// indexes and sequences.
func (l Lines) Objects() (all []Object) {
	l.eachUp(func(line int, version int64, up string) {
		for _, found := range makes.FindAllStringSubmatch(up, -1) {
			made := Object{Kind(found[1]), found[2], line, version}
			if !slices.ContainsFunc(all, func(o Object) bool { return o.Kind == made.Kind && o.Name == made.Name }) {
				all = append(all, made)
			}
		}
	})
	return all
}
