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
	// acquaintTime is how long the others may take to tell a new attendance, also where they do not
	// hear that somebody waits for it.
	acquaintTime = attendEvery + 2*time.Second
	acquaintLook = 100 * time.Millisecond

	// summonEvery is short, since a worker that lost its connection hears nothing until it listens
	// again.
	summonEvery = time.Second
)

// acquaint has all workers of this database tell the group that they are, and returns a
// *StrangerError where one tells something that is not in this database. One that tells nothing for
// a while is cut off from its database, or gone: it applies nothing. The claims are those that wait
// for the answer.
func (w *Worker) acquaint(ctx context.Context, claims []Claim) error {
	seen, err := w.look(ctx)
	if err != nil {
		return err
	}
	members := slices.Collect(maps.Keys(seen.told))
	awaited := maps.Clone(seen.told)
	var summoned time.Time
	for deadline := time.Now().Add(acquaintTime); ; {
		if other := w.otherDatabase(seen); other != nil {
			return other
		}
		if other := w.meet(awaited, seen); other != nil {
			return other
		}
		if len(awaited) == 0 || time.Now().After(deadline) {
			break
		}
		if time.Since(summoned) >= summonEvery {
			if err := w.summonAll(ctx); err != nil {
				return err
			}
			summoned = time.Now()
		}
		w.tellAgain(ctx, seen, claims)
		pause(ctx, acquaintLook)
		if seen, err = w.look(ctx); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.company.acquainted = map[string]time.Time{}
	for _, member := range members {
		w.company.acquainted[member] = time.Now()
	}
	return nil
}

// meet strikes off those that told a new attendance, which this database has, and those that are
// gone.
func (w *Worker) meet(awaited map[string][16]byte, seen *sight) *StrangerError {
	for member, told := range awaited {
		again, live := seen.told[member]
		switch {
		case !live:
			delete(awaited, member)
		case bytes.Compare(again[:], told[:]) <= 0: // nothing new yet
		case seen.known[again]:
			delete(awaited, member)
		default:
			w.remember(member, acquaintance{told: again, unknown: strange})
			return w.copied(seen, member)
		}
	}
	return nil
}

// summonAll has all workers of this database attend. This one does so, too: another may wait for
// it.
func (w *Worker) summonAll(ctx context.Context) error {
	if err := w.store.Summon(ctx); err != nil {
		return err
	}
	return w.attend(ctx)
}

// tellAgain has the group told of this worker's attendance while its partitions wait, so that
// workers that wait for each other all go on. It repeats what this worker told last of one of its
// partitions: how far that got is what shows that a database went back.
func (w *Worker) tellAgain(ctx context.Context, seen *sight, claims []Claim) {
	w.mu.Lock()
	attendance := w.attendance
	w.mu.Unlock()
	if seen.own == attendance {
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

func (w *Worker) remember(member string, a acquaintance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.company.workers == nil {
		w.company.workers = map[string]acquaintance{}
	}
	w.company.workers[member] = a
}

// acquaintAgain is acquaint where that is not just over with those who are there: many partitions
// may ask one after the other.
func (w *Worker) acquaintAgain(ctx context.Context, seen *sight, claims []Claim) error {
	w.mu.Lock()
	lately := true
	for member := range seen.told {
		lately = lately && time.Since(w.company.acquainted[member]) < acquaintTime/2
	}
	w.mu.Unlock()
	if lately {
		return nil
	}
	return w.acquaint(ctx, claims)
}
