package product

import "math"

// Sizes of the first window that is asked for, and how much larger each next one is.
const (
	firstOpen   = 64
	firstPerQty = 16
	widen       = 8
)

// NoShrink asks for no lines of a batch, as its ShrinkTo.
const NoShrink int64 = math.MaxInt64

// Need is what must be loaded before commands can be decided. Its numbers are wishes: a loader may
// load more or less, as long as it tells the catalog the truth about it. It saves rounds to tell
// the batch of each line, and the product of each batch. A need that comes again although it was
// answered in full means that the stored data contradict themselves.
type Need struct {
	// Products holds, by SKU, the products whose existence, version and number of waiting lines are
	// needed.
	Products map[string]*WindowNeed
	// Batches holds the batches that are needed, by reference. Each may belong to any SKU.
	Batches map[string]BatchNeed
	// Lines holds the lines that are needed by their identity.
	Lines map[LineID]struct{}
}

// WindowNeed is what is needed of a product beside its header: windows of its open batches and
// of its waiting lines.
type WindowNeed struct {
	// Open asks for the first so many open batches (available > 0) in order of preference; 0 for
	// none.
	Open int
	// Least leaves out of these the batches with less available.
	Least int64
	// Reach asks for the waiting lines of at most this quantity; 0 for none.
	Reach int64
	// PerQty limits these to the first so many of each distinct quantity, in placed order.
	PerQty int
}

// BatchNeed is what is needed of a batch beside itself.
type BatchNeed struct {
	// ShrinkTo also asks for the batch's allocated lines, the last placed first, until the lines
	// that are left make at most this quantity. NoShrink asks for none.
	ShrinkTo int64
}

// NewNeed makes an empty need.
func NewNeed() *Need {
	return &Need{
		Products: make(map[string]*WindowNeed),
		Batches:  make(map[string]BatchNeed),
		Lines:    make(map[LineID]struct{}),
	}
}

// Expect adds what cmd will most likely need: its product, its batch and its line, the open batches
// where it may move lines, and the lines that a shrinking batch may release. Waiting lines are only
// known to be needed once stock rose.
func (n *Need) Expect(cmd Command) {
	cmd.expect(n)
}

// Merge adds what o needs.
func (n *Need) Merge(o *Need) {
	for sku, p := range o.Products {
		own := n.product(sku)
		if own.Open == 0 || p.Open > 0 && p.Least < own.Least {
			own.Least = p.Least
		}
		own.Open = max(own.Open, p.Open)
		own.Reach = max(own.Reach, p.Reach)
		own.PerQty = max(own.PerQty, p.PerQty)
	}
	for ref, b := range o.Batches {
		n.batch(ref, b.ShrinkTo)
	}
	for id := range o.Lines {
		n.line(id)
	}
}

// Empty reports whether nothing is needed.
func (n *Need) Empty() bool {
	return len(n.Products) == 0 && len(n.Batches) == 0 && len(n.Lines) == 0
}

// product adds a product, and returns what is needed of it.
func (n *Need) product(sku string) *WindowNeed {
	if n.Products == nil {
		n.Products = make(map[string]*WindowNeed)
	}
	p := n.Products[sku]
	if p == nil {
		p = new(WindowNeed)
		n.Products[sku] = p
	}
	return p
}

func (n *Need) open(sku string, count int) {
	p := n.product(sku)
	p.Open = max(p.Open, count)
}

func (n *Need) batch(ref string, shrinkTo int64) {
	if n.Batches == nil {
		n.Batches = make(map[string]BatchNeed)
	}
	if known, ok := n.Batches[ref]; ok {
		shrinkTo = min(shrinkTo, known.ShrinkTo)
	}
	n.Batches[ref] = BatchNeed{ShrinkTo: shrinkTo}
}

func (n *Need) line(id LineID) {
	if n.Lines == nil {
		n.Lines = make(map[LineID]struct{})
	}
	n.Lines[id] = struct{}{}
}
