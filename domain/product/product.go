package product

// Product is all batches and lines of one SKU, as far as they are known. Only its catalog changes
// it.
type Product struct {
	SKU string
	// Version is the number of the product's events; 0: it does not exist.
	Version int64
	// Loaded is the version that was learned, or committed last, before any command of this
	// transaction.
	Loaded int64
	// Waiting is how many lines wait, known or not.
	Waiting int64

	knowledge knowledge
	touched   bool  // by this transaction
	used      int64 // the transaction that touched it last
	open      openBatches
	waiting   waitingLines
	// What this transaction changed, each once, in order of the first change.
	changedBatches []*batch
	changedLines   []*line
}

func newProduct(sku string) *Product {
	return &Product{SKU: sku, open: newOpenBatches(), waiting: newWaitingLines()}
}

// NewBatches are those that are not in the database yet. They are the catalog's own: read only.
func (p *Product) NewBatches() []*Batch { return p.batches(created) }

// UpdatedBatches are those that were loaded and changed. They are the catalog's own: read only.
func (p *Product) UpdatedBatches() []*Batch { return p.batches(updated) }

// NewLines are those that are not in the database yet. They are the catalog's own: read only.
func (p *Product) NewLines() []*Line { return p.lines(created) }

// UpdatedLines are those that were loaded and changed. They are the catalog's own: read only.
func (p *Product) UpdatedLines() []*Line { return p.lines(updated) }

func (p *Product) batches(fate fate) (batches []*Batch) {
	for _, b := range p.changedBatches {
		if b.fate == fate {
			batches = append(batches, &b.Batch)
		}
	}
	return batches
}

func (p *Product) lines(fate fate) (lines []*Line) {
	for _, l := range p.changedLines {
		if l.fate == fate {
			lines = append(lines, &l.Line)
		}
	}
	return lines
}

// batchChanged remembers that b has to be written, as a new one if it was not touched before.
func (p *Product) batchChanged(b *batch, as fate) {
	if b.fate == unchanged {
		b.fate = as
		p.changedBatches = append(p.changedBatches, b)
	}
}

// lineChanged remembers that l has to be written, as a new one if it was not touched before.
func (p *Product) lineChanged(l *line, as fate) {
	if l.fate == unchanged {
		l.fate = as
		p.changedLines = append(p.changedLines, l)
	}
}

// emit gives an event the next sequence.
func (p *Product) emit(events []Event, e Event) []Event {
	p.Version++
	e.Sequence = p.Version
	return append(events, e)
}

// unknownWaiting is how many lines wait that are not known.
func (p *Product) unknownWaiting() int64 {
	return p.Waiting - p.waiting.known
}
