package main

import (
	"context"
	"fmt"
)

// checkComplete checks that each order has its event, and that the database says the same as the
// events.
func (a *arena) checkComplete(ctx context.Context, c *contestant, found *watch, orders int) error {
	lines, err := a.number(ctx, c.tables.lines)
	if err != nil {
		return err
	}
	allocated, err := a.number(ctx, c.tables.allocated)
	if err != nil {
		return err
	}
	outbox, err := a.number(ctx, c.tables.outbox)
	if err != nil {
		return err
	}
	if found.orders != orders || lines != int64(orders) || allocated != int64(orders) {
		return fmt.Errorf("of %d orders, %d have an event and %d a line, and batches gave away %d", orders, found.orders, lines, allocated)
	}
	if c.tables.keeps && outbox != int64(orders) {
		return fmt.Errorf("of %d orders, the outbox has %d rows", orders, outbox)
	}
	c.checks.runs++
	c.checks.orders += orders
	c.checks.repeats += found.repeats
	c.checks.disordered += found.disordered
	c.checks.outbox = "kept: one an order"
	if !c.tables.keeps {
		c.checks.left += outbox
		c.checks.outbox = fmt.Sprintf("deleted; %d left", c.checks.left)
	}
	return nil
}

// checks are what was found of a contestant, over all runs.
type checks struct {
	runs, orders, repeats, disordered int
	outbox                            string
	left                              int64 // outbox rows that were published, and would be again: the stop came before they were deleted
}
