package bench

import "fmt"

const (
	stormSKU   = "STORM"
	stormBatch = "STORM-main"  // holds all lines
	stormSpare = "STORM-later" // can hold them, too
)

// stormCommand halves the batch of the storm's product: half of its lines, of one piece each, move to the other batch.
func stormCommand(lines, number int) Command {
	kept := lines / 2
	data := fmt.Sprintf(`{"batchref":"%s","sku":"%s","qty":%d,"revision":1}`, stormBatch, stormSKU, kept)
	return Command{Kind: changeQuantity, SKU: stormSKU, Data: data, Number: number, Events: 1 + 2*(lines-kept)}
}
