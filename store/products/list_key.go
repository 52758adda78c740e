package products

import (
	"encoding/json"
	"errors"
)

// ErrKey says that a text is not a key of a list.
var ErrKey = errors.New("no key of this list")

// writeKey writes a key of several parts as a JSON array. They are texts with any characters.
func writeKey(parts ...any) string {
	var text []byte
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // they are texts and numbers
	}
	return string(text)
}

// readKey reads as many parts of a key as it has, and says how many. Without a key there are none.
func readKey(key string, parts ...any) (n int, err error) {
	if key == "" {
		return 0, nil
	}
	var raw []json.RawMessage
	if json.Unmarshal([]byte(key), &raw) != nil || len(raw) == 0 || len(raw) > len(parts) {
		return 0, ErrKey
	}
	for i := range raw {
		if json.Unmarshal(raw[i], parts[i]) != nil {
			return 0, ErrKey
		}
	}
	return len(raw), nil
}
