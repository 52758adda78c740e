package language

import (
	"encoding/json"
	"fmt"
	"slices"

	"allocation/cmd/internal/operate/explain"
	"allocation/domain/warehouse"
	"allocation/store"
)

// Words say what the service's events, and the commands that it sends, mean.
var Words = explain.Words{
	Command: command, What: what, Types: true, Why: func(*store.EventView) []string { return nil },
	Quiet: "what the warehouse keeps may have changed all the same",
}

// command is the name of the task that an event came from; empty where that may be a fact.
func command(c *store.CauseView) string {
	switch c.First.Type {
	case "ShipmentAnnounced":
		return "AnnounceShipment"
	case "ShipmentArrived":
		return "ReceiveShipment"
	}
	return ""
}

// what says what happened.
func what(e *store.EventView) string {
	var d warehouse.Data
	if json.Unmarshal(e.Data, &d) != nil {
		return string(e.Data)
	}
	line := "order " + d.OrderID
	if d.LineID != "" {
		line += ", line " + d.LineID
	}
	switch e.Type {
	case "ShipmentAnnounced":
		if d.ETA == "" {
			return fmt.Sprintf("batch %s of %d is there", d.BatchRef, number(d.Qty))
		}
		return fmt.Sprintf("batch %s of %d is due on %s", d.BatchRef, number(d.Qty), d.ETA)
	case "ShipmentArrived":
		return fmt.Sprintf("batch %s of %d arrived", d.BatchRef, number(d.Qty))
	case "GoodsLost":
		return fmt.Sprintf("of batch %s %d are lost: %s", d.BatchRef, number(d.Qty), d.Reason)
	case "GoodsFound":
		return fmt.Sprintf("of batch %s %d were found", d.BatchRef, number(d.Qty))
	case "LinePicked":
		return fmt.Sprintf("%s: %d are picked from batch %s", line, number(d.Qty), d.BatchRef)
	case "LinePutBack":
		return fmt.Sprintf("%s: %d are put back to batch %s", line, number(d.Qty), d.BatchRef)
	case "LineShipped":
		return fmt.Sprintf("%s: %d of batch %s left", line, number(d.Qty), d.BatchRef)
	case "EventsMissed":
		return fmt.Sprintf("%d events of stock about %s never came: those after %d and before %d", d.Before-d.After-1, d.SKU, d.After, d.Before)
	case "PickLine", warehouse.Dispatch:
		return line
	case warehouse.ChangeBatchQuantity:
		return fmt.Sprintf("batch %s has %d, revision %d", d.BatchRef, number(d.Qty), number(d.Revision))
	}
	return "batch " + d.Ref + d.BatchRef // one of them is empty
}

// Discarded says what comes of it where a task or an event of another service is discarded.
func Discarded(l *store.Letter) string {
	switch {
	case l.Reason == warehouse.ReasonUnknownType:
		return ""
	case l.Type == warehouse.ReadyOrder || l.Type == "PickLine":
		return "without " + l.Type + ", lines are not picked, and their order stays ready: have it announced again (orders send ReviewOrder customerid=CUSTOMER orderid=ORDER)"
	case l.Type == "AnnounceShipment":
		return "without AnnounceShipment, the next shipments of the article are refused until one has its number"
	case slices.Contains(warehouse.StockFacts(), l.Type):
		return "without " + l.Type + ", the ledger misses an event of stock: docs/warehouse.md says what may be wrong then, under \"Where events of stock are missing\""
	}
	return ""
}

func number(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
