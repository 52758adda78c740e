// Package language says how people write the commands about products.
package language

import (
	"errors"

	"allocation/cmd/internal/operate/send"
	"allocation/domain/product"
	"allocation/store/products"
)

// Products has the commands about products.
var Products = send.Language{
	Service:  &products.Service,
	Commands: types(),
	Read:     read,
	Examples: []string{
		"CreateBatch ref=b1 sku=CHAIR qty=50 eta=2030-01-31",
		"ChangeBatchQuantity batchref=b1 sku=CHAIR qty=25 revision=2",
		"Allocate orderid=o1 sku=CHAIR qty=20",
	},
	Line: `{"type":"Allocate","data":{"orderid":"o1","sku":"CHAIR","qty":20},"id":"cmd-1","correlationid":"checkout-7","key":"CHAIR"}`,
}

func types() (all []send.CommandType) {
	for i := range product.Commands {
		t := send.CommandType{Name: product.Commands[i].Name}
		for _, f := range product.Commands[i].Fields {
			t.Fields = append(t.Fields, send.Field(f))
		}
		all = append(all, t)
	}
	return all
}

func read(name string, data []byte) (sku string, err error) {
	command, refusal := product.DecodeCommand(name, data)
	if refusal != nil {
		return "", errors.New(refusal.Message)
	}
	return command.Keys().SKU, nil
}
