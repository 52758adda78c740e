package product_test

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

func TestDecodeCommand(t *testing.T) {
	line := product.LineID{SKU: "CHAIR", OrderID: "o1"}
	lineL := product.LineID{SKU: "CHAIR", OrderID: "o1", LineID: "l"}
	for _, test := range []struct {
		name, data string
		want       product.Command
	}{
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":0}`, product.CreateBatch{Ref: "b1", SKU: "CHAIR"}},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1000000000,"eta":"2028-02-29"}`,
			product.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 1e9, ETA: "2028-02-29"}},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1,"eta":null,"extra":{"qty":[1.5]}}`,
			product.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 1}},
		{"CreateBatch", " {\n\"r\\u0065f\" : \"\\u00e9\\ud83d\\ude00\" , \"sku\":\"a b/c\", \"qty\":7} ",
			product.CreateBatch{Ref: "é😀", SKU: "a b/c", Qty: 7}},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1,"SKU":"x","revision":"ignored","eta":"0001-01-01"}`,
			product.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 1, ETA: "0001-01-01"}},
		{"ChangeBatchQuantity", `{"batchref":"b1","qty":5}`,
			product.ChangeBatchQuantity{BatchRef: "b1", Qty: 5, Revision: product.NoRevision}},
		{"ChangeBatchQuantity", `{"batchref":"b1","qty":5,"sku":null,"revision":null}`,
			product.ChangeBatchQuantity{BatchRef: "b1", Qty: 5, Revision: product.NoRevision}},
		{"ChangeBatchQuantity", `{"batchref":"b1","qty":5,"sku":"CHAIR","revision":9223372036854775807}`,
			product.ChangeBatchQuantity{BatchRef: "b1", Qty: 5, SKU: "CHAIR", Revision: math.MaxInt64}},
		{"ChangeBatchEta", `{"batchref":"b1"}`, product.ChangeBatchEta{BatchRef: "b1"}},
		{"ChangeBatchEta", `{"batchref":"b1","eta":"9999-12-31","sku":"CHAIR"}`,
			product.ChangeBatchEta{BatchRef: "b1", ETA: "9999-12-31", SKU: "CHAIR"}},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`, product.Allocate{Line: line, Qty: 1}},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1,"lineid":"l"}`, product.Allocate{Line: lineL, Qty: 1}},
		{"Deallocate", `{"orderid":"o1","sku":"CHAIR","lineid":null}`, product.Deallocate{Line: line}},
		{"Dispatch", `{"orderid":"o1","sku":"CHAIR","lineid":"l"}`, product.Dispatch{Line: lineL}},
	} {
		got, refusal := product.DecodeCommand(test.name, []byte(test.data))
		require.Nil(t, refusal, test.data)
		require.Equal(t, test.want, got, test.data)
		require.Equal(t, test.name, got.Name())
	}
}

func TestDecodeCommand_malformed(t *testing.T) {
	long := strings.Repeat("é", 128)
	for _, test := range []struct{ name, data, says string }{
		{"Allocate", ``, "empty"},
		{"Allocate", `null`, "not a JSON object"},
		{"Allocate", `[1]`, "not a JSON object"},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1} {}`, "not valid JSON"},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1,}`, "not valid JSON"},
		{"Allocate", "{\"orderid\":\"\xff\",\"sku\":\"CHAIR\",\"qty\":1}", "not valid UTF-8"},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1,"qty":1}`, `the name "qty" occurs twice`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1,"x":1,"\u0078":1}`, `the name "x" occurs twice`},
		{"Allocate", `{"orderid":"\ud800","sku":"CHAIR","qty":1}`, "surrogate"},
		{"Allocate", `{"sku":"CHAIR","qty":1}`, `the field "orderid" is missing`},
		{"Allocate", `{"orderid":null,"sku":"CHAIR","qty":1}`, `the field "orderid" is null`},
		{"Allocate", `{"orderid":7,"sku":"CHAIR","qty":1}`, `the field "orderid" is 7`},
		{"Allocate", `{"orderid":"","sku":"CHAIR","qty":1}`, `the field "orderid" is ""`},
		{"Allocate", `{"orderid":"` + long + `","sku":"CHAIR","qty":1}`, `the field "orderid" is "éé`},
		{"Allocate", `{"orderid":"o1","sku":"a\u0000b","qty":1}`, `the field "sku" is "a\u0000b"`},
		{"Allocate", "{\"orderid\":\"o1\",\"sku\":\"\u007f\",\"qty\":1}", `the field "sku" is "�"`},
		{"Allocate", "{\"orderid\":\"o1\",\"sku\":\"\u0085\",\"qty\":1}", `the field "sku" is "�"`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":0}`, `the field "qty" is 0; it must be an integer from 1 to 1000000000`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1000000001}`, `the field "qty" is 1000000001`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":99999999999999999999}`, `the field "qty" is 99999999999999999999`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1.0}`, `the field "qty" is 1.0`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1e2}`, `the field "qty" is 1e2`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":"1"}`, `the field "qty" is "1"`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":true}`, `the field "qty" is true`},
		{"Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1,"lineid":""}`, `the field "lineid" is ""`},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":-0}`, `the field "qty" is -0`},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":-1}`, `the field "qty" is -1`},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1,"eta":"2030-02-29"}`, `the field "eta" is "2030-02-29"; it must be a real date`},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1,"eta":"0000-01-01"}`, `the field "eta"`},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1,"eta":"2030-1-01"}`, `the field "eta"`},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1,"eta":""}`, `the field "eta"`},
		{"CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1,"eta":20300101}`, `the field "eta"`},
		{"ChangeBatchQuantity", `{"batchref":"b1","qty":1,"revision":-1}`, `the field "revision" is -1`},
		{"ChangeBatchQuantity", `{"batchref":"b1","qty":1,"revision":9223372036854775808}`, `the field "revision"`},
		{"ChangeBatchQuantity", `{"batchref":"b1","qty":1,"sku":""}`, `the field "sku"`},
		{"ChangeBatchEta", `{"ref":"b1"}`, `the field "batchref" is missing`},
		{"Deallocate", `{"orderid":"o1"}`, `the field "sku" is missing`},
		{"Dispatch", `{"sku":"o1"}`, `the field "orderid" is missing`},
	} {
		cmd, refusal := product.DecodeCommand(test.name, []byte(test.data))
		require.Nil(t, cmd, test.data)
		require.Equal(t, product.ReasonMalformed, refusal.Reason, test.data)
		require.Contains(t, refusal.Message, test.says, test.data)
		require.Less(t, len(refusal.Message), 300)
	}
}

func TestDecodeCommand_identifiersUpTo255Bytes(t *testing.T) {
	text := strings.Repeat("é", 127) + "a"
	_, refusal := product.DecodeCommand("ChangeBatchEta", []byte(`{"batchref":"`+text+`"}`))
	require.Nil(t, refusal)
}

func TestDecodeCommand_unknownType(t *testing.T) {
	for _, name := range []string{"", "allocate", "Allocated", strings.Repeat("x", 1000)} {
		_, refusal := product.DecodeCommand(name, []byte(`{`))
		require.Equal(t, product.ReasonUnknownType, refusal.Reason)
		require.Less(t, len(refusal.Message), 200)
	}
}

func FuzzDecodeCommand(f *testing.F) {
	names := []string{"CreateBatch", "ChangeBatchQuantity", "ChangeBatchEta", "Allocate", "Deallocate", "Dispatch"}
	f.Add(0, []byte(`{"ref":"b1","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`))
	f.Add(1, []byte(`{"batchref":"b1","qty":25,"revision":3,"sku":null}`))
	f.Add(3, []byte(`{"orderid":"o\u0031","sku":"CHAIR","qty":1,"lineid":"\ud83d\ude00"}`))
	f.Fuzz(func(t *testing.T, kind int, data []byte) {
		name := names[uint(kind)%uint(len(names))]
		cmd, refusal := product.DecodeCommand(name, data)
		if refusal != nil {
			require.Nil(t, cmd)
			require.Equal(t, product.ReasonMalformed, refusal.Reason)
			require.True(t, utf8.ValidString(refusal.Message))
			return
		}
		require.Equal(t, name, cmd.Name())
		if allocate, ok := cmd.(product.Allocate); ok {
			checkAllocate(t, name, allocate)
		}
	})
}

// checkAllocate reads a command back from the event that it gives: the two have the same fields.
func checkAllocate(t *testing.T, name string, cmd product.Allocate) {
	t.Helper()
	require.NotEmpty(t, cmd.Line.OrderID)
	require.NotEmpty(t, cmd.Line.SKU)
	data := product.Event{Type: product.LineOutOfStock, SKU: cmd.Line.SKU, Line: cmd.Line, Qty: cmd.Qty}.AppendData(nil)
	again, refusal := product.DecodeCommand(name, data)
	require.Nil(t, refusal)
	require.Equal(t, product.Command(cmd), again)
}
