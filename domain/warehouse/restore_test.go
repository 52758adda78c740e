package warehouse_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/domain/warehouse"
)

// restored is a warehouse whose database goes back, while what is around it does not. It reads
// tasks with what it sends itself, the events of stock, and those of orders, each by a partition.
type restored struct {
	*world

	tasks []message
	last  int // the shipment that was announced last
	at    [3]int

	backup func() // goes back to a copy
}

// read has the warehouse decide the next of a partition. It reports false where there is none.
func (r *restored) read(partition int) bool {
	n := r.at[partition]
	if n == []int{len(r.tasks), len(r.facts), len(r.readies)}[partition] {
		return false
	}
	r.at[partition]++
	var m warehouse.Message
	var refusal *warehouse.Refusal
	switch partition {
	case 0:
		m, refusal = warehouse.ReadTask(r.tasks[n].kind, []byte(r.tasks[n].data))
	case 1:
		m, refusal = warehouse.ReadFact(r.facts[n].kind, r.facts[n].sequence, []byte(r.facts[n].data))
	case 2:
		m = r.readies[n]
	}
	require.Nil(r, refusal)
	ledger := &r.ledger
	if m.Key() != sku {
		ledger = &r.customer
	}
	for _, o := range warehouse.Decide(m, ledger).Outputs {
		data, err := json.Marshal(o.Data)
		require.NoError(r, err)
		switch o.To {
		case warehouse.Stock:
			r.toStock = append(r.toStock, message{o.Type, string(data)})
		case warehouse.Self:
			r.tasks = append(r.tasks, message{o.Type, string(data)})
		}
	}
	return true
}

// happens has people of the warehouse do something. They report no damage: read again before the
// events of before it, a report takes goods for lost that had left.
func (r *restored) happens() {
	of := fmt.Sprintf(`"sku":%q,"shipment":%d`, sku, rapid.IntRange(1, max(1, r.last)).Draw(r.draws, "shipment"))
	add := func(kind, format string, args ...any) {
		r.tasks = append(r.tasks, message{kind, fmt.Sprintf(format, args...)})
	}
	switch rapid.IntRange(0, 2).Draw(r.draws, "task") {
	case 0:
		r.last++
		add("AnnounceShipment", `{"sku":%q,"shipment":%d,"qty":%d,"eta":"2030-01-01"}`, sku, r.last, rapid.IntRange(1, 20).Draw(r.draws, "qty"))
	case 1, 2:
		add("ReceiveShipment", `{%s}`, of)
	}
}

// asked has stock decide the next command of a sender. It reports false where there is none.
func (r *restored) asked(from *[]message) bool {
	c, _ := r.ask(from)
	return c.kind != ""
}

func (r *restored) copy() {
	state, err := json.Marshal([]warehouse.Ledger{r.ledger, r.customer})
	require.NoError(r, err)
	at := r.at
	r.backup = func() {
		var ledgers [2]warehouse.Ledger
		require.NoError(r, json.Unmarshal(state, &ledgers))
		r.ledger, r.customer, r.at, r.backup = ledgers[0], ledgers[1], at, nil
	}
}

// Wherever the database goes back to, and in whatever order its partitions are read again: in the
// end the ledger adds up with stock, and what was announced ready has left.
func TestRestore_addsUpInTheEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(draws *rapid.T) {
		r := &restored{world: newWorld(draws)}
		r.draws = draws
		r.copy()
		for range rapid.IntRange(1, 80).Draw(draws, "steps") {
			switch what := rapid.IntRange(0, 11).Draw(draws, "what"); {
			case what < 2:
				r.happens()
			case what == 2:
				r.shop()
			case what == 3:
				r.asked(&r.toStock)
			case what == 4:
				r.asked(&r.customers)
			case what == 5:
				r.follow()
			case what == 6 && r.backup == nil:
				r.copy()
			case what == 7 && r.backup != nil:
				r.backup()
			default:
				partition := rapid.IntRange(0, 2).Draw(draws, "partition")
				for range rapid.SampledFrom([]int{1, 1, 9}).Draw(draws, "reads") {
					r.read(partition)
				}
			}
		}
		for moved := true; moved; {
			moved = false
			for _, partition := range rapid.Permutation([]int{0, 1, 2}).Draw(draws, "partitions") {
				for r.read(partition) {
					moved = true
				}
			}
			for r.follow() || r.asked(&r.toStock) || r.asked(&r.customers) {
				moved = true
			}
		}
		r.requireAddsUp()
	})
}

func (r *restored) requireAddsUp() {
	here, there := r.ledger.Over.Received-r.ledger.Over.Lost, int64(0)
	for i := range r.ledger.Batches {
		here += r.ledger.Batches[i].Received - r.ledger.Batches[i].Lost
	}
	for _, at := range r.batches {
		there += at.qty + at.dispatched
	}
	require.Equal(r, here, there, "%+v", r.ledger)
	require.Empty(r, r.ledger.Coming)
	for _, order := range slices.Sorted(maps.Keys(r.lines)) {
		if l := r.lines[order]; l.batch != "" && r.arrived[l.batch] {
			require.True(r, l.dispatched, "%s is on %s: %+v", order, l.batch, r.ledger)
		}
	}
}
