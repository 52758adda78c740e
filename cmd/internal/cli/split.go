package cli

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Split takes a line apart into words as a shell does, and puts nothing in the place of variables
// or patterns. It reads what Quote writes.
func Split(line string) (words []string, err error) {
	for {
		line = strings.TrimLeftFunc(line, unicode.IsSpace)
		if line == "" {
			return words, nil
		}
		var word string
		if word, line, err = nextWord(line); err != nil {
			return nil, err
		}
		words = append(words, word)
	}
}

// nextWord reads a word of several pieces, which may be in quotes. It gives what stands behind it.
func nextWord(line string) (word, rest string, err error) {
	var b strings.Builder
	for line != "" {
		r, size := utf8.DecodeRuneInString(line)
		switch {
		case unicode.IsSpace(r):
			return b.String(), line, nil
		case strings.HasPrefix(line, "$'"):
			line, err = quoted(&b, line[2:], '\'', true)
		case r == '\'':
			line, err = quoted(&b, line[1:], '\'', false)
		case r == '"':
			line, err = quoted(&b, line[1:], '"', true)
		case r == '\\':
			line, err = escaped(&b, line[1:])
		default:
			b.WriteString(line[:size])
			line = line[size:]
		}
		if err != nil {
			return "", "", err
		}
	}
	return b.String(), "", nil
}

// quoted reads up to the closing quote.
func quoted(b *strings.Builder, line string, quote rune, escapes bool) (rest string, err error) {
	for line != "" {
		r, size := utf8.DecodeRuneInString(line)
		switch {
		case r == quote:
			return line[size:], nil
		case r == '\\' && escapes:
			if line, err = escaped(b, line[1:]); err != nil {
				return "", err
			}
		default:
			b.WriteString(line[:size])
			line = line[size:]
		}
	}
	return "", errors.New("a quote " + string(quote) + " is not closed")
}

// escaped reads what stands behind a backslash: a character, or the number of one.
func escaped(b *strings.Builder, line string) (rest string, err error) {
	if number, ok := strings.CutPrefix(line, "U"); ok && len(number) >= 8 {
		if n, err := strconv.ParseUint(number[:8], 16, 32); err == nil {
			b.WriteRune(rune(n))
			return number[8:], nil
		}
	}
	if line == "" {
		return "", errors.New(`nothing stands behind \`)
	}
	_, size := utf8.DecodeRuneInString(line)
	b.WriteString(line[:size])
	return line[size:], nil
}
