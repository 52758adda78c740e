package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// PrintJSON prints one line for programs.
func (p *Program) PrintJSON(v any) error {
	return NewJSONEncoder(p.Out).Encode(v)
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
