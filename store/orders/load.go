package orders

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/domain/order"
	"allocation/store"
)

// loaded is what a transaction has read, and changes.
type loaded struct {
	customers map[string]*customer
	orders    map[string]*order.Order
	batches   map[string]*order.Batch
	early     map[string][]order.EarlyFact // by order
	pages     map[int][]string             // orders of the batch that a message has looked at, by message

	lines    int // how many were read
	lastRead int // the place of their last order among those that were asked for; 1 is the first

	readOrders map[string]order.Order       // as they were read
	readFacts  map[string]int64             // of batches, as they were read
	readEarly  map[string][]order.EarlyFact // as they were read
}

// customer is one, with what the outbox needs beside.
type customer struct {
	order.Customer
	read   order.Customer // as it was read
	change int64          // counts the changes of all that is the customer's; 0: there is nothing yet
	last   store.Ref      // what was published last
	before store.Ref      // the same, as it was read
}

func newLoaded() *loaded {
	return &loaded{
		customers: map[string]*customer{}, orders: map[string]*order.Order{}, batches: map[string]*order.Batch{}, pages: map[int][]string{},
		early: map[string][]order.EarlyFact{}, readOrders: map[string]order.Order{}, readFacts: map[string]int64{}, readEarly: map[string][]order.EarlyFact{},
	}
}

// customerOf is a customer, with nothing in it where there is none.
func (l *loaded) customerOf(id string) *customer {
	c := l.customers[id]
	if c == nil {
		c = &customer{Customer: order.Customer{ID: id}, read: order.Customer{ID: id}}
		l.customers[id] = c
	}
	return c
}

// mostLines is how many lines of orders a transaction reads. It leaves what is about orders that do
// not fit to another one.
const mostLines = 20_000

// question is what a transaction needs to know.
type question struct {
	keys, customers, batches []string
	orders                   []string // in the order of the messages

	reviews map[int]order.ReviewBatch // by message
}

func (a *aggregate) ask() *question {
	keys, customers, orders, batches := map[string]bool{}, map[string]bool{}, map[string]bool{"": true}, map[string]bool{}
	q := &question{orders: []string{}, reviews: map[int]order.ReviewBatch{}}
	for i := range a.messages {
		m := &a.messages[i]
		if m.Message == nil {
			continue
		}
		keys[keyOf(m.keys)] = true
		if m.keyOnly {
			continue // loading more might be what fails
		}
		customers[m.keys.CustomerID], batches[m.keys.Batch] = true, true
		if !orders[m.keys.OrderID] {
			orders[m.keys.OrderID] = true
			q.orders = append(q.orders, m.keys.OrderID)
		}
		if review, ok := m.Message.(order.ReviewBatch); ok {
			q.reviews[i] = review
		}
	}
	sorted := func(set map[string]bool) []string {
		delete(set, "")
		return append([]string{}, slices.Sorted(maps.Keys(set))...)
	}
	q.keys, q.customers, q.batches = sorted(keys), sorted(customers), sorted(batches)
	return q
}

// The lines of one order after the other, by the index of their orders, as many as are read.
const linesSQL = `select o.place, l.order_id, l.line_id, l.sku, l.qty, l.state::text, coalesce(l.batch, ''), l.fact, l.added_at, l.reserved_at
from unnest($1::text[]) with ordinality o (id, place) cross join lateral (select * from order_lines where order_id = o.id order by n) l limit $2`

// The batches are those that facts are about, those of the lines, and those that lines may come to.
const batchesSQL = `ref in (select unnest($1::text[]) union select batch from early_facts where order_id = any($2) union select batch from (
    select l.batch, l.state from unnest($2::text[]) o (id) cross join lateral (select batch, state from order_lines where order_id = o.id offset 0) l limit $3) l where state = 'reserved')`

// A page of the orders with lines on a batch, by the index of such lines.
const pageSQL = `select order_id from order_lines where batch = $1 and state = 'reserved' and order_id > $2 group by order_id order by order_id limit $3`

// lock locks the customers and the batches, in the order of the write.
func (q *question) lock(ctx context.Context, tx *store.Tx) error {
	if err := tx.Lock(ctx, `select from customers where id = any($1) order by id for no key update`, q.customers); err != nil {
		return err
	}
	return tx.Lock(ctx, `select from stock_batches where `+batchesSQL+` order by ref for no key update`, q.batches, q.orders, mostLines+1)
}

// load reads customers first: what is the customer's and changes after that, changes the customer,
// which the write notices.
func (l *loaded) load(ctx context.Context, tx *store.Tx, q *question) error {
	batch := &pgx.Batch{}
	batch.Queue(`select id, version, sequence, placed, last_source, last_row, last_day from customers where id = any($1)`, q.customers).Query(l.readCustomers)
	batch.Queue(`select id, phase::text, placed_at from orders where id = any($1)`, q.orders).Query(l.readOrder)
	batch.Queue(linesSQL, q.orders, mostLines+1).Query(l.readLines)
	batch.Queue(earlySQL, q.orders).Query(l.readEarlyFacts)
	batch.Queue(`select ref, sku, arrived, fact from stock_batches where `+batchesSQL, q.batches, q.orders, mostLines+1).Query(l.readBatches)
	for _, i := range slices.Sorted(maps.Keys(q.reviews)) {
		batch.Queue(pageSQL,
			q.reviews[i].BatchRef, q.reviews[i].After, order.ReviewPage).Query(func(rows pgx.Rows) (err error) {
			l.pages[i], err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	}
	if err := tx.Load(ctx, batch, q.keys, nil, nil); err != nil {
		return err
	}
	for id, o := range l.orders {
		read := *o
		read.Lines = slices.Clone(o.Lines)
		l.readOrders[id] = read
	}
	for ref, b := range l.batches {
		l.readFacts[ref] = b.Fact
	}
	for id, early := range l.early {
		l.readEarly[id] = slices.Clone(early)
	}
	for _, id := range q.customers {
		l.customerOf(id)
	}
	return nil
}

// whole is how many of the messages are about orders whose lines were all read.
func (l *loaded) whole(q *question, messages []message) int {
	if l.lines <= mostLines {
		return len(messages)
	}
	missing := map[string]bool{}
	for _, id := range q.orders[l.lastRead-1:] {
		missing[id] = true
	}
	return slices.IndexFunc(messages, func(m message) bool { return m.Message != nil && !m.keyOnly && missing[m.keys.OrderID] })
}

func (l *loaded) readCustomers(rows pgx.Rows) error {
	var c customer
	source, row, day := c.before.Scan()
	_, err := pgx.ForEachRow(rows, []any{&c.read.ID, &c.change, &c.read.Version, &c.read.Placed, source, row, day}, func() error {
		found := c
		found.Customer, found.last = found.read, found.before
		l.customers[found.ID] = &found
		return nil
	})
	return err
}

func (l *loaded) readOrder(rows pgx.Rows) error {
	var id, phase string
	var placed *time.Time
	_, err := pgx.ForEachRow(rows, []any{&id, &phase, &placed}, func() error {
		l.orders[id] = &order.Order{ID: id, Phase: phases[phase], Placed: timeOrNone(placed)}
		return nil
	})
	return err
}

func (l *loaded) readLines(rows pgx.Rows) error {
	var id, state string
	var line order.Line
	var reserved *time.Time
	var place int
	_, err := pgx.ForEachRow(rows, []any{&place, &id, &line.ID, &line.SKU, &line.Qty, &state, &line.Batch, &line.Fact, &line.Added, &reserved}, func() error {
		if place < l.lastRead {
			return errors.New("lines came in another order than their orders were asked for")
		}
		l.lines, l.lastRead = l.lines+1, place
		read := line
		read.State, read.Reserved = lineStates[state], timeOrNone(reserved)
		if o := l.orders[id]; o != nil { // else it is newer than what was read before, which the write notices
			o.Lines = append(o.Lines, read)
		}
		return nil
	})
	return err
}

// timeOrNone is a time, zero where there is none.
func timeOrNone(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func (l *loaded) readBatches(rows pgx.Rows) error {
	var b order.Batch
	_, err := pgx.ForEachRow(rows, []any{&b.Ref, &b.SKU, &b.Arrived, &b.Fact}, func() error {
		found := b
		l.batches[b.Ref] = &found
		return nil
	})
	return err
}

// phases and lineStates are by their names in the tables.
var phases, lineStates = byName(order.Cart, order.Expired), byName(order.Requested, order.Rejected)

func byName[T interface {
	~uint8
	String() string
}](first, last T) map[string]T {
	names := map[string]T{}
	for v := first; v <= last; v++ {
		names[v.String()] = v
	}
	return names
}
