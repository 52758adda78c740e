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
	text = bytes.Trim(text, " \t\r\n")
	if text[0] != '{' {
		return nil, false
	}
	all = make(members, 0, 8)
	for i := 1; ; {
		i = skip(text, i, " \t\r\n,")
		if text[i] == '}' {
			return all, true
		}
		end := endOfValue(text, i)
		name, _ := unquote(text[i:end])
		i = skip(text, end, " \t\r\n:")
		end = endOfValue(text, i)
		if all.of(name) != nil {
			return nil, false
		}
		all = append(all, member{name, text[i:end]})
		i = end
	}
}

// skip is the index of the next byte that is none of some.
func skip(text []byte, i int, some string) int {
	for bytes.IndexByte([]byte(some), text[i]) >= 0 {
		i++
	}
	return i
}

// endOfValue is the index behind the value that begins at an index.
func endOfValue(text []byte, i int) int {
	depth := 0
	for ; ; i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
			if depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
}

// unquote reads a JSON string; false where the value is none.
func unquote(value json.RawMessage) (text string, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), true
	}
	return text, json.Unmarshal(value, &text) == nil
}
