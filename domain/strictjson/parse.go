package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Parse calls visit for each top-level member of the one JSON object in data, in order, and returns
// visit's first error as it is. The name is unescaped. Name and value share data's memory: visit
// keeps a value only as long as data stays unchanged, and copies a name that it keeps.
//
// Any other error says, in words for a person, why data is not such an object. The text as a whole
// is checked before visit's first call, names are compared as they come.
func Parse(data []byte, visit func(name []byte, value Value) error) error {
	if err := check(data); err != nil {
		return err
	}
	s := scanner{data: data}
	s.skipSpace()
	if s.data[s.at] != '{' {
		return errors.New("not a JSON object")
	}
	return s.members(visit)
}

// check accepts any one JSON text in valid UTF-8 whose strings are Unicode.
func check(data []byte) error {
	switch {
	case len(data) == 0:
		return errors.New("empty, not a JSON object")
	case !utf8.Valid(data):
		return errors.New("not valid UTF-8")
	case plain(data):
	case !json.Valid(data):
		return fmt.Errorf("not valid JSON: %w", syntaxError(data))
	case loneSurrogate(data):
		return errors.New("a string has half of a surrogate pair")
	}
	return nil
}

// syntaxError finds out what is wrong with text that json.Valid refused.
func syntaxError(data []byte) error {
	var raw json.RawMessage
	return json.Unmarshal(data, &raw)
}

// loneSurrogate reports whether a \u escape is half of a pair without the other. In valid JSON a
// backslash is always the beginning of an escape in a string, so nothing else of the text matters.
func loneSurrogate(data []byte) bool {
	for {
		i := bytes.IndexByte(data, '\\')
		if i < 0 {
			return false
		}
		data = data[i:]
		if data[1] != 'u' {
			data = data[2:]
			continue
		}
		unit := hex4(data[2:])
		data = data[6:]
		switch {
		case unit < 0xD800 || unit > 0xDFFF:
		case unit > 0xDBFF || !lowSurrogate(data):
			return true
		default:
			data = data[6:]
		}
	}
}

func lowSurrogate(data []byte) bool {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return false
	}
	unit := hex4(data[2:])
	return unit >= 0xDC00 && unit <= 0xDFFF
}

func hex4(digits []byte) (unit rune) {
	for _, d := range digits[:4] {
		switch {
		case d <= '9':
			d -= '0'
		default:
			d = d&^0x20 - 'A' + 10
		}
		unit = unit<<4 | rune(d)
	}
	return unit
}
