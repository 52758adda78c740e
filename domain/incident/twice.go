package incident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// members are the names of an object's members, in lower case: they are read whatever their case.
type members map[string]struct{}

// twice adds a name, and reports whether it was there.
func (m members) twice(name string) bool {
	name = strings.ToLower(name)
	_, known := m[name]
	m[name] = struct{}{}
	return known
}

func isTwice(member string) error {
	return fmt.Errorf("%s is there twice; it must be there once", member)
}

// memberTwice finds a member that an object in a value has twice, such as ".events[1].sequence";
// empty: there is none. It passes over the data of a command, whose decoder refuses such.
func memberTwice(value []byte) string {
	in := json.NewDecoder(bytes.NewReader(value))
	in.UseNumber()
	return findTwice(in, "data")
}

func findTwice(in *json.Decoder, passOver string) string {
	token, _ := in.Token() // all of it was read before
	switch token {
	case json.Delim('{'):
		return twiceInObject(in, passOver)
	case json.Delim('['):
		return twiceInArray(in)
	}
	return ""
}

func twiceInObject(in *json.Decoder, passOver string) string {
	seen := members{}
	for in.More() {
		token, _ := in.Token() // as above
		name, _ := token.(string)
		if seen.twice(name) {
			return "." + name
		}
		if name == passOver {
			var passed json.RawMessage
			_ = in.Decode(&passed) // as above
			continue
		}
		if member := findTwice(in, ""); member != "" {
			return "." + name + member
		}
	}
	_, _ = in.Token() // as above
	return ""
}

func twiceInArray(in *json.Decoder) string {
	for i := 0; in.More(); i++ {
		if member := findTwice(in, ""); member != "" {
			return fmt.Sprintf("[%d]%s", i, member)
		}
	}
	_, _ = in.Token() // as above
	return ""
}
