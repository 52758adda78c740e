package product

import (
	"encoding/json"
	"unicode/utf8"
)

// Newer is a command of a type that is not known, whose version is later than those that are. Of it
// only is known what it seems to be about, so that it can be put in its place. It cannot be
// decided.
type Newer struct{ keys Keys }

// GuessNewer reads what such a command seems to be about, of fields that commands have: its
// product, the batch that has to exist, or the one that it would make. Where the data names none of
// them, it is about the product that its record has as its key.
func GuessNewer(data, recordKey []byte) Newer {
	var guess struct{ SKU, OrderID, BatchRef, Ref any }
	_ = json.Unmarshal(data, &guess) // with an error, it names nothing
	keys := Keys{SKU: identifier(guess.SKU), Batch: identifier(guess.BatchRef), Makes: identifier(guess.Ref)}
	if keys.SKU == "" && utf8.Valid(recordKey) {
		keys.SKU = identifier(string(recordKey))
	}
	keys.Line = LineID{OrderID: identifier(guess.OrderID), SKU: keys.SKU}
	return Newer{keys}
}

// Name tells nothing: the type is not known.
func (n Newer) Name() string { return "" }

// Keys are what the command seems to name.
func (n Newer) Keys() Keys { return n.keys }

func (n Newer) apply(*Catalog, string) Result {
	panic("a command of a type that is not known was decided")
}

func (n Newer) expect(*Need) {}
