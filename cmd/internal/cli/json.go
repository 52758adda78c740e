package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// PrintJSON prints one line for programs.
func (p *Program) PrintJSON(v any) error { return p.WriteJSON(p.Out, v) }

// WriteJSON writes one line for programs, with the service's words where the engine says key. Only
// names of fields are replaced: a quotation mark within a text has a backslash before it.
func (p *Program) WriteJSON(out io.Writer, v any) error {
	var line bytes.Buffer
	if err := NewJSONEncoder(&line).Encode(v); err != nil {
		return err
	}
	_, err := strings.NewReplacer(
		`"letter_key":`, `"`+p.Vocabulary.Key+`":`,
		`"held_key":`, `"`+p.Vocabulary.Entity+`":`,
	).WriteString(out, line.String())
	return err
}

// NewJSONEncoder makes an encoder that escapes the characters that Printable replaces. That is the
// same JSON.
func NewJSONEncoder(out io.Writer) *json.Encoder {
	encoder := json.NewEncoder(jsonWriter{out})
	encoder.SetEscapeHTML(false)
	return encoder
}

// jsonWriter escapes what could confuse a reader.
type jsonWriter struct{ out io.Writer }

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
