package migrations

import "embed"

//go:embed orders/*.sql
var ordersFiles embed.FS

// Orders makes the tables of customers, their orders, and what is known of stock.
var Orders = Line{
	Name: "orders", Files: ordersFiles,
	Worker: map[string]string{
		"customers":     "select insert update",
		"orders":        "select insert update",
		"order_lines":   "select insert update",
		"stock_batches": "select insert update",
		"early_facts":   "select insert update delete", // update: to lock what is old
	},
	Operator: map[string]string{
		"customers":     "select",
		"orders":        "select",
		"order_lines":   "select",
		"stock_batches": "select",
		"early_facts":   "select",
		"requests":      "select", // the API asks what became of them
	},
}
