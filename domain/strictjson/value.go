package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// Kind is what sort of JSON value a Value is.
type Kind int

// The kinds. None is the kind of the zero Value: no value at all.
const (
	None Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// Errors of Value.Int64.
var (
	// ErrNotInteger: not a number, or one with a fraction or an exponent, or "-0", which no integer
	// is written as.
	ErrNotInteger = errors.New("not an integer")
	// ErrRange: an integer that 64 bits cannot hold.
	ErrRange = errors.New("integer out of range")
)

// Value is one JSON value, as it stands in the text. The zero Value is none.
type Value struct {
	raw []byte
}

// Kind tells what sort of value this is.
func (v Value) Kind() Kind {
	if len(v.raw) == 0 {
		return None
	}
	switch v.raw[0] {
	case 'n':
		return Null
	case 't', 'f':
		return Bool
	case '"':
		return String
	case '[':
		return Array
	case '{':
		return Object
	}
	return Number
}

// Missing reports whether there is no value, or null, which is the absence of an optional member.
func (v Value) Missing() bool { return v.Kind() == None || v.Kind() == Null }

// Raw is the value's JSON text, in the memory of the text that it came from.
func (v Value) Raw() []byte {
	return v.raw
}

// Text is the unescaped text of a String, and "" for any other kind.
func (v Value) Text() string {
	if v.Kind() != String {
		return ""
	}
	return string(v.unescaped())
}

// Int64 is a Number's value. Its errors are ErrNotInteger and ErrRange.
func (v Value) Int64() (int64, error) {
	if v.Kind() != Number || bytes.ContainsAny(v.raw, ".eE") || string(v.raw) == "-0" {
		return 0, ErrNotInteger
	}
	n, err := strconv.ParseInt(string(v.raw), 10, 64)
	if err != nil {
		return 0, ErrRange
	}
	return n, nil
}

// unescaped is the content of a string without its escapes, copied only where it has some.
func (v Value) unescaped() []byte {
	if bytes.IndexByte(v.raw, '\\') < 0 {
		return v.raw[1 : len(v.raw)-1]
	}
	var text string
	// The text was checked, so this cannot fail.
	_ = json.Unmarshal(v.raw, &text)
	return []byte(text)
}
