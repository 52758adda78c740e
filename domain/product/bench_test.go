package product_test

import (
	"fmt"
	"testing"

	"allocation/domain/product"
)

func BenchmarkDecode(b *testing.B) {
	data := []byte(`{"orderid":"order-4711","sku":"SMALL-TABLE","qty":20,"lineid":"1"}`)
	decoder := product.NewDecoder()
	b.ReportAllocs()
	for b.Loop() {
		if _, refusal := decoder.Decode("Allocate", data); refusal != nil {
			b.Fatal(refusal)
		}
	}
}

// BenchmarkAllocate places 4,000 lines of 100 known products in a transaction, one transaction
// after the other, as a worker does.
func BenchmarkAllocate(b *testing.B) {
	const lines, products = 4000, 100
	skus := make([]string, products)
	c := product.NewCatalog()
	for i := range skus {
		skus[i] = fmt.Sprint("SKU-", i)
		c.LearnProduct(skus[i], 1, 0)
		c.LearnBatch(product.Batch{Ref: fmt.Sprint("b", i), SKU: skus[i], Qty: 1_000_000_000, Revision: product.NoRevision})
		c.LearnOpen(skus[i], 0, nil)
	}
	ids := lineIDs(lines)
	for i := range ids {
		ids[i].SKU = skus[i%products]
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, id := range ids {
			c.LearnNoLine(id)
			if r := c.Apply(product.Allocate{Line: id, Qty: 1}, ""); len(r.Events) != 1 {
				b.Fatal(r)
			}
		}
		c.Committed()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/command")
}

// BenchmarkEncode writes the data of an event.
func BenchmarkEncode(b *testing.B) {
	e := product.Event{
		Type: product.LineAllocated, SKU: "SMALL-TABLE", Qty: 20, BatchRef: "batch-0042",
		Line: product.LineID{SKU: "SMALL-TABLE", OrderID: "order-4711", LineID: "1"},
	}
	var data []byte
	b.ReportAllocs()
	for b.Loop() {
		data = e.AppendData(data[:0])
	}
}

// BenchmarkAllocateHotSKU places 10,000 lines of one SKU in one transaction: half on batches, half
// in the queue.
func BenchmarkAllocateHotSKU(b *testing.B) {
	ids := lineIDs(10_000)
	b.ReportAllocs()
	for b.Loop() {
		c := product.NewCatalog()
		c.LearnProduct("HOT", 1, 1_000_000)
		for i := range 10 {
			c.LearnBatch(product.Batch{Ref: fmt.Sprint("b", i), SKU: "HOT", Qty: 500, Revision: product.NoRevision})
		}
		c.LearnOpen("HOT", 0, nil)
		for _, id := range ids {
			c.LearnNoLine(id)
			apply(b, c, product.Allocate{Line: id, Qty: 1})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ids)), "ns/command")
}

// BenchmarkCancelHotSKU cancels 10,000 lines, each of which lets one of 10,000 that wait in.
func BenchmarkCancelHotSKU(b *testing.B) {
	ids := lineIDs(20_000)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c := product.NewCatalog()
		c.LearnProduct("HOT", 20_000, 10_000)
		c.LearnBatch(product.Batch{Ref: "b", SKU: "HOT", Qty: 10_000, Allocated: 10_000, Revision: product.NoRevision})
		for i, id := range ids {
			l := product.Line{ID: id, Qty: 1, Placed: int64(i) + 1, State: product.Waiting}
			if i < 10_000 {
				l.State, l.BatchRef = product.Allocated, "b"
			}
			c.LearnLine(l)
		}
		b.StartTimer()
		for _, id := range ids[:10_000] {
			apply(b, c, product.Deallocate{Line: id})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*10_000), "ns/command")
}

// BenchmarkShrink100k halves a batch with 100,000 lines on it; the other half waits, and comes
// back.
func BenchmarkShrink100k(b *testing.B) {
	const lines = 100_000
	ids := lineIDs(lines)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c := product.NewCatalog()
		c.LearnProduct("HOT", lines, 0)
		c.LearnBatch(product.Batch{Ref: "b", SKU: "HOT", Qty: lines, Allocated: lines, Revision: product.NoRevision})
		c.LearnOpen("HOT", 0, nil)
		for i := range ids { // as a loader would, the last placed first
			placed := lines - i
			c.LearnLine(product.Line{
				ID: ids[placed-1], Qty: 1, Placed: int64(placed), State: product.Allocated, BatchRef: "b",
			})
		}
		c.LearnTail("b", 0)
		b.StartTimer()
		apply(b, c, product.ChangeBatchQuantity{BatchRef: "b", Qty: lines / 2, Revision: product.NoRevision})
		apply(b, c, product.ChangeBatchQuantity{BatchRef: "b", Qty: lines, Revision: product.NoRevision})
	}
}

func lineIDs(count int) (ids []product.LineID) {
	for i := range count {
		ids = append(ids, product.LineID{SKU: "HOT", OrderID: fmt.Sprint("o", i)})
	}
	return ids
}

func apply(b *testing.B, c *product.Catalog, cmd product.Command) {
	b.Helper()
	if result := c.Apply(cmd, ""); result.Need != nil || result.Refusal != nil || len(result.Events) == 0 {
		b.Fatalf("%+v: %+v", cmd, result)
	}
}
