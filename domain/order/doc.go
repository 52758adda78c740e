// Package order decides what happens to customers' orders: carts, which become orders when they are
// placed, and what stock tells about their lines and its batches.
//
// It is pure: no clock, no I/O. A command or a fact is decided by what State has of its keys, at
// the time of its record, so a replay decides the same.
//
//   - Commands are about one customer and one cart or order, which begins with the customer
//     ("alice.7"): a fact about an order tells whose it is.
//   - Facts are events of stock. Each line and each batch keeps the sequence of the last fact that
//     was applied to it, and takes none that is not newer.
//   - A decision has events, commands for stock, and commands for this service itself: see
//     Decision.
package order
