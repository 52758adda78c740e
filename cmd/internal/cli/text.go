package cli

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Printable replaces characters that could confuse a terminal or its reader. What is shown came
// from others.
func Printable(text string) string {
	if plain(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if confuses(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// plain reports whether a text has nothing but letters and signs that everybody sees, as nearly all
// have.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// PrintableLines is Printable for text whose line breaks are the program's own.
func PrintableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// confuses is so of characters on which a terminal acts, or that change how others look, or that
// nobody sees: one name could look like another.
func confuses(r rune) bool {
	if r < utf8.RuneSelf { // nearly all are, and tables take long
		return r < ' ' || r == '\x7f'
	}
	return unicode.IsControl(r) ||
		unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Count writes a number with its thousands apart.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && digits[i-1] != '-' && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// CountOf is Count with the name of what is counted: 1 offset, 2,000 offsets.
func CountOf(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + one + "s"
}

// When writes a time as people see it: in UTC, and it says so.
func When(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000Z") }
