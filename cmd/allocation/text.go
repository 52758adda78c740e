package main

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// printable replaces what could confuse a terminal: what is shown came from others.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

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
