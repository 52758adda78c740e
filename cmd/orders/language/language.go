// Package language says how people write the commands about orders, and what events mean in words.
package language

import (
	"errors"

	"allocation/cmd/internal/operate/send"
	"allocation/domain/order"
	"allocation/store/orders"
)

var service = orders.Service(order.Settings{})

// Orders has the commands about orders.
var Orders = send.Language{
	Service:  &service,
	Commands: types(),
	Read:     read,
	Examples: []string{"AddToCart customerid=alice cartid=alice.7 sku=CHAIR qty=2", "PlaceOrder customerid=alice cartid=alice.7"},
	Line:     `{"type":"PlaceOrder","data":{"customerid":"alice","cartid":"alice.7"},"id":"cmd-1","key":"alice"}`,
}

func types() (all []send.CommandType) {
	for i := range order.Commands {
		t := send.CommandType{Name: order.Commands[i].Name}
		for _, field := range order.Commands[i].Fields {
			t.Fields = append(t.Fields, send.Field{Name: field, Number: field == "qty"})
		}
		all = append(all, t)
	}
	return all
}

func read(name string, data []byte) (key string, err error) {
	command, refusal := order.DecodeCommand(name, data)
	if refusal != nil {
		return "", errors.New(refusal.Message)
	}
	return command.Keys().CustomerID, nil
}
