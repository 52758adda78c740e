package product

import (
	"cmp"
	"encoding/json"

	"allocation/domain/strictjson"
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
	if text, ok := value.(string); ok && strictjson.IsIdentifier(text) {
		return text
	}
	return ""
}
