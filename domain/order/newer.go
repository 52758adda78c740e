package order

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"allocation/domain/strictjson"
)

// GuessNewer reads what a command seems to be about whose version is later than those that are
// known, of fields that commands have: a customer, the one whose order it names, or a batch. Where
// the data names none of them, it is about the customer that its record has as its key. What could
// not be a name counts as none.
func GuessNewer(data, recordKey []byte) Keys {
	var guess struct{ CustomerID, OrderID, CartID, BatchRef any }
	_ = json.Unmarshal(data, &guess) // with an error, it names nothing
	order := cmp.Or(identifier(guess.OrderID), identifier(guess.CartID))
	keys := Keys{CustomerID: cmp.Or(customer(guess.CustomerID), CustomerOf(order)), Batch: identifier(guess.BatchRef)}
	if keys == (Keys{}) && utf8.Valid(recordKey) {
		keys.CustomerID = customer(string(recordKey))
	}
	if CustomerOf(order) == keys.CustomerID {
		keys.OrderID = order
	}
	return keys
}

// identifier is a name, empty where the value is none.
func identifier(value any) string {
	if name, ok := value.(string); ok && strictjson.IsIdentifier(name) {
		return name
	}
	return ""
}

// customer is the name of a customer, empty where the value is none.
func customer(value any) string {
	if name := identifier(value); !strings.Contains(name, ".") {
		return name
	}
	return ""
}
