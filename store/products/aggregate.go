package products

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"allocation/domain/product"
	"allocation/migrations"
	"allocation/store"
	"allocation/worker"
)

// Service keeps products, batches and order lines.
var Service = store.Service{
	Name:       "allocation",
	TypePrefix: "allocation.v1.",
	Aggregate:  func() store.Aggregate { return newAggregate() },
	Table:      "products",
	Line:       &migrations.Products,
	Rows: map[string]string{
		"products": `select 'product ' || sku, sku from products where ctid = $1::text::tid`,
		"batches":  `select 'batch ' || ref || ' of product ' || sku, sku from batches where ctid = $1::text::tid`,
		"lines":    `select 'a line of order ' || orderid || ' of product ' || sku, sku from lines where ctid = $1::text::tid`,
	},
	Waiting: &store.Waiting{
		One: "waiting line", Name: "waiting_lines", Help: "Order lines that wait for stock.",
		// By the index of waiting lines: there are fewer of those than products that count them.
		SQL: `select (select count(*) from (select from lines where state = 'waiting' limit $1) l),
    case when not exists (select from lines where state = 'waiting' and placed_at is null) then (select min(placed_at) from lines where state = 'waiting') end`,
	},
}

// aggregate decides commands on products, batches and lines that it remembers or loads.
//
// Remembering is safe because the write checks it. A product is written, or relied upon, only at
// the version that is remembered. Everything that belongs to a product changes only with its
// version.
type aggregate struct {
	loaded   *loaded
	newLines newLines
	decoder  *product.Decoder

	// Of the transaction at hand.
	commands []product.Command // nil where a command was refused before it could be decided
	keys     []product.Keys    // of the commands
	results  []product.Result
	size     size
}

var _ store.Aggregate = (*aggregate)(nil)

func newAggregate() *aggregate {
	return &aggregate{loaded: newLoaded(), newLines: makeNewLines(), decoder: product.NewDecoder()}
}

// Decide decides the commands, or as many of the first as one transaction should have.
func (p *aggregate) Decide(ctx context.Context, tx *store.Tx) error {
	if tx.LockFirst() {
		if err := p.lock(ctx, tx); err != nil {
			return err
		}
	}
	for {
		err := p.decide(ctx, tx)
		if errors.Is(err, errTooMuch) {
			tx.Again(p.size.fit(p.results))
			p.loaded = newLoaded()
			p.Begin(tx)
			continue
		}
		if err == nil && p.size.full() {
			tx.Cut(p.size.cut)
		}
		return err
	}
}

// Begin decodes the commands, and names their products.
func (p *aggregate) Begin(tx *store.Tx) {
	n := tx.Len()
	p.commands = slices.Grow(p.commands[:0], n)[:n]
	p.keys = slices.Grow(p.keys[:0], n)[:n]
	p.results = slices.Grow(p.results[:0], n)[:n]
	clear(p.results)
	p.size = newSize(n)
	for i := range n {
		p.commands[i] = nil
		switch c := tx.Command(i); {
		case tx.Decided(i):
		case tx.Fails(i):
			p.commands[i] = decodeFailed(c)
		case tx.Newer(i):
			p.commands[i] = product.GuessNewer(c.Data, c.Key)
		default:
			p.commands[i], p.results[i].Refusal = p.decoder.Decode(c.Type, c.Data)
		}
		if p.commands[i] != nil {
			p.keys[i] = p.commands[i].Keys()
			tx.Name(i, p.keys[i].SKU, p.keys[i].Subject())
		} else if p.results[i].Refusal != nil {
			tx.Name(i, "", product.GuessSubject(tx.Command(i).Data))
		}
	}
}

// decodeFailed reads a command that failed, for its product. Reading it may be what failed; then
// nothing can be held.
func decodeFailed(c *worker.Command) (decoded product.Command) {
	defer func() {
		if recover() != nil {
			decoded = nil
		}
	}()
	if c.Refusal != nil {
		return nil
	}
	decoded, _ = product.DecodeCommand(c.Type, c.Data)
	return decoded
}

// decide loads what the commands most likely need and the memory lacks, applies them in order, and
// loads again what turned out to be missing. A command that must wait for a load makes those wait
// that name its product or its batch; the others go on, so every product keeps its order.
func (p *aggregate) decide(ctx context.Context, tx *store.Tx) error {
	question, pending := p.expectAll(tx)
	var last *product.Need
	for rounds := 1; ; rounds++ {
		p.orderTails(question)
		question.maxLines = p.size.linesAtOnce()
		whole, err := p.loaded.load(ctx, tx, question)
		if err != nil {
			return err
		}
		need := product.NewNeed()
		if pending, err = p.apply(ctx, tx, pending, need); err != nil || len(pending) == 0 {
			return err
		}
		if whole && !p.size.postponed && reflect.DeepEqual(need, last) {
			return fmt.Errorf("decide: %d commands need what %d loads did not tell: the stored rows contradict each other", len(pending), rounds)
		}
		question, last = newQuestion(need), need
	}
}

// orderTails sorts batches by the first command that needs their lines, so that those lines are
// loaded first.
func (p *aggregate) orderTails(q *question) {
	if len(q.tails) < 2 {
		return
	}
	first := map[string]int{}
	for i, c := range slices.Backward(p.commands) {
		if c != nil {
			first[p.keys[i].Batch], first[p.keys[i].Makes] = i, i
		}
	}
	slices.SortFunc(q.tails, func(a, b tail) int { return cmp.Compare(first[a.ref], first[b.ref]) })
}

// expectAll is what to load first, for the commands that can be decided.
func (p *aggregate) expectAll(tx *store.Tx) (first *question, pending []int) {
	need := product.NewNeed()
	pending = make([]int, 0, len(p.commands))
	others := p.linesNotPlaced(tx)
	for i, c := range p.commands {
		if c == nil {
			continue
		}
		pending = append(pending, i)
		keys := &p.keys[i]
		presumed := keys.Places && !tx.Tries() && p.presumed(keys.Line, others)
		if presumed && p.loaded.catalog.Offers(keys.SKU) {
			continue // nothing is to be asked
		}
		if tx.Fails(i) || tx.Newer(i) {
			expectKeys(need, keys) // loading more might be what fails
		} else {
			need.Expect(c)
		}
		if presumed {
			delete(need.Lines, keys.Line)
		}
	}
	p.loaded.catalog.Spare(need)
	return newQuestion(need), pending
}

// expectKeys needs a command's product alone.
func expectKeys(need *product.Need, keys *product.Keys) {
	if keys.SKU != "" {
		need.Products[keys.SKU] = &product.WindowNeed{}
	}
	for _, ref := range [...]string{keys.Batch, keys.Makes} {
		if ref != "" {
			need.Batches[ref] = product.BatchNeed{ShrinkTo: product.NoShrink}
		}
	}
}

// linesNotPlaced are the lines that commands are about which do not place them. Whether these are
// new cannot be presumed.
func (p *aggregate) linesNotPlaced(tx *store.Tx) map[product.LineID]struct{} {
	lines := map[product.LineID]struct{}{}
	for i, c := range p.commands {
		if c == nil {
			continue
		}
		if keys := &p.keys[i]; keys.Line.OrderID != "" && (!keys.Places || tx.Fails(i)) {
			lines[keys.Line] = struct{}{}
		}
	}
	return lines
}

// presumed takes a line that is to be placed for a new one, if it may.
func (p *aggregate) presumed(id product.LineID, others map[product.LineID]struct{}) bool {
	if len(others) > 0 {
		if _, other := others[id]; other {
			return false
		}
	}
	if !p.newLines.presumes(id) {
		return false
	}
	p.loaded.catalog.LearnNoLine(id)
	return true
}

func (p *aggregate) apply(ctx context.Context, tx *store.Tx, pending []int, need *product.Need) (waiting []int, err error) {
	var blocked blocked
	p.size.postponed = false
	for n, i := range pending {
		if p.size.full() && i >= p.size.cut {
			break // for the next transaction
		}
		if p.size.tooMuch(p.results, len(waiting)+len(pending)-n) {
			return nil, errTooMuch
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		keys := &p.keys[i]
		sku := p.loaded.productOf(keys, tx)
		if blocked.has(sku, keys) {
			blocked.add(sku, keys)
			waiting = append(waiting, i)
			continue
		}
		switch tx.Park(i, sku, keys.Makes) {
		case store.Parked:
			p.size.add(i, 0)
			continue
		case store.Asked:
			need.Merge(&product.Need{Products: map[string]*product.WindowNeed{sku: {}}})
			blocked.add(sku, keys)
			waiting = append(waiting, i)
			continue
		case store.Free:
		}
		result := p.loaded.catalog.Apply(p.commands[i], tx.Command(i).Cause.CommandID)
		if result.Need != nil {
			if !p.size.postpones(need, result.Need) {
				need.Merge(result.Need)
			}
			blocked.add(sku, keys)
			waiting = append(waiting, i)
			continue
		}
		p.results[i] = result
		p.loaded.remember(keys)
		p.size.add(i, len(result.Events))
	}
	return waiting, nil
}

// Outcome tells what a command came to.
func (p *aggregate) Outcome(i int) (refusal *worker.Refusal, events int) {
	result := &p.results[i]
	if r := result.Refusal; r != nil {
		refusal = &worker.Refusal{Reason: string(r.Reason), Message: r.Message}
	}
	return refusal, len(result.Events)
}

// Event gives an event of a command.
func (p *aggregate) Event(i, n int, at store.Ref, value []byte) (store.Event, []byte) {
	e := &p.results[i].Events[n]
	event := store.Event{Type: string(e.Type), Key: e.SKU, Subject: e.Subject(), Sequence: e.Sequence}
	if e.Sequence > 0 {
		event.Last = p.loaded.products[e.SKU]
		p.loaded.products[e.SKU] = at
	}
	p.follow(&event, e, at)
	event.Note = e.Note.JSON()
	return event, e.AppendData(value)
}

// follow continues the threads of an event's line and of its batch. A batch's thread is what
// changed its quantity or its eta.
func (p *aggregate) follow(event *store.Event, e *product.Event, at store.Ref) {
	switch {
	case e.Line.OrderID == "":
		event.Previous = p.loaded.batches[e.BatchRef]
		p.loaded.batches[e.BatchRef] = at
	case e.Sequence == 0:
		event.Previous = p.loaded.lines[e.Line]
	default:
		event.Previous = p.loaded.lines[e.Line]
		p.loaded.lines[e.Line] = at
	}
	if e.Type == product.LineDispatched {
		event.Also = p.loaded.batches[e.BatchRef]
		p.loaded.batches[e.BatchRef] = at
	}
}

// Write appends what was changed.
func (p *aggregate) Write(to *store.Pipeline, _ *store.Tx) (keys []string) {
	p.loaded.queueProducts(to)
	p.loaded.queueBatches(to)
	p.loaded.queueLines(to)
	for _, product := range p.loaded.catalog.Products() {
		keys = append(keys, product.SKU)
	}
	return keys
}

// Done keeps what a transaction learned and did, or forgets all that was read.
func (p *aggregate) Done(err error) {
	clear(p.commands)
	clear(p.keys)
	clear(p.results)
	if err == nil {
		p.newLines.committed()
		p.loaded.committed()
		p.loaded.forget(maxKnown)
		return
	}
	p.loaded = newLoaded()
	var pg *pgconn.PgError
	if errors.Is(err, errNotNew) || errors.As(err, &pg) && pg.ConstraintName == "lines_pkey" {
		p.newLines.wrong()
	}
}
