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
	ids := make([]product.LineID, lines)
	for i := range ids {
		ids[i] = product.LineID{SKU: skus[i%products], OrderID: fmt.Sprint("o", i)}
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
