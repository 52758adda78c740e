// Package products keeps the Product aggregate in Postgres: products, batches and order lines.
//
// It decides commands with package product, on what it remembers or loads, and adds its statements
// to the transactions of package store. Its guarantee: a transaction commits only if everything
// that the decisions relied on is still so. Each product has a version, and whatever belongs to a
// product changes only together with it. So the write checks versions. It also checks that absent
// products and batches are still absent and, by the primary key, that order lines which were taken
// for new are new.
//
// Locks are taken in one order, after those of positions and before those of held keys (see
// store): the table absences, products by SKU, then batches and lines by key.
//
// It starts no goroutine.
package products
