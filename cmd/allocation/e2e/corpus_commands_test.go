package e2e

import "github.com/twmb/franz-go/pkg/kgo"

// corpus is a fixed list of commands: with each command, the examples of the rules, each reason of
// a refusal, each form of an envelope, and a product that is held for a while.
func corpus() []*kgo.Record {
	var all []*kgo.Record
	add := func(key, commandType, data string, headers ...string) {
		r := &kgo.Record{Value: []byte(data)}
		if key != "" {
			r.Key = []byte(key)
		}
		if commandType != "" {
			headers = append(headers, "ce_type", "allocation.v1."+commandType)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])})
		}
		all = append(all, r)
	}

	// A batch shrinks, and its last line moves; the goods leave.
	add("CHAIR", "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`)
	add("CHAIR", "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`, "ce_id", "create-b2", "ce_correlationid", "delivery-7")
	add("CHAIR", "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`, "ce_id", "cmd-1")
	add("CHAIR", "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20,"lineid":"l1"}`, "ce_correlationid", "checkout-77",
		"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", "vendor=1")
	add("CHAIR", "ChangeBatchQuantity", `{"batchref":"b1","qty":25}`, "ce_id", "count-1")
	add("CHAIR", "ChangeBatchQuantity", `{"batchref":"b1","qty":26,"revision":4}`)
	add("CHAIR", "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`)
	add("CHAIR", "Dispatch", `{"orderid":"o2","sku":"CHAIR","lineid":"l1"}`) // batch_not_arrived
	add("CHAIR", "ChangeBatchEta", `{"batchref":"b2","eta":"2030-02-01"}`)
	add("CHAIR", "ChangeBatchEta", `{"batchref":"b2","sku":"CHAIR"}`)
	add("CHAIR", "Dispatch", `{"orderid":"o2","sku":"CHAIR","lineid":"l1"}`)

	// Net change: one line begins to wait, another is silent; stock that comes serves it.
	add("DESK", "CreateBatch", `{"ref":"d1","sku":"DESK","qty":20}`)
	add("DESK", "Allocate", `{"orderid":"o1","sku":"DESK","qty":10}`)
	add("DESK", "Allocate", `{"orderid":"o2","sku":"DESK","qty":3}`)
	add("", "", `{"batchref":"d1","qty":5}`)                 // bare: the topic says its type
	add("DESK", "Dispatch", `{"orderid":"o1","sku":"DESK"}`) // line_waiting
	add("DESK", "CreateBatch", `{"ref":"d2","sku":"DESK","qty":10}`)
	add("DESK", "Deallocate", `{"orderid":"o2","sku":"DESK"}`)

	// Structured mode, plain and in base64, and names that need escapes.
	structured := []string{"content-type", "application/cloudevents+json; charset=UTF-8"}
	add("", "", `{"specversion":"1.0","type":"allocation.v1.CreateBatch","id":"s-1","source":"/wms","data":{"ref":"s\"1\u00e9<&>","sku":"L\u2028AMP","qty":5}}`, structured...)
	add("", "", `{"specversion":"1.0","type":"allocation.v1.Allocate","correlationid":"c-1","data_base64":"eyJvcmRlcmlkIjoibzEiLCJza3UiOiJMXHUyMDI4QU1QIiwicXR5Ijo1fQ=="}`, structured...)

	// Each reason of a refusal.
	add("CHAIR", "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":51}`)
	add("CHAIR", "ChangeBatchQuantity", `{"batchref":"none","qty":1}`)
	add("CHAIR", "ChangeBatchEta", `{"batchref":"b1","sku":"DESK"}`)
	add("SOFA", "Allocate", `{"orderid":"o1","sku":"SOFA","qty":1}`, "ce_id", "cmd-9")
	add("CHAIR", "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":21,"lineid":"l1"}`)
	add("CHAIR", "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":22,"lineid":"l1"}`) // line_conflict
	add("CHAIR", "Deallocate", `{"orderid":"o1","sku":"CHAIR","lineid":"l1"}`)
	add("CHAIR", "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":21,"lineid":"l1"}`) // line_cancelled
	add("CHAIR", "Deallocate", `{"orderid":"o3","sku":"CHAIR"}`)
	add("CHAIR", "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`) // line_dispatched
	add("CHAIR", "Allocate", `{"orderid":"o4","sku":"CHAIR","qty":0}`)
	add("", "Allocate", "\xff", "odd", "\x00\xff")
	add("CHAIR", "Reserve", `{}`)

	// Nothing new: an old count, and a command that was there before.
	add("CHAIR", "ChangeBatchQuantity", `{"batchref":"b1","qty":1,"revision":3}`)
	add("CHAIR", "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`)

	// A product that is held by a command which cannot be stored.
	add("TABLE", "CreateBatch", `{"ref":"t1","sku":"TABLE","qty":5}`)
	add("TABLE", "Allocate", `{"orderid":"cursed","sku":"TABLE","qty":2}`, "ce_id", "cursed-1", "ce_correlationid", "checkout-78")
	add("TABLE", "Allocate", `{"orderid":"o5","sku":"TABLE","qty":4}`)
	add("TABLE", "Deallocate", `{"orderid":"o6","sku":"TABLE"}`)
	add("CHAIR", "CreateBatch", `{"ref":"b3","sku":"CHAIR","qty":1}`)
	return all
}

// cursedAt is the offset of the command that cannot be stored at first.
func cursedAt() int { return len(corpus()) - 4 }
