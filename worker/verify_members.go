package worker

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// verifyTime is how long the others may take to tell a new nonce, also where they do not
	// hear that somebody waits for it.
	verifyTime = nonceEvery + 2*time.Second
	verifyPoll = 100 * time.Millisecond

	// askForNoncesEvery is short, since a worker that lost its connection hears nothing until it
	// listens again.
	askForNoncesEvery = time.Second
)

// verifyMembers has all workers of this database tell the group that they are, and returns a
// *SharedGroupError where one tells something that is not in this database. One that tells nothing
// for a while is cut off from its database, or gone: it applies nothing. The claims are those that
// wait for the answer.
func (w *Worker) verifyMembers(ctx context.Context, claims []Claim) error {
	seen, err := w.snapshotGroup(ctx)
	if err != nil {
		return err
	}
	members := slices.Collect(maps.Keys(seen.told))
	awaited := maps.Clone(seen.told)
	var asked time.Time
	for deadline := time.Now().Add(verifyTime); ; {
		if other := w.otherDatabase(seen); other != nil {
			return other
		}
		if other := w.strikeOff(awaited, seen); other != nil {
			return other
		}
		if len(awaited) == 0 || time.Now().After(deadline) {
			break
		}
		if time.Since(asked) >= askForNoncesEvery {
			if err := w.askForNonces(ctx); err != nil {
				return err
			}
			asked = time.Now()
		}
		w.tellAgain(ctx, seen, claims)
		pause(ctx, verifyPoll)
		if seen, err = w.snapshotGroup(ctx); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groupView.verified = map[string]time.Time{}
	for _, member := range members {
		w.groupView.verified[member] = time.Now()
	}
	return nil
}

// strikeOff strikes off those that told a new nonce, which this database has, and those that are
// gone.
func (w *Worker) strikeOff(awaited map[string][16]byte, seen *groupSnapshot) *SharedGroupError {
	for member, told := range awaited {
		again, live := seen.told[member]
		switch {
		case !live:
			delete(awaited, member)
		case bytes.Compare(again[:], told[:]) <= 0: // nothing new yet
		case seen.known[again]:
			delete(awaited, member)
		default:
			w.remember(member, memberNonce{told: again, unknown: strange})
			return w.copied(seen, member)
		}
	}
	return nil
}

// askForNonces has all workers of this database write a new nonce. This one does so, too: another
// may wait for it.
func (w *Worker) askForNonces(ctx context.Context) error {
	if err := w.store.AskForNonces(ctx); err != nil {
		return err
	}
	return w.writeNonce(ctx)
}

// tellAgain has the group told of this worker's nonce while its partitions wait, so that
// workers that wait for each other all go on. It repeats what this worker told last of one of its
// partitions: how far that got is what shows that a database went back.
func (w *Worker) tellAgain(ctx context.Context, seen *groupSnapshot, claims []Claim) {
	w.mu.Lock()
	nonce := w.nonce
	w.mu.Unlock()
	if seen.own == nonce {
		return
	}
	own := w.memberID()
	for _, c := range claims {
		if r := seen.reports[TopicPartition{c.Source.Topic, c.Source.Partition}]; r.worker && r.member == own {
			_ = w.commit(ctx, map[string]map[int32]kgo.EpochOffset{c.Source.Topic: {c.Source.Partition: {Epoch: -1, Offset: r.at}}})
			return
		}
	}
}

func (w *Worker) remember(member string, a memberNonce) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.groupView.workers == nil {
		w.groupView.workers = map[string]memberNonce{}
	}
	w.groupView.workers[member] = a
}

// verifyMembersAgain is verifyMembers, unless all members were verified lately: many partitions may
// ask one after the other.
func (w *Worker) verifyMembersAgain(ctx context.Context, seen *groupSnapshot, claims []Claim) error {
	w.mu.Lock()
	lately := true
	for member := range seen.told {
		lately = lately && time.Since(w.groupView.verified[member]) < verifyTime/2
	}
	w.mu.Unlock()
	if lately {
		return nil
	}
	return w.verifyMembers(ctx, claims)
}
