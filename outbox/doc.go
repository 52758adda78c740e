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
// A row is deferred when its predecessor came by another source and is not acknowledged yet. All
// later rows of its key and source are deferred with it; other keys pass. Waiting follows commit
// order, so no circle is possible. Memory decides while the predecessor's source is open here and
// its row is known here. Otherwise the table decides, because another process may have that source
// by now. Budgets cannot make sources wait for each other either: a source with nothing in memory
// reads one chunk from the table even if its budget is used up.
//
// The client sends the records of all partitions together. So each source has a bounded number of
// rows in flight. The rows of other sources then go out soon, however many one source has
// (docs/performance.md).
//
// A promise belongs to an incarnation. A source that was closed and opened again counts no promise
// of the old one. Rows in flight stay in the budget until their promises return. So claims that
// come and go during an outage do not fill the memory.
//
// Rows that were acknowledged above the published row are remembered when a source begins again,
// and are not published twice. A row in two topics is acknowledged when both have it.
//
// The client keeps the id of a topic that was deleted and made again, and it keeps an error that it
// has in place of its producer id. After either it never publishes again, so it is replaced.
//
// The client says nothing while a topic has too few replicas in sync, and the topic's metadata have
// no error. So a topic is in trouble as soon as its records are out for long. Only an
// acknowledgement ends that. A refusal is about a row. It stands until that row is acknowledged,
// until its source is closed, or until the next try is over without it.
//
// The client fails a record together with all that is buffered for its partition. So two kinds of
// records move to a client that has one record at a time: those that an optional topic refused
// (dead letters, routed events), and records that are too large. There a dead letter takes another
// form, with a key or without its value. What its topic refuses even then is left out: see
// refusal.go. A source of events produces nothing meanwhile, because events have an order. Dead
// letters have none, and nothing waits for them.
//
// A record's timestamp is the time of publishing, not of the command. Brokers may refuse old
// timestamps for good, and they delete by them.
//
// # Goroutines and locks
//
// One goroutine for each open source, which alone produces for it, ended by Close. Run owns one
// each for the poller, the watcher and each topic's alone. Promises run on the client's goroutine,
// one after another.
//
// Locks: each is taken alone, except Budget.mu, which is taken under source.mu, and source.mu,
// which is taken under refusals.mu. None that a promise takes is held while calling the client, or
// an era that waits for promises would wait for ever.
package outbox
