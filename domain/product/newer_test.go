package product_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

func TestGuessNewer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		data, recordKey string
		want            product.Keys
	}{
		{`{"sku":"CHAIR","ref":"b1","size":{"w":1}}`, "TABLE", product.Keys{SKU: "CHAIR", Makes: "b1", Line: product.LineID{SKU: "CHAIR"}}},
		{`{"batchref":"b1"}`, "CHAIR", product.Keys{SKU: "CHAIR", Batch: "b1", Line: product.LineID{SKU: "CHAIR"}}},
		{`{"batchref":"b1"}`, "", product.Keys{Batch: "b1"}},
		{`{"orderid":"o1","sku":7}`, "CHAIR", product.Keys{SKU: "CHAIR", Line: product.LineID{OrderID: "o1", SKU: "CHAIR"}}},
		{`{"sku":"a\u0000b"}`, "a\nb", product.Keys{}},
		{`{"sku":"CHAIR"`, "\xff", product.Keys{}},
		{``, "CHAIR", product.Keys{SKU: "CHAIR", Line: product.LineID{SKU: "CHAIR"}}},
	} {
		require.Equal(t, c.want, product.GuessNewer([]byte(c.data), []byte(c.recordKey)).Keys(), c.data)
	}
}
