package bench

import (
	"fmt"
	"strconv"

	"allocation/domain/product"
)

// message is a command on its way to Kafka, and what must follow from it.
type message struct {
	Type   string
	SKU    string
	Data   string // JSON
	Number int    // of the command, from 0, or below for what is there from the start; a repeat has that of what it repeats
	Events int    // that must follow; a repeat has none
	Change Lines  // what becomes of lines; a repeat changes none
	Repeat bool
}

// Lines counts order lines by state.
type Lines struct {
	Allocated  int64 `json:"allocated"`
	Waiting    int64 `json:"waiting"`
	Dispatched int64 `json:"dispatched"`
	Cancelled  int64 `json:"cancelled"`
}

func (l Lines) plus(m Lines) Lines {
	return Lines{l.Allocated + m.Allocated, l.Waiting + m.Waiting, l.Dispatched + m.Dispatched, l.Cancelled + m.Cancelled}
}

// The names of the commands.
var (
	createBatch    = product.CreateBatch{}.Name()
	changeQuantity = product.ChangeBatchQuantity{}.Name()
	changeEta      = product.ChangeBatchEta{}.Name()
	allocate       = product.Allocate{}.Name()
	deallocate     = product.Deallocate{}.Name()
	dispatch       = product.Dispatch{}.Name()
)

func skuOf(product int) string { return "SKU-" + strconv.Itoa(product) }

// mainBatch is the batch in the warehouse that each product has from the start.
func mainBatch(sku string) string { return sku + "-main" }

// ample is more stock than any workload takes.
const ample = 1_000_000_000

// newBatch is a batch in the warehouse, or a later one. No line waits for it.
func newBatch(ref, sku string, qty int, eta string) message {
	if eta != "" {
		eta = fmt.Sprintf(`,"eta":"%s"`, eta)
	}
	data := fmt.Sprintf(`{"ref":"%s","sku":"%s","qty":%d%s}`, ref, sku, qty, eta)
	return message{Type: createBatch, SKU: sku, Data: data, Events: 1}
}

// newQuantity changes a batch, from which so many events follow.
func newQuantity(ref, sku string, qty, revision, events int) message {
	data := fmt.Sprintf(`{"batchref":"%s","sku":"%s","qty":%d,"revision":%d}`, ref, sku, qty, revision)
	return message{Type: changeQuantity, SKU: sku, Data: data, Events: events}
}

// newLine is a line that some batch has stock for.
func newLine(order, sku string, qty int) message {
	data := `{"orderid":"` + order + `","sku":"` + sku + `","qty":` + strconv.Itoa(qty) + `}`
	return message{Type: allocate, SKU: sku, Data: data, Events: 1, Change: Lines{Allocated: 1}}
}

// newWaiting is a line that no batch has stock for.
func newWaiting(order, sku string, qty int) message {
	c := newLine(order, sku, qty)
	c.Change = Lines{Waiting: 1}
	return c
}

// endOf dispatches or cancels an allocated line.
func endOf(command, order, sku string) message {
	change := Lines{Allocated: -1, Dispatched: 1}
	if command == deallocate {
		change = Lines{Allocated: -1, Cancelled: 1}
	}
	return message{Type: command, SKU: sku, Data: `{"orderid":"` + order + `","sku":"` + sku + `"}`, Events: 1, Change: change}
}
