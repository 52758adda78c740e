package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable replaces what could confuse a terminal or who reads it: what is shown came from others.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if confuses(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// printableLines is printable for text whose line breaks are the program's own.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// confuses is so of characters on which a terminal acts, or that change how others look, or that
// nobody sees: one name could look like another.
func confuses(r rune) bool {
	return unicode.IsControl(r) ||
		unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// jsonWriter writes JSON with such characters escaped, which is the same JSON.
type jsonWriter struct{ out io.Writer }

func newJSONEncoder(out io.Writer) *json.Encoder { return json.NewEncoder(jsonWriter{out}) }

// Write takes whole characters, which an encoder gives.
func (w jsonWriter) Write(text []byte) (int, error) {
	if bytes.IndexFunc(text, escapes) < 0 {
		return w.out.Write(text)
	}
	var escaped []byte
	for _, r := range string(text) {
		if !escapes(r) {
			escaped = utf8.AppendRune(escaped, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			escaped = fmt.Appendf(escaped, `\u%04x`, unit)
		}
	}
	if _, err := w.out.Write(escaped); err != nil {
		return 0, err
	}
	return len(text), nil
}

func escapes(r rune) bool { return confuses(r) && r != '\n' }

// count writes a number with its thousands apart.
func count(n int64) string {
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

// when writes a time as people see it: in UTC, and it says so.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000Z") }
