// Package warehouse decides what happens to the goods of a warehouse: shipments that are announced
// and arrive, damage, counts, and lines of orders that are picked and sent.
//
// Stock is the service that allocates lines to batches. The warehouse tells it by commands what
// came, what is left and what is sent, and hears of lines by its events.
//
// What the warehouse tells always adds up with what stock has, at any moment: of each batch,
//
//	received - lost = free + allocated + dispatched
//
// where lost is what was told with the revision that stock has of the batch (Batch.LostAt). That
// holds because a quantity is told only while no Dispatch from the batch is on its way, since one
// that is refused brings no event. For the same reason nothing is picked from a batch until it is
// known which lines stock took off it. So a quantity is told twice: the second time it changes
// nothing, and its event says that all events of the first have come.
package warehouse
