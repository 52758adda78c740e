package migrations

import "embed"

//go:embed warehouse/*.sql
var warehouseFiles embed.FS

// Warehouse makes the table of ledgers.
var Warehouse = Line{
	Name: "warehouse", Files: warehouseFiles,
	Worker:       map[string]string{"ledgers": "select insert update"},
	Operator:     map[string]string{"ledgers": "select"},
	OperatorsToo: []string{"ledger_batches", "lost_at"},
}
