package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sort"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/domain"
	"allocation/worker"
)

// Apply decides a batch of commands and commits what they do: positions, products, outbox rows and
// dead letters, together or not at all. Where its first commands have very many events already, it
// commits what these do and leaves the rest for the next transaction. An error is a
// *worker.FencedError, or one of worker's kinds, or the fault of something in the batch; only after
// worker.ErrUnknownOutcome may the batch have been committed.
func (s *Store) Apply(ctx context.Context, batch worker.Batch) (worker.Applied, error) {
	conn, err := s.acquire(ctx)
	if err != nil {
		return worker.Applied{}, readError("apply", err)
	}
	defer conn.Release()

	memory := s.memories.take(batch.Applier) // and give it back only after what it told proved right
	d := newDecisions(batch, memory)
	if err := d.avoid(s.stillHeld(ctx, conn)); err != nil {
		s.memories.give(batch.Applier, memory) // nothing was done with it
		return worker.Applied{}, err
	}
	d, ledger, err := s.transact(ctx, conn.Conn(), d)
	if errors.Is(err, worker.ErrConflict) {
		s.memories.give(batch.Applier, memory.doubted(err))
	}
	if err != nil {
		return worker.Applied{}, err
	}
	d.memory.committed(d.batch.Free)
	s.memories.give(batch.Applier, d.memory)
	return worker.Applied{Rows: ledger.rows, Outcomes: ledger.outcomes}, nil
}

func (s *Store) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.pool.Acquire(ctx)
}

// transact gives up where somebody outside of the service has locked for long what the batch needs.
func (s *Store) transact(ctx context.Context, conn *pgx.Conn, d *decisions) (_ *decisions, _ *ledger, err error) {
	guard := s.guard(ctx, conn)
	defer func() {
		if hold := guard.stop(); hold != nil && canceled(err) {
			err = d.locked(hold)
		}
	}()
	if d.batch.LockFirst {
		if err := s.lockFirst(ctx, conn, d); err != nil {
			return nil, nil, err
		}
	}
	if d, err = d.decided(ctx, conn); err == nil {
		err = d.avoid(s.stillHeld(ctx, conn)) // of some commands, only what was loaded tells the product
	}
	if err != nil {
		return nil, nil, err
	}
	l := newLedger(d.batch, d)
	return d, l, s.save(ctx, conn, d, l)
}

// decisions are the results of a batch's commands, and what was loaded to come to them.
type decisions struct {
	batch    worker.Batch
	memory   *memory
	loaded   *loaded          // the memory's
	commands []domain.Command // by command of the batch; nil where it was refused before it could be decided
	results  []domain.Result
	size     size
	holding
}

func newDecisions(batch worker.Batch, memory *memory) *decisions {
	d := &decisions{
		batch:    batch,
		memory:   memory,
		loaded:   memory.loaded,
		commands: make([]domain.Command, len(batch.Commands)),
		results:  make([]domain.Result, len(batch.Commands)),
		size:     newSize(len(batch.Commands)),
	}
	decoder := domain.NewDecoder()
	for i := range batch.Commands {
		d.decode(i, &batch.Commands[i], decoder)
	}
	return d
}

func (d *decisions) decode(i int, c *worker.Command, decoder *domain.Decoder) {
	switch {
	case c.Kept != nil && c.Kept.Discard:
	case c.Failure != "":
		d.commands[i] = decodeFailed(c)
		d.results[i].Refusal = &domain.Refusal{Reason: reasonInternal, Message: c.Failure}
	case c.Refusal != nil:
		d.results[i].Refusal = &domain.Refusal{Reason: domain.Reason(c.Refusal.Reason), Message: c.Refusal.Message}
	default:
		d.commands[i], d.results[i].Refusal = decoder.Decode(c.Type, c.Data)
	}
}

// decided are the decisions of the batch, or of as many of its first commands as one transaction
// should have.
func (d *decisions) decided(ctx context.Context, db querier) (*decisions, error) {
	for {
		err := d.decide(ctx, db)
		if errors.Is(err, errTooMuch) {
			d = newDecisions(d.batch.Cut(d.size.fit(d.results)), d.memory.anew())
			continue
		}
		if err == nil && d.size.full() {
			d.batch = d.batch.Cut(d.size.cut)
		}
		return d, err
	}
}

// decide loads what the commands most likely need and the memory lacks, applies them in order, and
// loads again what turned out to be missing. A command that must wait for a load makes those wait
// that name its product or its batch; the others go on, so every product keeps its order.
func (d *decisions) decide(ctx context.Context, db querier) error {
	question, pending := d.expectAll()
	var last *domain.Need
	for rounds := 1; ; rounds++ {
		d.orderTails(question)
		question.mostLines = d.size.linesAtOnce()
		whole, err := d.load(ctx, db, question)
		if err != nil {
			return err
		}
		need := domain.NewNeed()
		if pending, err = d.apply(ctx, pending, need); err != nil || len(pending) == 0 {
			return err
		}
		if whole && !d.size.postponed && reflect.DeepEqual(need, last) {
			return fmt.Errorf("decide: %d commands need what %d loads did not tell: the stored rows contradict each other", len(pending), rounds)
		}
		question, last = newQuestion(need), need
	}
}

// orderTails has the lines of those batches loaded first whose commands come first.
func (d *decisions) orderTails(q *question) {
	if len(q.tails) < 2 {
		return
	}
	first := map[string]int{}
	for i, c := range slices.Backward(d.commands) {
		if c != nil {
			keys := c.Keys()
			first[keys.Batch], first[keys.Makes] = i, i
		}
	}
	sort.Sort(&byRank{q, first})
}

// expectAll is what to load first, for the commands that can be decided.
func (d *decisions) expectAll() (first *question, pending []int) {
	need := domain.NewNeed()
	pending = make([]int, 0, len(d.commands))
	others := d.linesNotPlaced()
	for i, c := range d.commands {
		if c == nil {
			continue
		}
		pending = append(pending, i)
		keys := c.Keys()
		presumed := keys.Places && d.presumed(keys.Line, others)
		if presumed && d.loaded.catalog.Offers(keys.SKU) {
			continue // nothing is to be asked
		}
		d.expect(need, i, c)
		if presumed {
			delete(need.Lines, keys.Line)
		}
	}
	d.loaded.catalog.Spare(need)
	return newQuestion(need), pending
}

// linesNotPlaced are the lines that commands are about which do not place them. Whether these are
// new cannot be presumed.
func (d *decisions) linesNotPlaced() map[domain.LineID]struct{} {
	lines := map[domain.LineID]struct{}{}
	for i, c := range d.commands {
		if c == nil {
			continue
		}
		if keys := c.Keys(); keys.Line.OrderID != "" && (!keys.Places || d.batch.Commands[i].Failure != "") {
			lines[keys.Line] = struct{}{}
		}
	}
	return lines
}

// presumed takes a line that is to be placed for a new one, if it may.
func (d *decisions) presumed(id domain.LineID, others map[domain.LineID]struct{}) bool {
	if len(others) > 0 {
		if _, other := others[id]; other {
			return false
		}
	}
	if !d.memory.presumes(id) {
		return false
	}
	d.loaded.catalog.LearnNoLine(id)
	return true
}

// load is whole where it told all that was asked for.
func (d *decisions) load(ctx context.Context, db querier, q *question) (whole bool, err error) {
	q.asksServer = d.memory.server.started.IsZero()
	if q.empty() {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return d.loaded.load(ctx, db, q, &d.memory.server)
}

func (d *decisions) apply(ctx context.Context, pending []int, need *domain.Need) (waiting []int, err error) {
	var blocked blocked
	d.size.postponed = false
	for n, i := range pending {
		if d.size.full() && i >= d.size.cut {
			break // for the next transaction
		}
		if d.size.tooMuch(d.results, len(waiting)+len(pending)-n) {
			return nil, errTooMuch
		}
		if err := ctx.Err(); err != nil {
			return nil, readError("decide", err)
		}
		keys := d.commands[i].Keys()
		sku := d.loaded.productOf(&keys)
		if blocked.has(sku, &keys) {
			blocked.add(sku, &keys)
			waiting = append(waiting, i)
			continue
		}
		if d.waitsOrHolds(i, sku, keys.Makes) {
			d.size.add(i, 0)
			continue
		}
		result := d.loaded.catalog.Apply(d.commands[i], d.batch.Commands[i].Cause.CommandID)
		if result.Need != nil {
			if !d.size.postpones(need, result.Need) {
				need.Merge(result.Need)
			}
			blocked.add(sku, &keys)
			waiting = append(waiting, i)
			continue
		}
		d.results[i] = result
		d.loaded.remember(&keys)
		d.size.add(i, len(result.Events))
	}
	return waiting, nil
}

// blocked holds the products and batches whose commands wait for a load.
type blocked struct {
	skus, refs map[string]struct{}
}

func (b *blocked) has(sku string, k *domain.Keys) bool {
	if b.skus == nil {
		return false
	}
	_, product := b.skus[sku]
	_, batch := b.refs[k.Batch]
	_, made := b.refs[k.Makes]
	return product || batch || made
}

func (b *blocked) add(sku string, k *domain.Keys) {
	if b.skus == nil {
		b.skus, b.refs = map[string]struct{}{}, map[string]struct{}{}
	}
	if sku != "" {
		b.skus[sku] = struct{}{}
	}
	for _, ref := range [...]string{k.Batch, k.Makes} {
		if ref != "" {
			b.refs[ref] = struct{}{}
		}
	}
}
