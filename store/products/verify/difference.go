package verify

import "fmt"

// Difference is something that must not be.
type Difference struct {
	Check    string `json:"check"`         // which rule
	SKU      string `json:"sku,omitempty"` // the product, where there is one
	Table    string `json:"table"`
	Key      string `json:"key"`      // which row
	Expected string `json:"expected"` // what the events, or other rows, say
	Found    string `json:"found"`    // what the table says
}

// The checks, by the rule that each is named for. These names are public contract.
const (
	CheckEvents         = "events"          // the events of a product add up to its rows
	CheckSequence       = "sequence"        // a product's events are numbered 1, 2, 3, …
	CheckVersion        = "version"         // a product's version is the sequence of its last event, to which it points
	CheckWaiting        = "waiting"         // products.waiting counts its waiting lines
	CheckServed         = "served"          // no line waits that an open batch could take
	CheckPlaced         = "placed"          // no two lines were placed at once
	CheckAllocated      = "allocated"       // a batch's allocated is the sum of its lines, and within its quantity
	CheckKey            = "key"             // a product and a batch have one row, and its key is in product_keys or batch_keys
	CheckProduct        = "product"         // batches and lines belong to a product
	CheckLineBatch      = "line_batch"      // a line's batch exists and is of the same product
	CheckLastEvent      = "last_event"      // a line points to its last event, which tells its state
	CheckPublished      = "published"       // positions: 0 ≤ published_row ≤ next_row
	CheckRows           = "rows"            // outbox rows are numbered without gaps, up to next_row
	CheckEventID        = "event_id"        // no two events have one ce_id
	CheckLetter         = "letter"          // a dead letter has its outbox row, and the other way round
	CheckHeld           = "held"            // a held product has an undecided dead letter of reason internal
	CheckUnpublishedRow = "unpublished_row" // rows that are not published are kept
)

// report reports a difference. After one that could not be reported, no other is.
func (v *verifier) report(check, sku, table, key, expected, found string) {
	if v.failed == nil {
		v.summary.Differences++
		v.failed = v.o.Report(Difference{Check: check, SKU: sku, Table: table, Key: key, Expected: expected, Found: found})
	}
}

// reportIf reports what is wrong.
func (v *verifier) reportIf(wrong bool, check, sku, table, key, expected, found string) {
	if wrong {
		v.report(check, sku, table, key, expected, found)
	}
}

func lineName(orderID, lineID string) string {
	if lineID == "" {
		return fmt.Sprintf("order %s", orderID)
	}
	return fmt.Sprintf("order %s, line %s", orderID, lineID)
}
