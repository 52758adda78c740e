// Package warehouse keeps the ledgers of a warehouse in Postgres.
package warehouse

import (
	"cmp"

	"allocation/domain/warehouse"
	"allocation/migrations"
	"allocation/store/keyed"
	"allocation/worker"
)

// TypePrefix stands before the names of tasks and events.
const TypePrefix = "warehouse.v1."

// Service keeps ledgers.
var Service = Rules.Service("warehouse", TypePrefix, &migrations.Warehouse)

// Rules decide on ledgers.
var Rules = &keyed.Rules[warehouse.Ledger, warehouse.Message]{
	Table: "ledgers", Entity: "ledger",
	Read: func(name string, data []byte) (warehouse.Message, *worker.Refusal) {
		m, refusal := warehouse.ReadTask(name, data)
		return m, (*worker.Refusal)(refusal)
	},
	Fact: func(c *worker.Command) (m warehouse.Message, mine bool, _ *worker.Refusal) {
		if c.Sequence == 0 {
			return nil, true, &worker.Refusal{Reason: warehouse.ReasonMalformed, Message: c.Type + ": " + c.SequenceProblem()}
		}
		m, refusal := warehouse.ReadFact(c.Type, c.Sequence, c.Data)
		return m, true, (*worker.Refusal)(refusal)
	},
	Key:    warehouse.Message.Key,
	Change: change,
}

func change(m warehouse.Message, ledger *warehouse.Ledger) keyed.Decision {
	decided := warehouse.Decide(m, ledger)
	d := keyed.Decision{Refusal: (*worker.Refusal)(decided.Refusal), Changed: decided.Changed, Ignored: decided.Ignored}
	for i := range decided.Outputs {
		d.Events = append(d.Events, event(&decided.Outputs[i]))
	}
	return d
}

func event(o *warehouse.Output) keyed.Event {
	e := keyed.Event{Type: o.Type, Data: &o.Data, Command: o.To != warehouse.All, Subject: o.Data.OrderID}
	if e.Subject == "" {
		e.Subject = cmp.Or(o.Data.BatchRef, o.Data.Ref, o.Data.SKU)
	}
	if e.Command {
		e.RecordKey, e.Correlation = o.Data.SKU, o.Data.OrderID
	}
	return e
}
