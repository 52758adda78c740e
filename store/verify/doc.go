// Package verify checks a database while workers use it: that the engine's rows agree with each
// other, and that the events of a key add up to the rows of a service, which its Aggregate knows.
//
// It reads in chunks, each in a snapshot of its own that lasts milliseconds, so that it neither
// holds back vacuum nor blocks anybody. What it compares always comes from one snapshot: the rows
// with each other, and the rows with the events up to just that snapshot, for which it follows the
// outbox. So a key that changes meanwhile gives no false alarm.
//
// Its memory is bounded, whatever the database holds. Keys and their parts are folded as far as
// fits; when it is full, the upper half, by a hash, is left to another pass over the events.
//
// It starts no goroutine.
package verify
