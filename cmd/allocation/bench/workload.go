package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// The workloads.
const (
	Uniform = "allocate" // lines of many products, all alike
	Zipf    = "zipf"     // lines of many products, most of them of few
	Hot     = "hot"      // lines of one product
	Storm   = "storm"    // as Uniform, while a batch of another product shrinks
	Mixed   = "mixed"    // all commands

	// Waiting is chosen by a number of waiting lines: more lines of their product, and batches that
	// serve ten of them.
	Waiting = "waiting"
)

// Workloads are those that are chosen by name.
func Workloads() []string { return []string{Uniform, Zipf, Hot, Storm, Mixed} }

// workload makes commands. The same settings make the same commands.
type workload interface {
	// next makes the next command.
	next() message
	// lines are how many lines there are when all commands made so far took effect, without those
	// that were there before.
	lines() Lines
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

// newWorkload makes the workload of a plan.
func newWorkload(p Plan) workload {
	random := rand.New(rand.NewPCG(1, 2))
	switch p.Workload {
	case Zipf:
		const exponent = 1.1 // the first of a thousand products has a sixth of all lines
		zipf := rand.NewZipf(random, exponent, 1, uint64(p.Products-1))
		return &allocations{random: random, orders: p.Orders, product: func() int { return int(zipf.Uint64()) }}
	case Mixed:
		return newMix(random, p)
	case Waiting:
		return newQueue(random, p)
	}
	return &allocations{random: random, orders: p.Orders, product: func() int { return random.IntN(p.Products) }}
}

// skuOf is the name of a product.
func skuOf(product int) string { return "SKU-" + strconv.Itoa(product) }

// mainBatch is the batch in the warehouse that each product has from the start, with more stock
// than any workload takes.
func mainBatch(sku string) string { return sku + "-main" }

// Orders says how orders are named.
type Orders string

// The ways to name orders.
const (
	RandomOrders  Orders = "random"  // like UUIDs: each anywhere among the others, which is what costs an index most
	GrowingOrders Orders = "growing" // like numbers of a counter, or UUIDs of version 7: each above all before
)

// OrderIDs are the ways that are chosen by name.
func OrderIDs() []string { return []string{string(RandomOrders), string(GrowingOrders)} }

// orderID is the order of a command, above all of those that are in the database from the start if
// orders grow.
func (o Orders) orderID(number int) string {
	if o == GrowingOrders {
		return fmt.Sprintf("1%015x", number)
	}
	const golden = 0x9e3779b97f4a7c15
	z := uint64(number)*golden + golden // each step can be undone, so no two numbers have one id
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return fmt.Sprintf("%016x", z^z>>31)
}

// maxLineQty is the most that a line of a product with ample stock wants.
const maxLineQty = 5

func allocateData(order, sku string, qty int) string {
	return `{"orderid":"` + order + `","sku":"` + sku + `","qty":` + strconv.Itoa(qty) + `}`
}

// allocations are lines of products with ample stock.
type allocations struct {
	random  *rand.Rand
	orders  Orders
	product func() int
	made    int
}

func (a *allocations) next() message {
	number := a.made
	a.made++
	sku := skuOf(a.product())
	return message{Type: allocate, SKU: sku, Data: allocateData(a.orders.orderID(number), sku, 1+a.random.IntN(maxLineQty)), Number: number, Events: 1}
}

func (a *allocations) lines() Lines { return Lines{Allocated: int64(a.made)} }
