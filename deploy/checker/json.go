package checker

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// member is a member of a JSON object. Its value is as it was written.
type member struct {
	name  string
	value json.RawMessage
}

type members []member

// of is the value of a member; nil where there is none.
func (m members) of(name string) json.RawMessage {
	for i := range m {
		if m[i].name == name {
			return m[i].value
		}
	}
	return nil
}

// object reads one JSON object in valid UTF-8, without a name twice.
func object(text []byte) (all members, ok bool) {
	if !utf8.Valid(text) || !json.Valid(text) { // so the rest need not look for mistakes
		return nil, false
	}
	in := json.NewDecoder(bytes.NewReader(text))
	if begin, _ := in.Token(); begin != json.Delim('{') {
		return nil, false
	}
	for in.More() {
		name, _ := in.Token()
		m := member{name: name.(string)}
		_ = in.Decode(&m.value)
		if all.of(m.name) != nil {
			return nil, false
		}
		all = append(all, m)
	}
	return all, true
}

// unquote reads a JSON string; false where the value is none.
func unquote(value json.RawMessage) (text string, ok bool) {
	ok = len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &text) == nil
	return text, ok
}
