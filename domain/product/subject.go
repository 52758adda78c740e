package product

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode"
)

// Subject is what a command is about, as its events say it: the order, else the batch.
func (k *Keys) Subject() string { return cmp.Or(k.Line.OrderID, k.Batch, k.Makes) }

// GuessSubject is what a command seems to be about that cannot be read: empty where not even that
// can be told.
func GuessSubject(data []byte) string {
	var guess struct{ OrderID, BatchRef, Ref any }
	if json.Unmarshal(data, &guess) != nil {
		return ""
	}
	for _, value := range [...]any{guess.OrderID, guess.BatchRef, guess.Ref} {
		if text := identifier(value); text != "" {
			return text
		}
	}
	return ""
}

// identifier is a value where it is an identifier, else empty.
func identifier(value any) string {
	if text, ok := value.(string); ok && isIdentifier(text) {
		return text
	}
	return ""
}

func isIdentifier(text string) bool {
	return len(text) >= 1 && len(text) <= 255 && !strings.ContainsFunc(text, unicode.IsControl)
}
