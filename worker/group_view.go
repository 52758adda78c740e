package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Workers of two databases must not share a group: when a partition moves, the other database has
// it applied again, with other results. So a worker tells its database's id when it joins and with
// each offset that it commits; another id is refused. A copy of the database has the same id. So
// each worker also writes a nonce, an id that it makes up, into its database, anew at each claim
// and every now and then, and tells it with its offsets. A live member that tells one after the
// other what this database does not have writes into another: that is refused, too. One that tells
// nothing new may be cut off from its database; it can apply nothing.

const (
	nonceEvery   = 5 * time.Second
	nonceTimeout = 2 * time.Second

	// strange is how many nonces in a row that are not in this database tell that their worker
	// writes into another. One may have been lost, with the last commits before a restore.
	strange = 2
)

// SharedGroupError says that the group is shared by workers of more than one database.
type SharedGroupError struct{ says string }

func (e *SharedGroupError) Error() string { return e.says }

func sharedGroup(format string, args ...any) *SharedGroupError {
	return &SharedGroupError{fmt.Sprintf(format, args...)}
}

// memberNonce is another worker of the group.
type memberNonce struct {
	told    [16]byte // the last nonce that it told
	unknown int      // how many in a row are not in this database
}

// groupView is who else is in the group, as it was last seen. Guarded by Worker.mu.
type groupView struct {
	workers  map[string]memberNonce // by member
	foreign  map[string]string      // members that are no workers, by id, and what to say of them
	left     []string               // topics that nobody reads, and what to say of them
	verified map[string]time.Time   // when verifyMembers ended last, by member
}

// groupSnapshot is what one look at the group shows.
type groupSnapshot struct {
	group   Group
	reports map[TopicPartition]report
	told    map[string][16]byte // by live member other than this worker
	own     [16]byte            // what this worker told last
	known   map[[16]byte]bool   // nonces that are in this database
}

// snapshotGroup asks Kafka who is in the group and what it was told, and then the database what it
// knows of that.
func (w *Worker) snapshotGroup(ctx context.Context) (*groupSnapshot, error) {
	group, err := DescribeGroup(ctx, w.admin, w.cfg.Group)
	if err != nil {
		return nil, err
	}
	reports, err := w.reports(ctx)
	if err != nil {
		return nil, err
	}
	s := &groupSnapshot{group: group, reports: reports, told: map[string][16]byte{}, known: map[[16]byte]bool{}}
	told, own := latest(reports), w.memberID()
	s.own = told[own]
	for _, m := range group.Members {
		if id, ok := told[m.ID]; ok && m.ID != own {
			s.told[m.ID] = id
		}
	}
	if len(s.told) == 0 {
		return s, nil
	}
	known, err := w.store.KnownNonces(ctx, slices.Collect(maps.Values(s.told)))
	if err != nil {
		return nil, err
	}
	for _, id := range known {
		s.known[id] = true
	}
	return s, nil
}

func (w *Worker) memberID() string {
	id, _ := w.client.GroupMetadata()
	return id
}

// otherDatabase finds a worker that tells the id of another database, or was the last to tell one.
func (w *Worker) otherDatabase(s *groupSnapshot) *SharedGroupError {
	own, none := w.databaseID(), [16]byte{}
	for _, m := range s.group.Members {
		if m.Database != none && m.Database != own {
			return sharedGroup("the consumer group %s has a worker of another database: %s works with database %s, this worker with database %s; give one of the two a group (--kafka-group-id) "+
				"and topics of its own", w.cfg.Group, &m, uuid.UUID(m.Database), uuid.UUID(own))
		}
	}
	for p, r := range s.reports {
		if r.worker && r.database != own {
			return sharedGroup("the consumer group %s belongs to another database: what it was told last of topic %s, partition %d, is of database %s, and this worker works with database %s; "+
				"give it a group (--kafka-group-id) and topics of its own, or, if that database is gone for good, stop all workers and delete the group "+
				"(kafka-consumer-groups --delete --group %s)", w.cfg.Group, p.Topic, p.Partition, uuid.UUID(r.database), uuid.UUID(own), w.cfg.Group)
		}
	}
	return nil
}

func (w *Worker) copied(s *groupSnapshot, member string) *SharedGroupError {
	who := member
	for _, m := range s.group.Members {
		if m.ID == member {
			who = m.String()
		}
	}
	id := uuid.UUID(w.databaseID())
	return sharedGroup("the consumer group %s has a worker of a copy of this database: both have the id %s, but what the worker of %s writes into its database (last %s) is not in this one; "+
		"stop the workers of the database that is not to be used, or give them a group (--kafka-group-id) and topics of their own", w.cfg.Group, id, who, uuid.UUID(s.told[member]))
}

// findOtherDatabase finds a worker of another database, from what was seen now and before.
func (w *Worker) findOtherDatabase(s *groupSnapshot) *SharedGroupError {
	w.mu.Lock()
	before, now := w.groupView.workers, map[string]memberNonce{}
	var copied string
	for member, told := range s.told {
		a := before[member]
		switch {
		case s.known[told]:
			a.unknown = 0
		case bytes.Compare(told[:], a.told[:]) > 0:
			a.unknown++
		}
		a.told = told
		if a.unknown >= strange {
			copied = member
		}
		now[member] = a
	}
	w.groupView.workers = now
	replaced := w.replaced
	w.mu.Unlock()
	if replaced != nil {
		return replaced
	}
	if other := w.otherDatabase(s); other != nil {
		return other
	}
	if copied != "" {
		return w.copied(s, copied)
	}
	return nil
}

// admit returns when this worker may join the group, or says why it may not. Servers that are away
// it waits for.
func (w *Worker) admit(ctx context.Context) error {
	for attempt := 1; ctx.Err() == nil; attempt++ {
		err := w.writeNonce(ctx)
		if err == nil {
			err = w.verifyMembers(ctx, nil)
		}
		var other *SharedGroupError
		if errors.As(err, &other) {
			return err
		}
		if err == nil && w.cfg.Admitted != nil {
			err = w.cfg.Admitted(ctx)
			if err != nil && !errors.Is(err, ErrOutage) && ctx.Err() == nil {
				return err
			}
		}
		if err == nil {
			return nil
		}
		w.throttled.warn("waiting to join the group", err)
		pause(ctx, backoff(attempt, 50*time.Millisecond, 2*time.Second))
	}
	return nil
}

// writeNonce writes a new id into the database, for the group to be told.
func (w *Worker) writeNonce(ctx context.Context) error {
	id, err := uuid.NewV7() // they sort by time
	if err != nil {
		return err
	}
	database, err := w.store.WriteNonce(ctx, id)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.database == ([16]byte{}) {
		w.database = database
	}
	w.replaced = nil
	if database != w.database {
		w.replaced = sharedGroup("the database is another one: its id is %s, and it was %s when this worker started; restart the worker if that is meant",
			uuid.UUID(database), uuid.UUID(w.database))
		return w.replaced
	}
	w.nonce, w.nonceAt = id, time.Now()
	return nil
}

// refreshNonce writes one when it is time or somebody waits for it, and has the group told with the
// offset of one partition.
func (w *Worker) refreshNonce(ctx context.Context) {
	if !w.nonceAsked.Swap(false) && time.Since(w.nonceWrittenAt()) < nonceEvery {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, nonceTimeout)
	defer cancel()
	if err := w.writeNonce(ctx); err != nil {
		w.metrics.Retries.WithLabelValues("postgres", "nonce").Inc()
		w.barFor(err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		if p.tellAgain() {
			return
		}
	}
}

func (w *Worker) nonceWrittenAt() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nonceAt
}

func (w *Worker) databaseID() [16]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.database
}

// askedForNonce hears that somebody wants to know which workers are of this database.
func (w *Worker) askedForNonce() {
	w.nonceAsked.Store(true)
	kick(w.report)
}

// bar keeps this worker from applying anything while the group is shared with another database;
// nil: it is not.
func (w *Worker) bar(other *SharedGroupError) {
	before := w.barred.Swap(other)
	switch {
	case other != nil && (before == nil || before.says != other.says):
		w.logger.Error("nothing is applied while the group is shared by workers of two databases", "error", other)
	case other == nil && before != nil:
		w.logger.Info("the group is not shared with another database any more")
		w.kickAppliers()
		kick(w.wakeReclaimer)
	}
	if other == nil {
		w.metrics.Foreign.WithLabelValues("database").Set(0)
		return
	}
	w.metrics.Foreign.WithLabelValues("database").Set(1)
}

func (w *Worker) kickAppliers() {
	for _, a := range w.appliers {
		a.kick()
	}
}

// mayClaimNow reports whether this worker may claim, and writes into the database that it is there.
func (w *Worker) mayClaimNow(ctx context.Context) error {
	if barred := w.barred.Load(); barred != nil {
		return barred
	}
	err := w.writeNonce(ctx)
	w.barFor(err)
	return err
}

// confirm looks at the group after a claim: the partitions may have belonged to a worker of another
// database, or of a copy of this one. The answer is what the group was told of partitions.
func (w *Worker) confirm(ctx context.Context, claims []Claim, wentBack bool) (*groupSnapshot, error) {
	seen, err := w.snapshotGroup(ctx)
	if err != nil {
		return nil, err
	}
	if other := w.otherDatabase(seen); other != nil {
		w.bar(other)
		return nil, other
	}
	for _, c := range claims {
		wentBack = wentBack || seen.ahead(c)
	}
	if wentBack { // was this database restored, or is it a copy, and the original at work?
		err = w.verifyMembersAgain(ctx, seen, claims)
		w.barFor(err)
	}
	return seen, err
}

// ahead reports whether a worker of this database, or of one that it was copied from, told the
// group of commands that the database does not have.
func (s *groupSnapshot) ahead(c Claim) bool {
	told := s.reports[TopicPartition{c.Source.Topic, c.Source.Partition}]
	return told.worker && told.at > c.NextOffset && c.NextOffset >= c.Replay.Below
}

func (w *Worker) barFor(err error) {
	var other *SharedGroupError
	if errors.As(err, &other) {
		w.bar(other)
	}
}
