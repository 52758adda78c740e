package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	. "allocation/domain/order"
)

func TestDecodeCommand(t *testing.T) {
	for name, data := range map[string]string{
		"AddToCart":      `{"customerid":"alice","cartid":"alice.1","sku":"CHAIR","qty":2}`,
		"RemoveFromCart": `{"customerid":"alice","cartid":"alice.1","sku":"CHAIR","lineid":"1"}`,
		"ExpireCart":     `{"customerid":"alice","cartid":"alice.1"}`,
		"PlaceOrder":     `{"customerid":"alice","cartid":"alice.1","new":[1]}`,
		"CancelOrder":    `{"customerid":"alice","orderid":"alice.1"}`,
		"ReviewOrder":    `{"customerid":"alice","orderid":"alice.1"}`,
	} {
		c, refusal := DecodeCommand(name, []byte(data))
		require.Nil(t, refusal, name)
		require.Equal(t, Keys{CustomerID: "alice", OrderID: "alice.1"}, c.Keys())
	}
	require.Len(t, CommandNames(), 7)
	for says, data := range map[string]string{
		`the field "qty" is 0; it must be an integer from 1 to 1000000000`:                        `{"customerid":"alice","cartid":"alice.1","sku":"CHAIR","qty":0}`,
		`the field "sku" is missing`:                                                              `{"customerid":"alice","cartid":"alice.1","qty":1}`,
		`the field "cartid" is "bob.1"; it must be an id that begins with the customer and a dot`: `{"customerid":"alice","cartid":"bob.1","sku":"CHAIR","qty":1}`,
		`the field "customerid" is "al.ice"; it must be a name without a dot`:                     `{"customerid":"al.ice","cartid":"al.ice.1","sku":"CHAIR","qty":1}`,
		`the data of AddToCart is not one plain JSON object`:                                      `[]`,
	} {
		_, refusal := DecodeCommand("AddToCart", []byte(data))
		require.NotNil(t, refusal, data)
		require.Equal(t, ReasonMalformed, refusal.Reason)
		require.Contains(t, refusal.Message, says)
	}
	_, refusal := DecodeCommand("Nope", nil)
	require.Equal(t, ReasonUnknownType, refusal.Reason)
}

func TestReadFact(t *testing.T) {
	fact, err := ReadFact("Allocated", 7, "", []byte(`{"orderid":"alice.1","sku":"CHAIR","qty":1,"batchref":"b1","lineid":"1"}`))
	require.NoError(t, err)
	require.Equal(t, LineFact{Kind: Allocated, Sequence: 7, OrderID: "alice.1", SKU: "CHAIR", LineID: "1", BatchRef: "b1"}, fact)
	fact, err = ReadFact("Allocated", 7, "alice.1", []byte(`{"orderid":"alice.1","sku":"CHAIR","qty":1,"batchref":"b1","lineid":"1"}`))
	require.NoError(t, err)
	require.True(t, fact.(LineFact).Asked)
	require.Equal(t, Keys{"alice", "alice.1", "b1"}, fact.Keys())
	fact, err = ReadFact("BatchEtaChanged", 8, "", []byte(`{"batchref":"b1","sku":"CHAIR"}`))
	require.NoError(t, err)
	require.Equal(t, BatchFact{Kind: BatchEtaChanged, Sequence: 8, Ref: "b1", SKU: "CHAIR", Arrived: true}, fact)
	for kind, data := range map[string]string{"BatchQuantityChanged": `{}`, "Restocked": `{`, "Allocated": `{"orderid":"o1","sku":"CHAIR","batchref":"b1"}`} {
		fact, err = ReadFact(kind, 1, "", []byte(data))
		require.NoError(t, err)
		require.Nil(t, fact, kind)
	}
	for kind, data := range map[string]string{"OutOfStock": `{`, "Allocated": `{"orderid":"alice.1","sku":"CHAIR"}`, "Dispatched": `{"orderid":"alice.1"}`, "BatchCreated": `{"sku":"CHAIR"}`, "BatchEtaChanged": `{"sku":"CHAIR"}`, "Deallocated": `{"orderid":"a\u0000.1","sku":"CHAIR"}`} {
		_, err = ReadFact(kind, 1, "", []byte(data))
		require.Error(t, err)
	}
	_, err = ReadFact("Allocated", 0, "", []byte(`{"orderid":"alice.1","sku":"CHAIR","batchref":"b1"}`))
	require.ErrorIs(t, err, ErrNoSequence)
	_, err = ReadFact("AllocationRejected", 0, "", []byte(`{"orderid":"alice.1","sku":"CHAIR"}`))
	require.NoError(t, err)
}
