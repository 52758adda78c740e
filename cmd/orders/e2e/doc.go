// Package e2e tries the services for orders and for stock together, as processes on real servers.
package e2e
