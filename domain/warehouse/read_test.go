package warehouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/warehouse"
)

// A refusal names the field, its value where it has one, and what is allowed.
func TestReadFact_saysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const noSequence = ": ce_sequence is missing, or no integer from 1 on"
	for _, f := range []struct {
		sequence         int64
		kind, data, says string
	}{
		{0, "Allocated", `{"orderid":"a","sku":"CHAIR","qty":1}`, "Allocated" + noSequence},
		{1, "Allocated", `{"orderid":"a","qty":1}`, `Allocated: the field "sku" is missing or empty; it must be a text`},
		{1, "Allocated", `{"sku":"CHAIR","qty":1}`, `Allocated: the field "orderid" is missing or empty; it must be a text`},
		{1, "Allocated", `{"orderid":"a","sku":"CHAIR"}`, `Allocated: the field "qty" is missing; it must be an integer from 1 on`},
		{1, "Allocated", `{"orderid":"a","sku":"CHAIR","qty":-1}`, `Allocated: the field "qty" is -1; it must be an integer from 1 on`},
		{0, "OrderReady", `{"customerid":"a","orderid":"a.1"}`, "OrderReady" + noSequence},
		{1, "OrderReady", `{"orderid":"a.1"}`, `OrderReady: the field "customerid" is missing or empty; it must be a text`},
		{1, "OrderReady", `{"customerid":"a","orderid":"a.1","lines":[{"sku":"A","lineid":"1","batchref":"A.1","qty":1,"fact":1},{"sku":"A","batchref":"A.1","qty":1,"fact":1}]}`, `OrderReady: the field "lines[1].lineid" is missing or empty; it must be a text`},
		{1, "OrderReady", `{"customerid":"a","orderid":"a.1","lines":[{"sku":"A","lineid":"1","batchref":"A.1","qty":-2,"fact":1}]}`, `OrderReady: the field "lines[0].qty" is -2; it must be an integer from 1 on`},
		{1, "OrderReady", `{"customerid":"a"}`, `OrderReady: the field "orderid" is missing or empty; it must be a text`},
	} {
		_, refusal := warehouse.ReadFact(f.kind, f.sequence, []byte(f.data))
		require.NotNil(t, refusal, f.says)
		require.Equal(t, warehouse.ReasonMalformed, refusal.Reason)
		require.Equal(t, f.says, refusal.Message)
	}
}
