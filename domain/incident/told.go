package incident

import (
	"fmt"

	"allocation/domain/product"
)

// told is what a file has told of a product. What comes next must not contradict it.
type told struct {
	sku      string
	sequence int64               // of its last event
	batches  map[string]struct{} // all that it has had
}

func newTold(p *Product) told {
	t := told{sku: p.SKU, sequence: p.Start.Version, batches: map[string]struct{}{}}
	for i := range p.Start.Batches {
		t.batches[p.Start.Batches[i].Ref] = struct{}{}
	}
	return t
}

func (p *Product) check() error {
	switch {
	case p.Version < 0 || p.Version > maxVersion:
		return fmt.Errorf("version is %d; it must be from 0 to %d", p.Version, int64(maxVersion))
	case p.Version > 0 && p.Version < p.Start.Version:
		return fmt.Errorf("version is %d; it must not be below start.version, %d", p.Version, p.Start.Version)
	case p.LeftOut < 0:
		return fmt.Errorf("left_out is %d; it must be 0 or more", p.LeftOut)
	}
	return nil
}

// add adds the next command.
func (t *told) add(c *Command) error {
	for i := range c.Events {
		e := &c.Events[i]
		switch {
		case e.Sequence < 0 || e.Sequence > maxVersion:
			return fmt.Errorf("events[%d].sequence is %d; it must be from 0 to %d", i, e.Sequence, int64(maxVersion))
		case e.Sequence > 0 && e.Sequence <= t.sequence:
			return fmt.Errorf("events[%d].sequence is %d; it must be above %d, that of start.version and of the events before it", i, e.Sequence, t.sequence)
		}
		t.sequence = max(t.sequence, e.Sequence)
	}
	made := c.Result == Changed && c.Type == (product.CreateBatch{}).Name()
	if c.OtherBatch == nil && !made {
		return nil
	}
	decoded, refusal := product.DecodeCommand(c.Type, c.Data)
	if refusal != nil {
		return nil // it names nothing that could be read
	}
	keys := decoded.Keys()
	if made {
		t.batches[keys.Makes] = struct{}{}
	}
	if c.OtherBatch == nil {
		return nil
	}
	return t.checkOther(c.OtherBatch, keys)
}

// checkOther wants a batch of another product, which the command names.
func (t *told) checkOther(other *Batch, keys product.Keys) error {
	if err := other.check("other_batch"); err != nil {
		return err
	}
	named := keys.Batch
	if keys.Makes != "" {
		named = keys.Makes
	}
	_, own := t.batches[other.Ref]
	switch {
	case other.SKU == "" || other.SKU == t.sku:
		return fmt.Errorf("other_batch.sku of the batch %q is %q; it must be another product's than %q", other.Ref, other.SKU, t.sku)
	case other.Ref != named:
		return fmt.Errorf("other_batch.ref is %q; it must be the batch that the command names, %q", other.Ref, named)
	case own:
		return fmt.Errorf("other_batch.ref is %q; it must be no batch of the product %q", other.Ref, t.sku)
	}
	return nil
}
