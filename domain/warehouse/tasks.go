package warehouse

// Of is the shipment that a task is about.
type Of struct {
	SKU      string
	Shipment int64
}

// Key is the article.
func (o Of) Key() string { return o.SKU }

// batch is the batch of the shipment; nil where it is over, or it was refused since there is none.
func (o Of) batch(x *decider) *Batch {
	if o.Shipment > x.Last {
		x.refuse(ReasonUnknownShipment, "shipment: of %q no shipment %d was announced; the last is %d", o.SKU, o.Shipment, x.Last)
	}
	return x.Batch(RefOf(o.SKU, o.Shipment))
}

// AnnounceShipment says that goods come, or, without an ETA, that they are there. Shipments of an
// article are numbered from 1, without gaps. Refused with shipment_conflict.
type AnnounceShipment struct {
	Of
	Qty int64
	ETA string
}

func (c AnnounceShipment) decide(x *decider) {
	ref := RefOf(c.SKU, c.Shipment)
	if c.Shipment <= x.Last {
		if b := x.Batch(ref); b != nil && b.Received != c.Qty {
			x.refuse(ReasonShipmentConflict, "qty: %d; the shipment %d of %q was announced with %d", c.Qty, c.Shipment, c.SKU, b.Received)
		}
		return
	}
	if c.Shipment != x.Last+1 {
		x.refuse(ReasonShipmentConflict, "shipment: %d; the next of %q is %d", c.Shipment, c.SKU, x.Last+1)
		return
	}
	x.Last = c.Shipment
	x.Batches = append(x.Batches, Batch{
		Ref: ref, Shipment: c.Shipment, Received: c.Qty, ETA: c.ETA, Arrived: c.ETA == "",
		Told: []Told{{noRevision, 0}}, Revision: noRevision,
	})
	x.output(All, "ShipmentAnnounced", Data{SKU: c.SKU, BatchRef: ref, Qty: &c.Qty, ETA: c.ETA})
	x.output(Stock, CreateBatch, Data{SKU: c.SKU, Ref: ref, Qty: &c.Qty, ETA: c.ETA})
	x.came(&x.Batches[len(x.Batches)-1], c.SKU)
}

// ReceiveShipment says that a shipment arrived. Refused with unknown_shipment.
type ReceiveShipment struct{ Of }

func (c ReceiveShipment) decide(x *decider) {
	b := c.batch(x)
	if b == nil || b.Arrived {
		return
	}
	b.Arrived, b.ETA = true, ""
	qty := b.Received
	x.output(All, "ShipmentArrived", Data{SKU: c.SKU, BatchRef: b.Ref, Qty: &qty})
	x.output(Stock, ChangeBatchEta, Data{SKU: c.SKU, BatchRef: b.Ref})
	x.settle(b, c.SKU)
}

// ReportDamage says that goods of a batch are lost: as many of them as are on the shelf. What was
// picked cannot be. Refused with unknown_shipment, not_arrived.
type ReportDamage struct {
	Of
	Report string // tells repeats
	Qty    int64
}

func (c ReportDamage) decide(x *decider) {
	b := arrived(x, c.Of)
	if b == nil || b.reported(c.Report) {
		return
	}
	x.Changed = true // the report is noted, also where it changes nothing now
	x.lose(b, c.SKU, min(c.Qty, max(0, b.Shelf())), "damaged")
}

// CountBatch says how much of a batch is on the shelf: no more than what was received, without what
// left and what is picked. Refused with unknown_shipment, not_arrived.
type CountBatch struct {
	Of
	Report string // tells repeats
	Qty    int64
}

func (c CountBatch) decide(x *decider) {
	b := arrived(x, c.Of)
	if b == nil || b.reported(c.Report) {
		return
	}
	x.Changed = true                                           // as above
	x.lose(b, c.SKU, max(b.Shelf()-c.Qty, -b.Lost), "counted") // below zero: some were found
}

// arrived is the batch of a shipment that is there; nil as from Of.batch.
func arrived(x *decider, of Of) *Batch {
	b := of.batch(x)
	if b != nil && !b.Arrived {
		x.refuse(ReasonNotArrived, "shipment: the shipment %d of %q is due on %s", of.Shipment, of.SKU, b.ETA)
		return nil
	}
	return b
}

// PickLine says that a line is to be picked and sent. It is picked if the last event of stock about
// it is the Allocated that Fact is the sequence of. If that is on its way, the line waits for it.
// If the line has moved or left since, PickLine has no effect: orders announces it again.
//
// For a line that is picked already, stock is told once more: it may have refused the Dispatch,
// since the batch was not there for a moment, and says nothing of that. Refused with
// unknown_shipment.
type PickLine struct {
	SKU, OrderID, LineID, BatchRef string
	Fact                           int64
}

// Key is the article.
func (c PickLine) Key() string { return c.SKU }

func (c PickLine) decide(x *decider) {
	if !x.announced(c.SKU, c.BatchRef) {
		x.refuse(ReasonUnknownShipment, "batchref: %q is no shipment of %q that was announced, so the line cannot be sent from here", c.BatchRef, c.SKU)
		return
	}
	if c.Fact > x.Fact {
		if l := x.line(c.OrderID, c.LineID); c.Fact > l.Ready {
			l.Ready, x.Changed = c.Fact, true
		}
		return
	}
	switch l := x.find(c.OrderID, c.LineID); {
	case l == nil || c.Fact != l.Fact || c.Fact < l.Ready: // it moved or left, or orders knows that it did
	case l.Picked:
		x.dispatch(l, c.SKU)
	default:
		l.Ready, x.Changed = c.Fact, true
		x.pick(l, c.SKU)
	}
}
