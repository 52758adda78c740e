package warehouse

import "slices"

// Coming is what stock told of a shipment that was not announced. Lines on its batch are in the
// ledger as others are.
//
// After a database lost commits, tasks and events are read again. They come by different
// partitions, so events may come before the AnnounceShipment that they follow from.
type Coming struct {
	Ref      string `json:"ref"`
	Shipped  int64  `json:"shipped"`
	Revision int64  `json:"revision"` // the largest that stock has
}

// coming is about the shipment of an article that a reference names; nil where it names none, or
// one that was announced.
func (l *Ledger) coming(sku, ref string) *Coming {
	if shipmentOf(sku, ref) <= l.Last {
		return nil
	}
	i := slices.IndexFunc(l.Coming, func(c Coming) bool { return c.Ref == ref })
	if i < 0 {
		i = len(l.Coming)
		l.Coming = append(l.Coming, Coming{Ref: ref, Revision: noRevision})
	}
	return &l.Coming[i]
}

// came has a batch that was announced know what stock told before. What is lost of it is not known
// yet: stock is told again.
func (x *decider) came(b *Batch, sku string) {
	i := slices.IndexFunc(x.Coming, func(c Coming) bool { return c.Ref == b.Ref })
	if i < 0 {
		return
	}
	b.Shipped, b.Revision = x.Coming[i].Shipped, x.Coming[i].Revision
	b.Again = b.Revision > noRevision
	x.Coming = slices.Delete(x.Coming, i, i+1)
	x.settle(b, sku)
}
