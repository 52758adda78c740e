package incident

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"allocation/domain/product"
)

// states are those of lines, by name.
var states = map[string]product.LineState{
	product.Waiting.String(): product.Waiting, product.Allocated.String(): product.Allocated,
	product.Cancelled.String(): product.Cancelled, product.Dispatched.String(): product.Dispatched,
}

// sort brings a state into its order: batches by reference, lines in placed order.
func (s *State) sort() {
	slices.SortFunc(s.Batches, func(a, b Batch) int { return cmp.Compare(a.Ref, b.Ref) })
	slices.SortFunc(s.Lines, func(a, b Line) int { return cmp.Compare(a.Placed, b.Placed) })
}

// maxVersion is as far as JSON has integers.
const maxVersion = 1 << 53

// Check says what in a product's state contradicts itself: deciding on it would be wrong.
func (s *State) Check(sku string) error {
	if s.Version < 0 || s.Version > maxVersion {
		return fmt.Errorf("start.version is %d; it must be from 0 to %d", s.Version, int64(maxVersion))
	}
	left := map[string]int64{}
	for i := range s.Batches {
		b := &s.Batches[i]
		where := fmt.Sprintf("start.batches[%d]", i)
		if err := b.check(where); err != nil {
			return err
		}
		if _, twice := left[b.Ref]; twice {
			return fmt.Errorf("%s.ref is %q, as another batch's is", where, b.Ref)
		}
		if b.SKU != "" && b.SKU != sku {
			return fmt.Errorf("%s.sku of the batch %q is %q; it must be the product's, %q, or left out", where, b.Ref, b.SKU, sku)
		}
		left[b.Ref] = b.Allocated
	}
	if err := s.checkLines(left); err != nil {
		return err
	}
	for i := range s.Batches {
		b := &s.Batches[i]
		if left[b.Ref] != 0 {
			return fmt.Errorf("start.batches[%d].allocated of the batch %q is %d; its lines add up to %d", i, b.Ref, b.Allocated, b.Allocated-left[b.Ref])
		}
	}
	return nil
}

func (s *State) checkLines(left map[string]int64) error {
	ids, placed := map[product.LineID]struct{}{}, map[int64]struct{}{}
	for i := range s.Lines {
		l := &s.Lines[i]
		where := fmt.Sprintf("start.lines[%d]", i)
		if err := l.check(where, s.Version, left); err != nil {
			return err
		}
		id := product.LineID{OrderID: l.OrderID, LineID: l.LineID}
		if _, twice := ids[id]; twice {
			return fmt.Errorf("%s.orderid is %q and its lineid %q, as another line's are", where, l.OrderID, l.LineID)
		}
		if _, twice := placed[l.Placed]; twice {
			return fmt.Errorf("%s.placed of order %q is %d, as another line's is", where, l.OrderID, l.Placed)
		}
		ids[id], placed[l.Placed] = struct{}{}, struct{}{}
	}
	return nil
}

func (b *Batch) check(where string) error {
	switch {
	case b.Ref == "":
		return fmt.Errorf("%s.ref is missing", where)
	case b.Qty < 0 || b.Qty > product.MaxQuantity:
		return fmt.Errorf("%s.qty of the batch %q is %d; it must be from 0 to %d", where, b.Ref, b.Qty, product.MaxQuantity)
	case b.Allocated < 0 || b.Allocated > b.Qty:
		return fmt.Errorf("%s.allocated of the batch %q is %d; it must be from 0 to its qty, %d", where, b.Ref, b.Allocated, b.Qty)
	case b.FirstQty < 0 || b.FirstQty > product.MaxQuantity:
		return fmt.Errorf("%s.first_qty of the batch %q is %d; it must be from 0 to %d", where, b.Ref, b.FirstQty, product.MaxQuantity)
	case b.Revision != nil && *b.Revision < 0:
		return fmt.Errorf("%s.revision of the batch %q is %d; it must be 0 or more", where, b.Ref, *b.Revision)
	}
	for name, date := range map[string]string{"eta": b.ETA, "first_eta": b.FirstETA} {
		if _, ok := product.ParseDate(date); date != "" && !ok {
			return fmt.Errorf("%s.%s of the batch %q is %q; it must be a real date as YYYY-MM-DD", where, name, b.Ref, date)
		}
	}
	return nil
}

// check takes the line's quantity from what is left to explain of its batch.
func (l *Line) check(where string, version int64, left map[string]int64) error {
	state, known := states[l.State]
	_, exists := left[l.BatchRef]
	switch {
	case l.OrderID == "":
		return fmt.Errorf("%s.orderid is missing", where)
	case !known:
		return fmt.Errorf("%s.state of order %q is %q; it must be waiting, allocated, cancelled or dispatched", where, l.OrderID, l.State)
	case l.Qty < 1 || l.Qty > product.MaxQuantity:
		return fmt.Errorf("%s.qty of order %q is %d; it must be from 1 to %d", where, l.OrderID, l.Qty, product.MaxQuantity)
	case l.Placed < 1 || l.Placed > version:
		return fmt.Errorf("%s.placed of order %q is %d; it must be from 1 to start.version, %d", where, l.OrderID, l.Placed, version)
	case state == product.Allocated && !exists:
		return fmt.Errorf("%s.batchref of order %q is %q; start.batches has no such batch", where, l.OrderID, l.BatchRef)
	case state == product.Allocated:
		left[l.BatchRef] -= l.Qty
	case l.BatchRef != "" && state != product.Dispatched:
		return fmt.Errorf("%s.batchref of order %q is %q; a line that is %s has none", where, l.OrderID, l.BatchRef, l.State)
	}
	return nil
}

// Agrees reports whether another state has the same batches, and the same open lines.
func (s *State) Agrees(other *State) bool {
	return s.Version == other.Version && reflect.DeepEqual(s.comparable(), other.comparable())
}

// comparable leaves out what one of two states may lack: closed lines, and what is not known of a
// batch.
func (s *State) comparable() *State {
	open := &State{}
	for _, b := range s.Batches {
		b.Unknown, b.Revision, b.LastChange = nil, nil, ""
		open.Batches = append(open.Batches, b)
	}
	for _, l := range s.Lines {
		if state := states[l.State]; state == product.Waiting || state == product.Allocated {
			open.Lines = append(open.Lines, l)
		}
	}
	open.sort()
	return open
}
