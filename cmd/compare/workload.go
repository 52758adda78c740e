package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// workload is the product of each command of a run: the same for everyone, from the same seed.
type workload []int

const orderPrefix = "order-"

func sku(product int) string      { return fmt.Sprintf("SKU-%05d", product) }
func batchRef(product int) string { return fmt.Sprintf("B-%05d", product) }

// newWorkload has one product in all commands where it is hot, and else takes products at random,
// after one command for each.
func newWorkload(commands int, hot bool) workload {
	w := make(workload, commands)
	if hot {
		return w
	}
	const seed = 20
	random := rand.New(rand.NewPCG(seed, seed))
	for i := range w {
		w[i] = i
		if i >= contest.Products {
			w[i] = random.IntN(contest.Products)
		}
	}
	return w
}

func (w workload) command(i int) contest.Command {
	return contest.Command{OrderID: orderPrefix + strconv.Itoa(i), SKU: sku(w[i]), Qty: 1}
}

// record is a command as CloudEvent in binary mode.
func (w workload) record(i int) *kgo.Record {
	c := w.command(i)
	value, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and a number are always JSON
	}
	return &kgo.Record{
		Key: []byte(c.SKU), Value: value,
		Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte(contest.AllocateType)}},
	}
}

// index is the number of the command that an order came from.
func (w workload) index(orderID string) (int, error) {
	digits, ok := strings.CutPrefix(orderID, orderPrefix)
	i, err := strconv.Atoi(digits)
	if !ok || err != nil || i < 0 || i >= len(w) {
		return 0, fmt.Errorf("an event is of order %q, which nobody placed", orderID)
	}
	return i, nil
}
