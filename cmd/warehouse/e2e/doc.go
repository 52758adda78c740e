// Package e2e tries stock, orders and the warehouse together, as processes on real servers.
package e2e
