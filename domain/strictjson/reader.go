package strictjson

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reader reads members of an object as what they have to be, and remembers the first that is
// something else. The zero Reader is ready.
type Reader struct {
	// Problem is a sentence for a person: the field, its value, and what is allowed. It is empty
	// while all is well.
	Problem string
}

// Identifier reads 1 to 255 bytes without control characters.
func (r *Reader) Identifier(name string, value Value) string {
	text := value.Text()
	if !IsIdentifier(text) {
		r.Wrong(name, value, "a string of 1 to 255 bytes without control characters")
	}
	return text
}

// OptionalIdentifier is Identifier, and empty where there is none.
func (r *Reader) OptionalIdentifier(name string, value Value) string {
	if value.Missing() {
		return ""
	}
	return r.Identifier(name, value)
}

// Integer reads an integer from least to most.
func (r *Reader) Integer(name string, value Value, least, most int64) int64 {
	number, err := value.Int64()
	if err != nil || number < least || number > most {
		r.Wrong(name, value, fmt.Sprintf("an integer from %d to %d", least, most))
	}
	return number
}

// Wrong remembers that a member is none that is allowed, unless another was wrong before.
func (r *Reader) Wrong(name string, value Value, allowed string) {
	switch {
	case r.Problem != "":
	case value.Kind() == None:
		r.Problem = fmt.Sprintf("the field %q is missing; it must be %s", name, allowed)
	default:
		r.Problem = fmt.Sprintf("the field %q is %s; it must be %s", name, Shorten(string(value.Raw())), allowed)
	}
}

// IsIdentifier reports whether a text has 1 to 255 bytes and no control characters.
func IsIdentifier(text string) bool {
	return len(text) >= 1 && len(text) <= 255 && !strings.ContainsFunc(text, unicode.IsControl)
}

// Shorten makes any text fit for a message: short, valid UTF-8, without control characters.
func Shorten(text string) string {
	const enough = 64
	if len(text) > enough {
		cut := enough
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}
