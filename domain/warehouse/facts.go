package warehouse

// The commands that stock is sent.
const (
	CreateBatch         = "CreateBatch"
	ChangeBatchEta      = "ChangeBatchEta"
	ChangeBatchQuantity = "ChangeBatchQuantity"
	Dispatch            = "Dispatch"
)

// The events of other services that are taken. Those of stock are all that count: the sequence of
// the last tells how far the ledger knows what stock did.
const (
	BatchCreated         = "BatchCreated"
	BatchEtaChanged      = "BatchEtaChanged"
	BatchQuantityChanged = "BatchQuantityChanged"
	Allocated            = "Allocated"
	Deallocated          = "Deallocated"
	OutOfStock           = "OutOfStock"
	Dispatched           = "Dispatched"

	ReadyOrder = "OrderReady"
)

// StockFacts are the events of stock that are taken.
func StockFacts() []string {
	return []string{BatchCreated, BatchEtaChanged, BatchQuantityChanged, Allocated, Deallocated, OutOfStock, Dispatched}
}

// StockCommands are the commands that stock is sent.
func StockCommands() []string {
	return []string{CreateBatch, ChangeBatchEta, ChangeBatchQuantity, Dispatch}
}

// StockFact is an event of stock about an article. All that come of an article have its key, and
// come in order, so the ledger keeps only the sequence of the last. Where some are missing, it goes
// on with what came, and says so.
type StockFact struct {
	Kind     string
	Sequence int64
	Data
}

// Key is the article.
func (f StockFact) Key() string { return f.SKU }

func (f StockFact) decide(x *decider) {
	if f.Sequence <= x.Fact {
		x.Ignored = true
		return
	}
	if missed := f.Sequence - x.Fact - 1; x.Fact > 0 && missed > 0 {
		x.Missed += missed
		x.output(All, "EventsMissed", Data{SKU: f.SKU, After: x.Fact, Before: f.Sequence})
	}
	x.Fact, x.Changed = f.Sequence, true
	switch f.Kind {
	case BatchQuantityChanged:
		f.quantityChanged(x)
	case Allocated, Deallocated:
		f.moved(x)
	case Dispatched:
		f.left(x)
	}
}

// quantityChanged hears what the warehouse told itself, or somebody else did.
func (f StockFact) quantityChanged(x *decider) {
	b := x.Batch(f.BatchRef)
	if b == nil {
		if c := x.coming(f.SKU, f.BatchRef); c != nil && f.Revision != nil {
			c.Revision = max(c.Revision, *f.Revision)
		}
		return
	}
	switch {
	case f.Revision == nil || *f.Revision > b.Revision:
		b.Again = true
		if f.Revision != nil {
			b.Revision = *f.Revision
			b.Telling = false // what was told before is too old by now, and brings no event
		}
	case *f.Revision == b.Revision:
		b.Telling = false
	}
	x.settle(b, f.SKU)
}

// moved has a line on another batch, or on none.
func (f StockFact) moved(x *decider) {
	l := x.line(f.OrderID, f.LineID)
	was := x.Batch(l.Batch)
	x.putBack(l, f.SKU)
	l.Batch, l.Fact, l.Qty = "", 0, *f.Qty
	if f.Kind == Allocated && (x.Batch(f.BatchRef) != nil || x.coming(f.SKU, f.BatchRef) != nil) {
		l.Batch, l.Fact = f.BatchRef, f.Sequence
		x.pick(l, f.SKU)
	}
	if was != nil {
		x.tell(was, f.SKU)
	}
}

// left has the goods of a line leave by the batch that stock says. That is where they were picked,
// unless somebody else changed quantities.
func (f StockFact) left(x *decider) {
	l := x.line(f.OrderID, f.LineID)
	was := x.Batch(l.Batch)
	if l.Picked {
		l.Picked = false
		was.Picked -= l.Qty
	}
	l.Batch, l.Fact = "", 0
	if b := x.Batch(f.BatchRef); b != nil {
		b.Shipped += *f.Qty
		x.output(All, "LineShipped", Data{SKU: f.SKU, OrderID: f.OrderID, LineID: f.LineID, BatchRef: b.Ref, Qty: f.Qty})
	} else if c := x.coming(f.SKU, f.BatchRef); c != nil {
		c.Shipped += *f.Qty
	}
	if was != nil {
		x.tell(was, f.SKU)
	}
}

// OrderReady is the event that the lines of an order can be sent.
type OrderReady struct {
	CustomerID string
	Sequence   int64
	OrderID    string
	Lines      []ReadyLine
}

// ReadyLine is a line that can be sent, from where, and by which event of stock it came there.
type ReadyLine struct {
	SKU      string `json:"sku"`
	LineID   string `json:"lineid"`
	Qty      int64  `json:"qty"`
	BatchRef string `json:"batchref"`
	Fact     int64  `json:"fact"` // the sequence of that Allocated
}

// Key is the customer.
func (f OrderReady) Key() string { return f.CustomerID }

func (f OrderReady) decide(x *decider) {
	if f.Sequence <= x.Ready {
		x.Ignored = true
		return
	}
	x.Ready, x.Changed = f.Sequence, true
	for _, l := range f.Lines {
		x.output(Self, "PickLine", Data{SKU: l.SKU, OrderID: f.OrderID, LineID: l.LineID, BatchRef: l.BatchRef, Fact: l.Fact})
	}
}
