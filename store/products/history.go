package products

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/domain/incident"
	"allocation/domain/product"
	"allocation/store"
	"allocation/worker"
)

// Range says which part of a product's history is meant. What is empty leaves nothing out.
type Range struct {
	Since, Until time.Time // when commands were committed
	OrderID      string    // from the first command on that placed a line of this order
	Plain        bool      // also commands that could not be read, which may have any text in them
}

// History is what is kept of a product's past.
type History struct {
	Product incident.Product
	Now     *incident.State // the product today; nil where commands after the range were left out
	Cut     bool            // the history began earlier, and is not kept so far back

	sku    string
	within Range
	events []store.Ref // oldest first
	steps  []step
	owned  map[string]struct{} // the references of the product's batches today
	made   []string            // the references of those that were made in the range

	had map[store.RecordID]struct{} // the commands that it has; nil: not asked for yet
}

// maxHistory bounds the events and the refusals of a history: each takes memory.
const maxHistory = 1_000_000

const (
	historyProductSQL = `select version, last_source, last_row from products where sku >= $1 and sku <= $1 order by sku desc limit 1`

	historyBatchesSQL = `select ` + batchFields + ` from batches where sku = $1`

	historyOtherSQL = `
select b.* from unnest($1::text[]) n (ref)
cross join lateral (select ` + batchFields + ` from batches where ref >= n.ref and ref <= n.ref order by ref desc limit 1) b where b.sku <> $2`

	historyOpenSQL = `
select ` + lineFields + ` from lines l where sku = $1 and state = 'waiting'
union all
select ` + lineFields + ` from batches b join lines l on l.batchref = b.ref and l.state = 'allocated' where b.sku = $1`

	historyLinesSQL = `
select ` + lineFields + ` from unnest($2::text[], $3::text[]) k (orderid, lineid)
cross join lateral (select * from lines where orderid = k.orderid and sku = $1 and lineid = k.lineid limit 1) l`

	historyOrderSQL = `select coalesce(min(placed), 0) from lines where orderid = $1 and sku = $2`
)

// ProductHistory reads what is kept of a product's past, and store.ErrUnknown where nothing is. The
// state at its start is the one of today with all events since taken back.
func (v View) ProductHistory(ctx context.Context, sku string, within Range) (*History, error) {
	h := &History{sku: sku, within: within, Product: incident.Product{SKU: sku, Start: &incident.State{}}, owned: map[string]struct{}{}}
	err := v.Snapshot(ctx, func(tx pgx.Tx) error { return h.read(ctx, v.Store, tx) })
	if err == nil && h.Product.Version == 0 && len(h.steps) == 0 && h.Product.LeftOut == 0 {
		err = store.ErrUnknown
	}
	return h, store.ShowError("read the history of a product", err)
}

func (h *History) read(ctx context.Context, db *store.Store, tx pgx.Tx) error {
	now, last, err := h.readNow(ctx, tx)
	if err != nil {
		return err
	}
	refusals, err := db.KeyRefusals(ctx, tx, reasons(), h.sku, timeOrNil(h.within.Since), timeOrNil(h.within.Until), maxHistory)
	if err != nil {
		return err
	}
	refused, named := h.readRefused(refusals)
	rewind := incident.NewRewind(h.sku, now)
	back := walk{History: h, ctx: ctx, tx: tx, rewind: rewind}
	if err := back.lines(named); err != nil {
		return err
	}
	if h.within.OrderID != "" {
		if err := tx.QueryRow(ctx, historyOrderSQL, h.within.OrderID, h.sku).Scan(&back.placed); err != nil {
			return err
		}
	}
	if err := store.KeyEvents(ctx, tx, last, back.take); err != nil {
		return err
	}
	if err := back.end(); err != nil {
		return err
	}
	h.Product.Start = rewind.State()
	h.Product.Version = h.Product.Start.Version + int64(len(h.events))
	if h.Product.Version == now.Version {
		h.Now = now
	}
	if len(h.steps) > 0 {
		h.Product.Since = h.steps[0].at
	}
	if err := h.addOthers(ctx, tx, refused); err != nil {
		return err
	}
	h.place(refused)
	return nil
}

// readNow reads the product as it is, with its open lines.
func (h *History) readNow(ctx context.Context, tx pgx.Tx) (*incident.State, store.Ref, error) {
	now := &incident.State{Batches: []incident.Batch{}, Lines: []incident.Line{}}
	var last store.Ref
	err := tx.QueryRow(ctx, historyProductSQL, h.sku).Scan(&now.Version, &last.Source, &last.Row)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, last, err
	}
	batches, err := readBatches(ctx, tx, historyBatchesSQL, h.sku)
	if err != nil {
		return nil, last, err
	}
	for _, b := range batches {
		h.owned[b.Ref] = struct{}{}
		b.SKU = ""
		now.Batches = append(now.Batches, b)
	}
	now.Lines, err = readLines(ctx, tx, historyOpenSQL, h.sku)
	return now, last, err
}

func readBatches(ctx context.Context, tx pgx.Tx, query string, args ...any) ([]incident.Batch, error) {
	rows, _ := tx.Query(ctx, query, args...) // its error is that of the rows, too
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (incident.Batch, error) {
		var b product.Batch
		var source, number, day any
		err := row.Scan(&b.Ref, &b.SKU, &b.Qty, &b.Allocated, &b.ETA, &b.FirstQty, &b.FirstETA, &b.Revision, &b.LastChange, &source, &number, &day)
		of := incident.BatchOf(&b)
		of.SKU = b.SKU
		return of, err
	})
}

func readLines(ctx context.Context, tx pgx.Tx, query string, args ...any) ([]incident.Line, error) {
	rows, _ := tx.Query(ctx, query, args...) // as above
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l incident.Line, err error) {
		var sku string
		var source, number, day any
		return l, row.Scan(&l.OrderID, &sku, &l.LineID, &l.Qty, &l.Placed, &l.State, &l.BatchRef, &source, &number, &day)
	})
}

// addOthers adds, to commands that were refused because of another product's batch, that batch.
func (h *History) addOthers(ctx context.Context, tx pgx.Tx, refused []step) error {
	about := map[string][]*incident.Command{}
	for i := range refused {
		c := refused[i].command
		if ref := batchNamed(c); ref != "" && (c.Reason == string(product.ReasonBatchConflict) || c.Reason == string(product.ReasonSKUMismatch)) {
			if _, own := h.owned[ref]; !own {
				about[ref] = append(about[ref], c)
			}
		}
	}
	if len(about) == 0 {
		return nil
	}
	var refs []string
	for ref := range about {
		refs = append(refs, ref)
	}
	others, err := readBatches(ctx, tx, historyOtherSQL, refs, h.sku)
	for _, other := range others {
		for _, c := range about[other.Ref] {
			c.OtherBatch = &other
		}
	}
	return err
}

// batchNamed is the reference that a command names; empty where it names none.
func batchNamed(c *incident.Command) string {
	decoded, refusal := product.DecodeCommand(c.Type, c.Data)
	if refusal != nil {
		return ""
	}
	keys := decoded.Keys()
	if keys.Makes != "" {
		return keys.Makes
	}
	return keys.Batch
}

// walk goes back through the events of a product, command by command.
type walk struct {
	*History
	ctx     context.Context //nolint:containedctx // it lasts as long as the call
	tx      pgx.Tx
	rewind  *incident.Rewind
	placed  int64            // the version with which to begin; 0: any
	pending []store.KeyEvent // of the command at hand, newest first
	started bool             // what is older is before the start
}

func (w *walk) take(events []store.KeyEvent) (more bool, err error) {
	if !w.started {
		if err := w.linesOf(events); err != nil {
			return false, err
		}
	}
	for i := range events {
		e := &events[i]
		if n := len(w.pending); n > 0 && w.pending[n-1].First(e) {
			if err := w.command(true); err != nil {
				return false, err
			}
		}
		w.pending = append(w.pending, *e)
	}
	return !w.started || w.rewind.Lacks(), nil
}

// end ends with the oldest event that is kept.
func (w *walk) end() error {
	if n := len(w.pending); n > 0 {
		oldest := &w.pending[n-1]
		if err := w.command(oldest.Number%worker.EventsEach == 0); err != nil {
			return err
		}
		w.Cut = w.Cut || !w.started && oldest.Sequence > 1
	}
	slices.Reverse(w.events)
	slices.Reverse(w.steps)
	n := 0
	for i := range w.steps {
		s := &w.steps[i]
		s.from, s.to, n = n, n+s.to, n+s.to
	}
	return nil
}

// command takes back the command whose events are pending, or finds that the start is behind it.
func (w *walk) command(whole bool) error {
	newest := &w.pending[0]
	first := &w.pending[len(w.pending)-1]
	if !w.started {
		before := first.Sequence < w.placed || !w.within.Since.IsZero() && first.Committed != nil && first.Committed.Before(w.within.Since)
		w.started = before || !whole || !undoable(first)
		w.Cut = w.Cut || w.started && !before
	}
	later := !w.within.Until.IsZero() && newest.Committed != nil && newest.Committed.After(w.within.Until)
	for i := range w.pending {
		e := &w.pending[i]
		if w.started {
			w.rewind.Find(eventOf(e), e.CommandID)
			continue
		}
		if err := w.rewind.Undo(eventOf(e), e.CommandID); err != nil {
			return fmt.Errorf("the state at the start cannot be derived: %w; allocation verify --sku compares the product with its events", err)
		}
		if later {
			continue
		}
		w.events = append(w.events, e.At)
		if e.Type == string(product.BatchCreated) {
			d, _ := product.ReadEventData(e.Data) // it was undone
			w.made = append(w.made, d.Ref)
		}
	}
	if !w.started && !later {
		w.steps = append(w.steps, step{to: len(w.pending), source: first.At.Source, row: first.At.Row, at: first.Committed, position: first.Position})
	}
	if len(w.events) > maxHistory {
		return fmt.Errorf("there are more than %d events; ask for fewer with --from", maxHistory)
	}
	w.pending = w.pending[:0]
	return nil
}

// undoable reports whether a command can be taken back whose first event this is: workers of older
// versions kept no notes.
func undoable(first *store.KeyEvent) bool {
	kind := product.EventType(first.Type)
	return len(first.Note) > 0 || kind != product.BatchQuantityChanged && kind != product.BatchEtaChanged
}

func eventOf(e *store.KeyEvent) *incident.Event {
	return &incident.Event{Type: e.Type, Sequence: e.Sequence, Data: e.Data, Note: e.Note}
}

// linesOf reads the lines of events that are not known yet: they are closed today.
func (w *walk) linesOf(events []store.KeyEvent) error {
	var ids []product.LineID
	for i := range events {
		d, err := product.ReadEventData(events[i].Data)
		if err == nil && d.OrderID != "" && !w.rewind.Knows(&d) {
			ids = append(ids, product.LineID{SKU: w.sku, OrderID: d.OrderID, LineID: d.LineID})
		}
	}
	return w.lines(ids)
}

func (w *walk) lines(ids []product.LineID) error {
	if len(ids) == 0 {
		return nil
	}
	var orders, lineIDs []string
	for _, id := range ids {
		orders, lineIDs = append(orders, id.OrderID), append(lineIDs, id.LineID)
	}
	lines, err := readLines(w.ctx, w.tx, historyLinesSQL, w.sku, orders, lineIDs)
	w.rewind.Add(lines...)
	return err
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// reasons are those of refusals that rules decide.
func reasons() []string {
	var all []string
	for _, reason := range product.Reasons {
		all = append(all, string(reason))
	}
	return all
}
