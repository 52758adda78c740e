package warehouse

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"allocation/domain/strictjson"
)

// MaxQuantity is the largest quantity of a shipment.
const MaxQuantity = 1_000_000_000

// TaskType is what is known of a task before there is one.
type TaskType struct {
	Name   string
	Fields []string // of its data, in the order of documents
	make   func(*reader) Message
}

// Tasks are the commands of the warehouse.
var Tasks = []TaskType{
	{"AnnounceShipment", []string{"sku", "shipment", "qty", "eta"}, func(r *reader) Message {
		return AnnounceShipment{r.of(), r.integer("qty", 1), r.date("eta")}
	}},
	{"ReceiveShipment", []string{"sku", "shipment"}, func(r *reader) Message {
		return ReceiveShipment{r.of()}
	}},
	{"ReportDamage", []string{"sku", "shipment", "report", "qty"}, func(r *reader) Message {
		return ReportDamage{r.of(), r.identifier("report"), r.integer("qty", 1)}
	}},
	{"CountBatch", []string{"sku", "shipment", "report", "qty"}, func(r *reader) Message {
		return CountBatch{r.of(), r.identifier("report"), r.integer("qty", 0)}
	}},
	{"PickLine", []string{"sku", "orderid", "lineid", "batchref", "fact"}, func(r *reader) Message {
		return PickLine{
			r.identifier("sku"), r.identifier("orderid"), r.identifier("lineid"), r.identifier("batchref"), r.Integer("fact", r.values["fact"], 1, math.MaxInt64),
		}
	}},
}

// TaskNames are the names of all tasks.
func TaskNames() (names []string) {
	for i := range Tasks {
		names = append(names, Tasks[i].Name)
	}
	return names
}

// ReadTask reads the JSON data of a task. Fields that it does not know are ignored.
func ReadTask(name string, data []byte) (Message, *Refusal) {
	i := slices.IndexFunc(Tasks, func(t TaskType) bool { return t.Name == name })
	if i < 0 {
		return nil, &Refusal{ReasonUnknownType, fmt.Sprintf("there is no command called %q", strictjson.Shorten(name))}
	}
	r := &reader{values: map[string]strictjson.Value{}}
	err := strictjson.Parse(data, func(field []byte, value strictjson.Value) error {
		r.values[string(field)] = value
		return nil
	})
	if err != nil {
		return nil, &Refusal{ReasonMalformed, fmt.Sprintf("the data of %s is not one plain JSON object: %v", name, err)}
	}
	task := Tasks[i].make(r)
	if r.Problem != "" {
		return nil, &Refusal{ReasonMalformed, name + ": " + r.Problem}
	}
	return task, nil
}

// reader reads the members of a task's data.
type reader struct {
	strictjson.Reader
	values map[string]strictjson.Value
}

func (r *reader) identifier(name string) string { return r.Identifier(name, r.values[name]) }

func (r *reader) integer(name string, least int64) int64 {
	return r.Integer(name, r.values[name], least, MaxQuantity)
}

// MaxSKU is the longest name of an article: it leaves room for the number of a shipment in the
// reference of its batch.
const MaxSKU = 235

func (r *reader) of() Of {
	sku := r.identifier("sku")
	if len(sku) > MaxSKU {
		r.Wrong("sku", r.values["sku"], fmt.Sprintf("a string of 1 to %d bytes without control characters", MaxSKU))
	}
	return Of{sku, r.Integer("shipment", r.values["shipment"], 1, math.MaxInt64)}
}

func (r *reader) date(name string) string {
	value := r.values[name]
	if value.Missing() {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, value.Text()); err != nil || strings.HasPrefix(value.Text(), "0000") {
		r.Wrong(name, value, "a real date as YYYY-MM-DD")
	}
	return value.Text()
}

// ReadFact reads an event of stock, or of orders. It gives nil for one that is of no concern.
func ReadFact(kind string, sequence int64, data []byte) (Message, *Refusal) {
	if kind == ReadyOrder {
		return readReady(sequence, data)
	}
	f := StockFact{Kind: kind, Sequence: sequence}
	if err := json.Unmarshal(data, &f.Data); err != nil {
		return nil, &Refusal{ReasonMalformed, fmt.Sprintf("the data of %s cannot be read: %v", kind, err)}
	}
	aboutLine := slices.Contains([]string{Allocated, Deallocated, Dispatched}, kind)
	switch {
	case sequence < 1:
		return nil, noSequence(kind)
	case f.SKU == "":
		return nil, noText(kind, "sku")
	case aboutLine && f.OrderID == "":
		return nil, noText(kind, "orderid")
	case aboutLine && f.Qty == nil:
		return nil, &Refusal{ReasonMalformed, kind + `: the field "qty" is missing; it must be an integer from 1 on`}
	case aboutLine && *f.Qty < 1:
		return nil, &Refusal{ReasonMalformed, fmt.Sprintf(`%s: the field "qty" is %d; it must be an integer from 1 on`, kind, *f.Qty)}
	}
	return f, nil
}

func noSequence(kind string) *Refusal {
	return &Refusal{ReasonMalformed, kind + ": ce_sequence is missing, or no integer from 1 on"}
}

func noText(kind, name string) *Refusal {
	return &Refusal{ReasonMalformed, fmt.Sprintf("%s: the field %q is missing or empty; it must be a text", kind, name)}
}

func readReady(sequence int64, data []byte) (Message, *Refusal) {
	f := OrderReady{Sequence: sequence}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, &Refusal{ReasonMalformed, fmt.Sprintf("the data of OrderReady cannot be read: %v", err)}
	}
	switch {
	case sequence < 1:
		return nil, noSequence(ReadyOrder)
	case f.CustomerID == "":
		return nil, noText(ReadyOrder, "customerid")
	case f.OrderID == "":
		return nil, noText(ReadyOrder, "orderid")
	}
	for i := range f.Lines {
		if refusal := f.Lines[i].check(fmt.Sprintf("lines[%d].", i)); refusal != nil {
			return nil, refusal
		}
	}
	return f, nil
}

// check refuses a line that lacks something. In names stands before its fields.
func (l *ReadyLine) check(in string) *Refusal {
	for _, field := range []struct{ name, value string }{{"sku", l.SKU}, {"lineid", l.LineID}, {"batchref", l.BatchRef}} {
		if field.value == "" {
			return noText(ReadyOrder, in+field.name)
		}
	}
	switch {
	case l.Qty < 1:
		return &Refusal{ReasonMalformed, fmt.Sprintf("%s: the field %q is %d; it must be an integer from 1 on", ReadyOrder, in+"qty", l.Qty)}
	case l.Fact < 1:
		return &Refusal{ReasonMalformed, fmt.Sprintf(
			"%s: the field %q is %d; it must be the ce_sequence of stock's Allocated, from 1 on. Workers of orders that are too old leave it out", ReadyOrder, in+"fact", l.Fact,
		)}
	}
	return nil
}
