package bench

import (
	"fmt"
	"math/rand/v2"
)

const (
	queueSKU     = "QUEUE"
	served       = 10 // lines by each batch
	maxQueuedQty = 20
)

// queuedQty is the quantity of a line that waits from the start, by its place from 0.
func queuedQty(place int) int { return 1 + place%maxQueuedQty }

// queue is a product without stock: ten lines come and wait, and a batch comes that serves the ten
// that waited longest.
type queue struct {
	random  *rand.Rand
	orders  Orders
	waiting []int // quantities, in placed order
	made    int
	change  Lines
}

func newQueue(random *rand.Rand, p Plan) *queue {
	q := &queue{random: random, orders: p.Orders, waiting: make([]int, p.Waiting)}
	for i := range q.waiting {
		q.waiting[i] = queuedQty(i)
	}
	return q
}

func (q *queue) next() message {
	number := q.made
	q.made++
	if number%(served+1) == served {
		return q.serve(number)
	}
	qty := 1 + q.random.IntN(maxQueuedQty)
	q.waiting = append(q.waiting, qty)
	q.change.Waiting++
	return message{Type: allocate, SKU: queueSKU, Data: allocateData(q.orders.orderID(number), queueSKU, qty), Number: number, Events: 1}
}

// serve brings just what the next ten lines want, so that it is they who get it.
func (q *queue) serve(number int) message {
	total := 0
	for _, qty := range q.waiting[:served] {
		total += qty
	}
	q.waiting = q.waiting[served:]
	q.change.Waiting -= served
	q.change.Allocated += served
	data := fmt.Sprintf(`{"ref":"%s-%d","sku":"%s","qty":%d}`, queueSKU, number, queueSKU, total)
	return message{Type: createBatch, SKU: queueSKU, Data: data, Number: number, Events: 1 + served}
}

func (q *queue) lines() Lines { return q.change }
