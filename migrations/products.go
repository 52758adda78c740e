package migrations

import "embed"

//go:embed products/*.sql
var productsFiles embed.FS

// Products makes the tables of products, batches and order lines.
var Products = Line{
	Name: "products", Files: productsFiles,
	Worker: map[string]string{
		"products":     "select insert update",
		"batches":      "select insert update",
		"lines":        "select insert update",
		"absences":     "update",
		"product_keys": "insert",
		"batch_keys":   "insert",
	},
	Operator: map[string]string{
		"products":     "select",
		"batches":      "select",
		"lines":        "select",
		"product_keys": "select",
		"batch_keys":   "select",
	},
	OperatorsToo: []string{"lines_to_release", "lines_that_wait"},
}
