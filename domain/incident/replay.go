package incident

import (
	"fmt"

	"allocation/domain/product"
)

// Replay decides the commands of a product again, one after the other.
//
// The catalog is told all of the product at the start, and is never told that anything was written.
// So it knows all that there is, and State is the start and what it would write.
type Replay struct {
	sku     string
	start   *State
	catalog *product.Catalog
	decoder *product.Decoder
	absent  map[string]struct{} // references that were told not to exist
}

// NewReplay begins with a state; nil: the product does not exist.
func NewReplay(sku string, start *State) (*Replay, error) {
	if start == nil {
		start = &State{}
	}
	if err := start.Check(sku); err != nil {
		return nil, err
	}
	r := &Replay{sku: sku, decoder: product.NewDecoder()}
	r.begin(start)
	return r, nil
}

// begin tells a new catalog all of the product.
func (r *Replay) begin(start *State) {
	c := product.NewCatalog()
	r.start, r.catalog, r.absent = start, c, map[string]struct{}{}
	waiting := int64(0)
	for i := range start.Lines {
		if states[start.Lines[i].State] == product.Waiting {
			waiting++
		}
	}
	c.LearnProduct(r.sku, start.Version, waiting)
	for i := range start.Batches {
		c.LearnBatch(start.Batches[i].batch(r.sku))
		c.LearnTail(start.Batches[i].Ref, 0)
	}
	for i := range start.Lines {
		l := &start.Lines[i]
		c.LearnLine(product.Line{
			ID:  product.LineID{SKU: r.sku, OrderID: l.OrderID, LineID: l.LineID},
			Qty: l.Qty, Placed: l.Placed, State: states[l.State], BatchRef: l.BatchRef,
		})
	}
	c.LearnOpen(r.sku, 0, nil)
	c.LearnWaiting(r.sku, product.MaxQuantity, nil)
}

// Apply decides a command. What it came to then is not looked at.
func (r *Replay) Apply(c *Command) (Outcome, error) {
	cmd, refusal := r.decoder.Decode(c.Type, c.Data)
	if refusal != nil {
		return Outcome{Result: Refused, Reason: string(refusal.Reason), Message: refusal.Message}, nil
	}
	if other := c.OtherBatch; other != nil {
		if _, told := r.absent[other.Ref]; told {
			r.begin(r.State())
		}
	}
	const enough = 10
	for range enough {
		result := r.catalog.Apply(cmd, c.ID)
		if result.Need == nil {
			return outcomeOf(result), nil
		}
		r.answer(result.Need, c.OtherBatch)
	}
	return Outcome{}, fmt.Errorf("the command %s %s needs more than a file has", c.Type, c.Data)
}

// answer tells what a command needs beside the product: whether what it names exists.
func (r *Replay) answer(need *product.Need, other *Batch) {
	for sku := range need.Products {
		r.catalog.LearnProduct(sku, 0, 0)
	}
	for ref := range need.Batches {
		if other != nil && other.Ref == ref {
			r.catalog.LearnBatch(other.batch(r.sku))
			continue
		}
		r.catalog.LearnNoBatch(ref)
		r.absent[ref] = struct{}{}
	}
	for id := range need.Lines {
		r.catalog.LearnNoLine(id)
	}
}

func outcomeOf(result product.Result) Outcome {
	o := Outcome{Result: NoEffect}
	for i := range result.Events {
		e := &result.Events[i]
		o.Result = Changed
		o.Events = append(o.Events, Event{Type: string(e.Type), Sequence: e.Sequence, Data: e.AppendData(nil), Note: e.Note.JSON()})
	}
	if result.Refusal != nil {
		o.Result, o.Reason, o.Message = Refused, string(result.Refusal.Reason), result.Refusal.Message
	}
	return o
}

// Version is the product's, after the commands that were applied.
func (r *Replay) Version() int64 { return r.catalog.Product(r.sku).Version }

// State is the product's, after the commands that were applied.
func (r *Replay) State() *State {
	p := r.catalog.Product(r.sku)
	s := &State{Version: p.Version}
	batches, lines := map[string]struct{}{}, map[product.LineID]struct{}{}
	for _, changed := range [][]*product.Batch{p.NewBatches(), p.UpdatedBatches()} {
		for _, b := range changed {
			s.Batches = append(s.Batches, BatchOf(b))
			batches[b.Ref] = struct{}{}
		}
	}
	for _, changed := range [][]*product.Line{p.NewLines(), p.UpdatedLines()} {
		for _, l := range changed {
			s.Lines = append(s.Lines, LineOf(l))
			lines[l.ID] = struct{}{}
		}
	}
	for i := range r.start.Batches {
		if _, changed := batches[r.start.Batches[i].Ref]; !changed {
			s.Batches = append(s.Batches, r.start.Batches[i])
		}
	}
	for i := range r.start.Lines {
		l := &r.start.Lines[i]
		if _, changed := lines[product.LineID{SKU: r.sku, OrderID: l.OrderID, LineID: l.LineID}]; !changed {
			s.Lines = append(s.Lines, *l)
		}
	}
	s.sort()
	return s
}
