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
	isJSON := json.Indent(&pretty, content, "", "  ") == nil
	if isJSON {
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
	var b strings.Builder
	for text != "" {
		if name := fieldName(text); isJSON && name > 0 {
			b.WriteString(text[:name])
			text = text[name:]
			continue
		}
		if escaped, is := strings.CutPrefix(text, `\"`); is && isJSON {
			b.WriteString(`\"`) // it ends nothing
			text = escaped
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case unicode.IsLetter(r):
			r = 'x'
		case unicode.IsDigit(r):
			r = '0'
		}
		b.WriteRune(r)
		text = text[size:]
	}
	return b.String()
}

// fieldName is how many bytes the name of a field has at the start of the text, with its quotes; 0
// where there is none.
func fieldName(text string) int {
	if text[0] != '"' {
		return 0
	}
	end := strings.IndexByte(text[1:], '"') + 2
	if end < 2 || !strings.HasPrefix(strings.TrimLeft(text[end:], " "), ":") || strings.Contains(text[:end], `\`) {
		return 0
	}
	return end
}
