package order

import "strings"

// VIPFrom is how many placed orders make a customer a VIP.
const VIPFrom = 3

// Customer is somebody who has carts and orders.
type Customer struct {
	ID string
	// Version is the number of the customer's events; 0: nothing happened yet.
	Version int64
	// Placed is how many orders were placed, whatever became of them.
	Placed int64
}

// VIP reports whether the customer is one: from the third placed order on, for good.
func (c *Customer) VIP() bool { return c.Placed >= VIPFrom }

// CustomerOf is whose an order is, by its id; empty where no customer's order is called so.
func CustomerOf(orderID string) string {
	customer, rest, found := strings.Cut(orderID, ".")
	if !found || rest == "" {
		return ""
	}
	return customer
}
