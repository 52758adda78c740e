package order

// LineFact is an event of stock about a line.
type LineFact struct {
	Kind     FactKind
	Sequence int64
	OrderID  string
	SKU      string
	LineID   string
	BatchRef string
	Reason   string
	// Asked says that a command of this service led to it.
	Asked bool
}

// FactKind is the type of an event of stock.
type FactKind string

// The facts that are read. Others are ignored.
const (
	Allocated          FactKind = "Allocated"
	OutOfStock         FactKind = "OutOfStock"
	Deallocated        FactKind = "Deallocated"
	LineDispatched     FactKind = "Dispatched"
	AllocationRejected FactKind = "AllocationRejected"
	BatchCreated       FactKind = "BatchCreated"
	BatchEtaChanged    FactKind = "BatchEtaChanged"
)

// FactNames are the names of all facts that are read.
func FactNames() []string {
	return []string{
		string(Allocated), string(OutOfStock), string(Deallocated), string(LineDispatched), string(AllocationRejected), string(BatchCreated), string(BatchEtaChanged),
	}
}

func (f LineFact) decide(x *decider) {
	l := x.lineOf(f)
	switch {
	case l == nil && (f.Asked || x.hasEarly(f)) && !x.repeatsEarly(f):
		x.early(f, x.at)
	case l == nil || !f.isNew(l):
		x.d.Ignored = true
	default:
		f.apply(x, l)
	}
}

func (f LineFact) apply(x *decider, l *Line) {
	l.Fact = max(l.Fact, f.Sequence)
	switch f.Kind {
	case Allocated:
		x.allocated(l, f.BatchRef)
	case OutOfStock:
		if x.wanted(l) {
			l.State, l.Batch = Waiting, ""
		}
	case Deallocated:
		x.deallocated(l, f.Reason)
	case LineDispatched:
		l.State, l.Batch = Left, f.BatchRef
	case AllocationRejected:
		l.State = Rejected
		x.emit(ofLine(CartLineRejected, l, f.Reason))
	}
	x.settle()
}

// isNew reports whether the fact is newer than what the line has. A rejection counts with no
// others: it is the answer to a line that stock has said nothing of yet.
func (f LineFact) isNew(l *Line) bool {
	if f.Kind == AllocationRejected {
		return l.State == Requested
	}
	return f.Sequence > l.Fact
}

// wanted reports whether a line is still wanted that stock has, on a batch or in its queue. One
// that is not is taken back: stock got the Allocate after its cancellation, or has not read that
// yet; or it got one again that it had refused, or had given up.
func (x *decider) wanted(l *Line) bool {
	if !l.living() {
		x.ask(Deallocate, l)
	}
	return l.open()
}

func (x *decider) allocated(l *Line, batch string) {
	if !x.wanted(l) {
		return
	}
	l.State, l.Batch = Reserved, batch
	switch {
	case !l.Reserved.IsZero():
	case x.counts():
		l.Reserved = x.at
	default:
		l.Reserved = l.Added // a fact is never refused for its time: the line is on its batch
	}
	if x.Order.Phase == Ready {
		x.Order.Phase = Placed // it moved: the warehouse is told of the new batch
	}
}

// reasonCancelled is that of a Deallocated by a Deallocate.
const reasonCancelled = "cancelled"

// deallocated is about a line that lost its batch: it gets another one, or waits, and stock says so
// next. A line that somebody else took back at stock gets nothing any more.
func (x *decider) deallocated(l *Line, reason string) {
	switch {
	case !l.open():
	case reason == reasonCancelled:
		l.State, l.Batch = Rejected, ""
		x.emit(ofLine(CartLineRejected, l, reason))
	case l.State == Reserved:
		l.State, l.Batch = Waiting, ""
	}
}

// BatchFact is an event of stock about a batch.
type BatchFact struct {
	Kind     FactKind
	Sequence int64
	Ref, SKU string
	Arrived  bool
}

func (f BatchFact) decide(x *decider) {
	b := x.Batches[f.Ref]
	if b == nil {
		b = &Batch{Ref: f.Ref, SKU: f.SKU}
		x.Batches[f.Ref] = b
	}
	if f.Sequence <= b.Fact {
		x.d.Ignored = true
		return
	}
	b.Fact = f.Sequence
	// That a batch arrives which is here already tells that it was gone: its fact was given up, or
	// comes late.
	if b.Arrived || f.Arrived {
		b.Arrived = f.Arrived
		x.d.Review = &ReviewBatch{BatchRef: f.Ref}
	}
}
