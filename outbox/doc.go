// Package outbox brings committed rows to Kafka. It knows envelopes, positions and rows, and
// nothing of what events are about.
//
// # Guarantee
//
// Every committed row of an open source is published at least once, in all of its topics, and
// nothing else is. A repeat has the same bytes. In each topic of events the first appearances of a
// key's events are in the order in which they were committed, by whatever sources and processes
// they come. Published gives the row below which all are acknowledged: what a worker may report and
// need not publish again.
//
// # Parts
//
//	Relay     opens, feeds and closes sources
//	Budget    counts what is not acknowledged, and makes callers wait that hand over more
//	source    one incarnation of an open source: source.go (rows handed over), run.go (taken),
//	          ack.go (acknowledged), defer.go (deferred)
//	renderer  a row's bytes (deadletter.go: those of a dead letter)
//	delivery  a row between produce and the last of its promises
//	stream    a topic as one client sees it; keeps records from passing those that failed
//	alone     records that their topic refused, one at a time; refusal.go says what a refusal means
//	waits     who waits for whom; poller asks the table for what memory does not know
//	watcher   looks for what the client never says: missing topics, too few replicas, a client that
//	          can never publish again
//	health    what keeps records back, by topic (topic_state.go) and by row (refusals.go)
//
// # Rules that are not obvious
//
// Nothing makes the client give up: no count of retries, no age, no cancelled context. It gives up
// all the same when a broker refuses a record for good, and then fails all that is buffered for
// that partition and takes new records at once. So:
//
//   - After a failed publish nothing of that source is produced until all its promises have
//     returned; then it begins again from the table. Otherwise rows that failed would follow rows
//     that came after them.
//   - A record can be produced after the client gave up and before a promise says so. It would find
//     an empty buffer and go out ahead of those that failed. A record's context is therefore the
//     era of its stream, which the client asks just before it sends the first batch of a partition;
//     the era first waits for all promises that are due. See stream.
//   - A new era begins only when no one is between entering the old one and producing: the client
//     asks only the first record of a batch.
//
// A row whose predecessor came by another source is deferred until that one is acknowledged, with
// all later rows of its key and source; other keys pass. Waiting follows commit order, so it cannot
// go round in a circle. Memory decides while the predecessor's source is open here and the row is
// known here; else the table does, because the source may be another process's by now. So that
// budgets cannot make sources wait for each other either, a source with nothing in memory reads one
// chunk from the table whether its budget has room or not.
//
// The client sends what it has of all partitions together. So a source has a bounded number of rows
// in flight: what others hand over goes out soon, however much one of them has
// (docs/performance.md).
//
// A promise belongs to an incarnation. A source that was closed and opened again counts none of the
// old one's. What was in flight stays in the budget until its promises return, so that claims that
// come and go during an outage do not fill the memory.
//
// Rows acknowledged above the published row are remembered when a source begins again, and not
// published twice for nothing. A row in two topics is acknowledged when it is in both.
//
// The client forgets neither the id of a topic that was deleted and made again, nor an error in
// place of its producer id. Both mean that it will never publish again, so it is replaced.
//
// The client tries on without a word where a topic has too few replicas in sync, and nothing in the
// topic's metadata is an error. So a topic with records that are out for long is in trouble by
// itself, and only an acknowledgement ends that. A refusal is about a row: it stands until that row
// is acknowledged, its source is closed, or it has not come again for longer than until the next
// try.
//
// The client fails a record together with all that is buffered for its partition. So what an
// optional topic refused (dead letters, routed events), and what was too large anywhere, moves to a
// client that has one record at a time. There a dead letter takes another form, with a key or
// without its value, and what its topic refuses even so is left out: see refusal.go. A source of
// events produces nothing meanwhile, or their order would suffer; dead letters have no order, and
// nothing waits for them.
//
// A record's timestamp is the time of publishing, not of the command: brokers may refuse old
// timestamps for good, and delete by them.
//
// # Goroutines and locks
//
// One goroutine for each open source, which alone produces for it, ended by Close. Run owns one each
// for the poller, the watcher and each topic's alone. Promises run on the client's goroutine, one
// after another.
//
// Locks: each is taken alone, except Budget.mu, which is taken under source.mu, and source.mu,
// which is taken under refusals.mu. None that a promise takes is held while calling the client, or
// an era that waits for promises would wait for ever.
package outbox
