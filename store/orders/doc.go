// Package orders keeps customers, their carts and orders, and what is known of stock's batches in
// Postgres.
//
// It decides commands and facts with package order, on what it loads for each transaction, and adds
// its statements to the transactions of package store. Its guarantee: a transaction commits only if
// everything that the decisions relied on is still so. A customer has a version, and whatever
// belongs to a customer changes only together with it. A batch has the sequence of its last fact.
//
// A fact about a line relies on the line's batch, and holds it against change until it has
// committed. So when a fact about a batch commits, each line that was decided without it is in the
// tables, and is found by the review that the fact sends.
//
// Locks are taken in one order, after those of positions and before those of held keys (see store):
// customers by id, then batches by reference.
//
// It starts no goroutine.
package orders
