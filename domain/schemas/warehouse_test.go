package schemas

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/warehouse"
)

// Where the schemas of the warehouse are.
const (
	warehouseCommands = "warehouse/commands"
	warehouseEvents   = "warehouse/events"
)

// legalTask has a value that each field of a task may have.
var legalTask = map[string]string{
	"sku": `"CHAIR"`, "shipment": `1`, "qty": `5`, "eta": `"2030-01-01"`, "report": `"r1"`, "orderid": `"alice.1"`, "lineid": `"1"`, "batchref": `"CHAIR.1"`, "fact": `1`,
}

func TestWarehouseCommands_agreeWithTheDecoder(t *testing.T) {
	for _, task := range warehouse.Tasks {
		t.Run(task.Name, func(t *testing.T) {
			schema := load(t, warehouseCommands, task.Name)
			fields := map[string]string{}
			for _, field := range task.Fields {
				fields[field] = legalTask[field]
			}
			require.Len(t, schema.Properties, len(fields))
			accepted := 0
			for _, data := range variants(fields) {
				_, refusal := warehouse.ReadTask(task.Name, []byte(data))
				require.Equal(t, refusal == nil, accepts(schema, data), "%s %s\ndecoder: %v", task.Name, data, refusal)
				if refusal == nil {
					accepted++
				}
			}
			require.Greater(t, accepted, 10)
		})
	}
}

// decided is what the warehouse puts out for tasks and facts in which everything happens.
func decided(t *testing.T) (all []warehouse.Output) {
	ledger, customer := &warehouse.Ledger{}, &warehouse.Ledger{}
	decide := func(m warehouse.Message, refusal *warehouse.Refusal) {
		require.Nil(t, refusal)
		of := ledger
		if m.Key() == "alice" {
			of = customer
		}
		all = append(all, warehouse.Decide(m, of).Outputs...)
	}
	task := func(name, data string) { decide(warehouse.ReadTask(name, []byte(data))) }
	fact := func(kind, data string) { decide(warehouse.ReadFact(kind, ledger.Fact+1, []byte(data))) }
	line := `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1","reason":"cancelled"}`
	task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":9,"eta":"2030-01-01"}`)
	task("AnnounceShipment", `{"sku":"CHAIR","shipment":2,"qty":9}`)
	task("ReceiveShipment", `{"sku":"CHAIR","shipment":1}`)
	task("ReportDamage", `{"sku":"CHAIR","shipment":2,"report":"a","qty":2}`)
	task("CountBatch", `{"sku":"CHAIR","shipment":2,"report":"b","qty":8}`)
	task("CountBatch", `{"sku":"CHAIR","shipment":2,"report":"c","qty":0}`)
	fact("OrderReady", `{"customerid":"alice","orderid":"alice.1","lines":[{"sku":"CHAIR","lineid":"1","qty":3,"batchref":"CHAIR.1","fact":7}]}`)
	task("PickLine", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","batchref":"CHAIR.1","fact":1}`)
	fact("Allocated", line)
	fact("Deallocated", line)
	fact("Dispatched", line)
	fact("Dispatched", `{"orderid":"somebody else's","sku":"CHAIR","qty":1,"batchref":"CHAIR.1"}`)
	decide(warehouse.ReadFact("Deallocated", ledger.Fact+3, []byte(line)))
	return all
}

// Each event has fields of its schema, and each field of a schema is in one. What is sent to stock
// is what stock takes, and what the service sends itself is what it takes.
func TestWarehouseOutputs_keepToTheSchemas(t *testing.T) {
	seen := map[string]map[string]bool{}
	for _, o := range decided(t) {
		folder := map[warehouse.Receiver]string{warehouse.All: warehouseEvents, warehouse.Stock: commands, warehouse.Self: warehouseCommands}[o.To]
		text, err := json.Marshal(o.Data)
		require.NoError(t, err)
		data, schema := string(text), load(t, folder, o.Type)
		require.True(t, accepts(schema, data), "%s %s", o.Type, data)
		if seen[folder+"/"+o.Type] == nil {
			seen[folder+"/"+o.Type] = map[string]bool{}
		}
		for _, field := range fieldsOf(t, data) {
			require.Contains(t, schema.Properties, field, o.Type)
			seen[folder+"/"+o.Type][field] = true
		}
	}
	for _, name := range warehouse.Events {
		schema := load(t, warehouseEvents, name)
		require.ElementsMatch(t, slices.Collect(maps.Keys(schema.Properties)), slices.Collect(maps.Keys(seen[warehouseEvents+"/"+name])), name)
	}
	for _, name := range warehouse.StockCommands() {
		require.Contains(t, seen, commands+"/"+name)
	}
}

func TestWarehouseDocuments_examplesKeepToTheSchemas(t *testing.T) {
	keepToSchemas(t, "warehouse.md", warehouseCommands, warehouseEvents, warehouse.TaskNames(), warehouse.Events, func(name string, data []byte) bool {
		_, refusal := warehouse.ReadTask(name, data)
		return refusal == nil
	})
}
