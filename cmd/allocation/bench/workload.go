package bench

import (
	"math/rand/v2"
)

// The workloads.
const (
	uniform = "allocate" // lines of many products, all alike
	zipf    = "zipf"     // lines of many products, most of them of few
	hot     = "hot"      // lines of one product
	storm   = "storm"    // as uniform, while a batch of another product shrinks
	mixed   = "mixed"    // all commands

	// waiting is chosen by a number of waiting lines: more lines of their product, and batches that
	// serve ten of them.
	waiting = "waiting"
)

// workload makes the command with a number, one after the other, or repeats the one before. The
// same settings make the same commands.
type workload func(number int) message

// maxLineQty is the most that a line of a product with ample stock wants.
const maxLineQty = 5

// newWorkload makes the workload of a plan.
func newWorkload(p plan) workload {
	random := rand.New(rand.NewPCG(1, 2))
	product := func() int { return random.IntN(p.products) }
	switch p.workload {
	case mixed:
		return newMix(random, p)
	case waiting:
		return newQueue(random, p)
	case zipf:
		const exponent = 1.1 // the first of a thousand products has a sixth of all lines
		some := rand.NewZipf(random, exponent, 1, uint64(p.products-1))
		product = func() int { return int(some.Uint64()) }
	}
	return func(number int) message {
		return newLine(p.orders.id(number), skuOf(product()), 1+random.IntN(maxLineQty))
	}
}

const (
	queueSKU     = "QUEUE"
	served       = 10 // lines by each batch
	maxQueuedQty = 20
)

// queuedQty is the quantity of a line that waits from the start, by its place from 0.
func queuedQty(place int) int { return 1 + place%maxQueuedQty }

// newQueue is a product without stock: ten lines come and wait, and a batch comes that serves the
// ten that waited longest. It brings just what they want, so that it is they who get it.
func newQueue(random *rand.Rand, p plan) workload {
	queued := make([]int, p.waiting) // quantities, in placed order
	for i := range queued {
		queued[i] = queuedQty(i)
	}
	return func(number int) message {
		if number%(served+1) != served {
			qty := 1 + random.IntN(maxQueuedQty)
			queued = append(queued, qty)
			return newWaiting(p.orders.id(number), queueSKU, qty)
		}
		total := 0
		for _, qty := range queued[:served] {
			total += qty
		}
		queued = queued[served:]
		c := newBatch(queueSKU+"-"+p.orders.id(number), queueSKU, total, "")
		c.Events, c.Change = 1+served, Lines{Waiting: -served, Allocated: served}
		return c
	}
}
