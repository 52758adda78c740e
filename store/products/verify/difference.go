package verify

import "fmt"

// The checks of products, by the rule that each is named for, beside the engine's. These names are
// public contract.
const (
	CheckVersion   = "version"    // a product's version is the sequence of its last event, to which it points
	CheckWaiting   = "waiting"    // products.waiting counts its waiting lines
	CheckServed    = "served"     // no line waits that an open batch could take
	CheckPlaced    = "placed"     // no two lines were placed at once
	CheckAllocated = "allocated"  // a batch's allocated is the sum of its lines, and within its quantity
	CheckKey       = "key"        // a product and a batch have one row, and its key is in product_keys or batch_keys
	CheckProduct   = "product"    // batches and lines belong to a product
	CheckLineBatch = "line_batch" // a line's batch exists and is of the same product
	CheckLastEvent = "last_event" // a line points to its last event, which tells its state
)

func lineName(orderID, lineID string) string {
	if lineID == "" {
		return fmt.Sprintf("order %s", orderID)
	}
	return fmt.Sprintf("order %s, line %s", orderID, lineID)
}
