// Package language says how people write the tasks of the warehouse, and what events mean in words.
package language

import (
	"errors"

	"allocation/cmd/internal/operate/send"
	"allocation/domain/warehouse"
	store "allocation/store/warehouse"
)

// Warehouse has the tasks of the warehouse.
var Warehouse = send.Language{
	Service:  &store.Service,
	Commands: types(),
	Read:     read,
	Examples: []string{"AnnounceShipment sku=CHAIR shipment=1 qty=50 eta=2030-01-01", "ReceiveShipment sku=CHAIR shipment=1", "CountBatch sku=CHAIR shipment=1 report=monday qty=25"},
	Line:     `{"type":"ReportDamage","data":{"sku":"CHAIR","shipment":1,"report":"r1","qty":2},"id":"cmd-1","key":"CHAIR"}`,
}

func types() (all []send.CommandType) {
	for i := range warehouse.Tasks {
		t := send.CommandType{Name: warehouse.Tasks[i].Name}
		for _, field := range warehouse.Tasks[i].Fields {
			t.Fields = append(t.Fields, send.Field{Name: field, Number: field == "qty" || field == "shipment"})
		}
		all = append(all, t)
	}
	return all
}

func read(name string, data []byte) (key string, err error) {
	task, refusal := warehouse.ReadTask(name, data)
	if refusal != nil {
		return "", errors.New(refusal.Message)
	}
	return task.Key(), nil
}
