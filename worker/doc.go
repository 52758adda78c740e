// Package worker is the consumer-group runtime: it claims partitions, reads envelopes, gathers
// transactions, has them applied, and hands the committed rows to the outbox' relay. It knows
// envelopes, positions and rows, and nothing of what commands mean: what they do is the Store's
// business.
//
// Its guarantee: a record is dropped from memory only after the transaction that applied it
// committed, and a partition's position moves only in such a transaction, under this worker's
// claim. Whatever else happens, the partition is claimed again and read from where the database
// says that it is.
//
// A record's way: poll → partition → applier → decode → Store.Apply → relay → acknowledged → the
// group's offset. Store.Apply moves the position.
//
// Goroutines, all owned and awaited by Run:
//   - the poll loop: routes records to partitions and never blocks between a poll and
//     AllowRebalance; it alone seeks, so that records of before a seek cannot arrive after it;
//   - the appliers: each owns the partitions that it was given, and applies what waits in them;
//   - the reclaimer: claims partitions again that were fenced, or whose transaction's outcome is
//     unknown;
//   - the asker: asks Kafka again about partitions that nobody answers for;
//   - the measurer: asks where logs end;
//   - the redriver: finds parked commands that an operator let go on;
//   - the reporter: writes published rows of idle partitions, and commits to the group what is
//     applied and published;
//   - the listener: hears from other workers that they wait for a published row, and from operators
//     that they decided;
//   - the watch: finds topics that were made again, claims that were lost without a word, and rows
//     that no member of the group has;
//   - the fetch watch: resumes partitions whose fetch failed, and finds those from which nothing
//     comes;
//   - one for each gap between records that the log has to explain, one for each batch of records
//     that is too large to be unpacked, and whose header is read, and one for each that is read
//     again;
//   - one for each partition whose old rows are being drained, and one for rows that no member has.
//
// franz-go calls assign, revoke and lose from its own goroutine.
//
// What is known of a partition is in partition*.go, apart from I/O: methods that change nothing but
// that state, and are told the time. Who changes it calls Worker.follow, which has the client, the
// relay and the goroutines above follow. So what happens to a partition is tested in milliseconds,
// in any order (see TestPartition_appliesEachRecordOnceWhateverHappens).
//
// A position is used only on the log that it belongs to. A claim compares the topic's id, the log's
// bounds, and by leader epochs whether the log still holds what was applied (see Log); a record of
// a newer leader than the log was compared under is not applied before the next claim has compared
// again. What does not fit is quarantined until an operator's decision fences the claim.
//
// What fetched batches of records unpack to is bounded (see unpacker). One that is too large is not
// unpacked: it is refused as a whole, by what its header says, in a transaction of its partition
// that moves the position behind it (see oversized).
//
// A command that fails is found by trying fewer at once, and tried alone. When it failed alone a
// few times while others did not, it is committed as a dead letter that holds its key; what comes
// for the key later is parked in the database, and applied in order by the partition's owner when
// an operator has decided (see redrive). One that ends the process leaves no error: it is found by
// probes that never ended (see crashProbe).
//
// A transaction has no more commands than take about 100 ms (see pace). Partitions with little
// waiting and those with much are not in one transaction, and take turns (see applier.choose): a
// service that has another's events to catch up with goes on with its own commands.
//
// A transaction that finds that others changed its keys meanwhile is decided again: with fewer
// commands, when that happens again and again. One of few commands has its keys locked before they
// are read, or one that takes long would never be first (see applier.finish and
// Transaction.LockFirst).
//
// There is one lock, Worker.mu, for partitions and what is in them. It is never held across a call
// to the Store or to Kafka, nor while the relay waits for acknowledgements. Opening and closing a
// source of the relay is done under it: closing waits until the source's goroutine has ended, which
// is as long as it takes to cancel what that asks the table. What the applier alone changes of a
// partition while it is busy with it, it may also read without the lock: see partition.
package worker
