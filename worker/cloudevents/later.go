package cloudevents

import (
	"regexp"
	"strconv"
)

// A prefix ends in a version, such as v1. A type of a later version has the same beginning, a
// higher version and a plain name.
var (
	versionedPrefix = regexp.MustCompile(`^(.*\.|)v([1-9][0-9]{0,8})\.$`)
	versionedName   = regexp.MustCompile(`^v([1-9][0-9]{0,8})\.[A-Za-z][A-Za-z0-9_]*$`)
)

// later is the name of a type whose version is above that of the prefix, as v2.CreateBatch is of
// allocation.v2.CreateBatch where the prefix is allocation.v1.; empty where it is no such type.
func (t *Types) later(kind string) string {
	prefix := versionedPrefix.FindStringSubmatch(t.Prefix)
	if prefix == nil || len(kind) <= len(prefix[1]) || kind[:len(prefix[1])] != prefix[1] {
		return ""
	}
	name := versionedName.FindStringSubmatch(kind[len(prefix[1]):])
	if name == nil || number(name[1]) <= number(prefix[2]) {
		return ""
	}
	return name[0]
}

// number is a version, whose digits the expressions bound.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
