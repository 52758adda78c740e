package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Payloads is how much of the content of messages is shown.
type Payloads string

// The choices.
const (
	PayloadsFull   Payloads = "full"
	PayloadsMasked Payloads = "masked" // the names of fields and the form of values: a letter as x, a digit as 0
	PayloadsNone   Payloads = "none"
)

// maxPayload bounds the bytes of a message that a page shows.
const maxPayload = 64 << 10

// maxDepth bounds the nesting of what is indented: a line of each level would have all of its
// indentation.
const maxDepth = 32

// depth is how deep a message nests, or more where its texts have brackets.
func depth(content []byte) (deepest int) {
	now := 0
	for _, b := range content {
		switch b {
		case '[', '{':
			now++
			deepest = max(deepest, now)
		case ']', '}':
			now--
		}
	}
	return deepest
}

// Show writes the content of a message for people.
func (p Payloads) Show(content []byte) string {
	if p == PayloadsNone {
		return fmt.Sprintf("(%d bytes; the console shows no content of messages)", len(content))
	}
	end := ""
	if len(content) > maxPayload {
		end = fmt.Sprintf("\n… and %d bytes more", len(content)-maxPayload)
		content = content[:maxPayload]
	}
	var pretty bytes.Buffer
	isJSON := json.Valid(content)
	if isJSON && depth(content) <= maxDepth && json.Indent(&pretty, content, "", "  ") == nil {
		content = pretty.Bytes()
	}
	text := string(content)
	if !utf8.ValidString(text) {
		text = fmt.Sprintf("%q", text)
	}
	if p == PayloadsMasked {
		text = mask(text, isJSON)
	}
	return text + end
}

// mask keeps the names of fields, where the text is JSON, and the form of everything else.
func mask(text string, isJSON bool) string {
	if !isJSON {
		return strings.Map(hide, text)
	}
	var b strings.Builder
	for text != "" {
		part := text[:jsonPart(text)]
		text = text[len(part):]
		isName := part[0] == '"' && strings.HasPrefix(text, ":") && !strings.Contains(part, `\`)
		if isName {
			b.WriteString(part)
		} else {
			b.WriteString(strings.Map(hide, part))
		}
	}
	return b.String()
}

// hide leaves of a letter or digit only that it is one.
func hide(r rune) rune {
	switch {
	case unicode.IsLetter(r), unicode.IsMark(r):
		return 'x'
	case unicode.IsNumber(r):
		return '0'
	}
	return r
}

// jsonPart is how many bytes a string of JSON has at the start of the text, or what comes before
// the next one.
func jsonPart(text string) int {
	if text[0] != '"' {
		if next := strings.IndexByte(text, '"'); next > 0 {
			return next
		}
		return len(text)
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
