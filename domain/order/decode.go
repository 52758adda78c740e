package order

import (
	"fmt"
	"strings"

	"allocation/domain/strictjson"
)

// MaxQuantity is the largest quantity of a line.
const MaxQuantity int64 = 1_000_000_000

// CommandType is what is known of a command before there is one.
type CommandType struct {
	// Name stands in a message's type.
	Name string
	// Fields are those of its data, in the order of documents.
	Fields []string

	decode func(*fields) Command
}

// Command is something that someone wants of a customer's order.
type Command interface {
	Message
	// Keys are what it is about.
	Keys() Keys
}

// Keys are what a command or a fact is about. What it is not about is empty.
type Keys struct {
	CustomerID string
	OrderID    string
	Batch      string
}

// Commands are all commands.
var Commands = []CommandType{
	{"AddToCart", []string{"customerid", "cartid", "sku", "qty"}, func(f *fields) Command {
		return AddToCart{f.of("cartid", f.cartid), f.Identifier("sku", f.sku), f.Integer("qty", f.qty, 1, MaxQuantity)}
	}},
	{"RemoveFromCart", []string{"customerid", "cartid", "sku", "lineid"}, func(f *fields) Command {
		return RemoveFromCart{f.of("cartid", f.cartid), f.Identifier("sku", f.sku), f.Identifier("lineid", f.lineid)}
	}},
	{"ExpireCart", []string{"customerid", "cartid"}, func(f *fields) Command {
		return ExpireCart{f.of("cartid", f.cartid)}
	}},
	{"PlaceOrder", []string{"customerid", "cartid"}, func(f *fields) Command {
		return PlaceOrder{f.of("cartid", f.cartid)}
	}},
	{"CancelOrder", []string{"customerid", "orderid"}, func(f *fields) Command {
		return CancelOrder{f.of("orderid", f.orderid)}
	}},
	{"ReviewOrder", []string{"customerid", "orderid"}, func(f *fields) Command {
		return ReviewOrder{f.of("orderid", f.orderid)}
	}},
	{"ReviewBatch", []string{"batchref", "after"}, func(f *fields) Command {
		return ReviewBatch{f.Identifier("batchref", f.batchref), f.OptionalIdentifier("after", f.after)}
	}},
}

// CommandNames are the names of all commands.
func CommandNames() []string {
	names := make([]string, len(Commands))
	for i := range Commands {
		names[i] = Commands[i].Name
	}
	return names
}

// Of is the order, or the cart, that a command is about, and whose it is.
type Of struct{ CustomerID, OrderID string }

// Keys are the customer and the order.
func (o Of) Keys() Keys { return Keys{CustomerID: o.CustomerID, OrderID: o.OrderID} }

// DecodeCommand reads the JSON data of the command called name. It refuses with unknown_type, or
// with malformed: not one JSON object in valid UTF-8, a name twice, a field that is missing, of a
// wrong type or out of range. Unknown fields are ignored.
func DecodeCommand(name string, data []byte) (Command, *Refusal) {
	for i := range Commands {
		if Commands[i].Name == name {
			return Commands[i].read(data)
		}
	}
	return nil, &Refusal{ReasonUnknownType, fmt.Sprintf("there is no command called %q", strictjson.Shorten(name))}
}

func (t *CommandType) read(data []byte) (Command, *Refusal) {
	f := &fields{}
	if err := strictjson.Parse(data, f.keep); err != nil {
		return nil, &Refusal{ReasonMalformed, fmt.Sprintf("the data of %s is not one plain JSON object: %v", t.Name, err)}
	}
	c := t.decode(f)
	if f.Problem != "" {
		return nil, &Refusal{ReasonMalformed, t.Name + ": " + f.Problem}
	}
	return c, nil
}

// fields are the members of a command's data that any command has.
type fields struct {
	strictjson.Reader
	customerid, cartid, orderid, sku, lineid, qty, batchref, after strictjson.Value
}

func (f *fields) keep(name []byte, value strictjson.Value) error {
	switch string(name) {
	case "customerid":
		f.customerid = value
	case "cartid":
		f.cartid = value
	case "orderid":
		f.orderid = value
	case "sku":
		f.sku = value
	case "lineid":
		f.lineid = value
	case "qty":
		f.qty = value
	case "batchref":
		f.batchref = value
	case "after":
		f.after = value
	}
	return nil
}

// of reads a customer and a cart or order of theirs.
func (f *fields) of(name string, value strictjson.Value) Of {
	customer := f.Identifier("customerid", f.customerid)
	if strings.Contains(customer, ".") {
		f.Wrong("customerid", f.customerid, "a name without a dot: what stands before the first dot of a cart's id is its customer")
	}
	id := f.Identifier(name, value)
	if CustomerOf(id) != customer {
		f.Wrong(name, value, fmt.Sprintf("an id that begins with the customer and a dot, such as %q", strictjson.Shorten(customer)+".1"))
	}
	return Of{customer, id}
}
