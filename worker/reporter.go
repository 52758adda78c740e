package worker

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	reportEvery = time.Second
	eagerEvery  = 5 * time.Millisecond
	eagerFor    = time.Second // after a nudge; who still waits nudges again before
)

// runReporter tells the database and the group how far partitions are published. Partitions that
// move write their published row in their transactions.
func (w *Worker) runReporter(stop context.Context) {
	w.metrics.reporter.Begin()
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		w.reportOnce(stop)
		if !w.saveEagerly(stop, tick.C) {
			return
		}
	}
}

// saveEagerly writes what is published of partitions for which others wait, until it is time for a
// report; false when the context ended.
func (w *Worker) saveEagerly(stop context.Context, tick <-chan time.Time) bool {
	for {
		save, eager := w.eagerProgress(time.Now())
		_ = w.save(stop, save) // the next report tries it again
		var soon <-chan time.Time
		if eager {
			soon = time.After(eagerEvery)
		}
		select {
		case <-stop.Done():
			return false
		case <-tick:
			return true
		case <-w.report:
			return true
		case <-soon:
		}
	}
}

// eagerProgress is what to write at once, and whether there are partitions for which somebody
// waits.
func (w *Worker) eagerProgress(now time.Time) (save []Progress, eager bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		if !p.saysAtOnce(now) {
			continue
		}
		eager = true
		if row, ok := w.relay.Published(p.claim.Source.ID); ok && row > p.published.saved {
			save = append(save, Progress{Source: p.claim.Source.ID, Token: p.claim.Token, Published: row})
		}
	}
	return save, eager
}

func (w *Worker) reportOnce(ctx context.Context) {
	w.refreshNonce(ctx)
	w.mu.Lock()
	partitions := make([]*partition, 0, len(w.partitions))
	for _, p := range w.partitions {
		partitions = append(partitions, p)
	}
	w.mu.Unlock()
	err := w.reportPartitions(ctx, partitions)
	w.saveTroubles(ctx)
	w.metrics.reporter.Ill(err)
}

func (w *Worker) reportPartitions(ctx context.Context, partitions []*partition) error {
	save, commit := w.progress(partitions)
	unsaved := w.save(ctx, save)
	return cmp.Or(w.commit(ctx, commit), unsaved)
}

// progress settles partitions, and says what the database and the group do not know yet.
func (w *Worker) progress(partitions []*partition) (save []Progress, commit map[string]map[int32]kgo.EpochOffset) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	commit = map[string]map[int32]kgo.EpochOffset{}
	for _, p := range partitions {
		row, ok := w.relay.Published(p.claim.Source.ID)
		if !ok || !p.isClaimed() {
			continue
		}
		toSave, toCommit := p.report(row, now)
		w.setLag(p)
		if toSave {
			save = append(save, Progress{Source: p.claim.Source.ID, Token: p.claim.Token, Published: row})
		}
		if toCommit {
			put(commit, p.name, kgo.EpochOffset{Epoch: -1, Offset: p.published.offset})
		}
	}
	return save, commit
}

func (w *Worker) save(ctx context.Context, save []Progress) error {
	if len(save) == 0 {
		return nil
	}
	lost, err := w.store.SavePublished(ctx, save)
	if err != nil {
		w.metrics.Retries.WithLabelValues("postgres", "report").Inc()
	}
	var locked *LockedError
	switch {
	case errors.As(err, &locked):
		save = locked.others(save)
	case err != nil:
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		for _, done := range save {
			if done.Source == p.claim.Source.ID && done.Token == p.claim.Token {
				p.published.saved = max(p.published.saved, done.Published)
				if slices.Contains(lost, done.Source) {
					w.metrics.Fenced.Inc()
					w.requestReclaim(p, time.Now())
				}
			}
		}
	}
	return nil
}

// commit reports to the group. It is only a report: a failure costs nothing but a wrong lag until
// the next.
func (w *Worker) commit(ctx context.Context, offsets map[string]map[int32]kgo.EpochOffset) (failed error) {
	if len(offsets) == 0 {
		return nil
	}
	w.client.CommitOffsetsSync(w.signing(ctx), offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if failed = err; err != nil {
			if !errors.Is(err, context.Canceled) {
				w.metrics.Retries.WithLabelValues("kafka", "commit").Inc()
			}
			return
		}
		failed = w.offsetsCommitted(offsets, resp)
	})
	return failed
}

func (w *Worker) offsetsCommitted(offsets map[string]map[int32]kgo.EpochOffset, resp *kmsg.OffsetCommitResponse) (refused error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range resp.Topics {
		for _, answer := range t.Partitions {
			if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
				refused = err
				w.metrics.Retries.WithLabelValues("kafka", "commit").Inc()
				continue
			}
			if p := w.partitions[TopicPartition{t.Topic, answer.Partition}]; p != nil {
				p.published.committed = offsets[t.Topic][answer.Partition].Offset
			}
		}
	}
	return refused
}

// runListener saves published rows as soon as somebody waits for them. Without it, as behind a
// pooler that cannot listen, they are saved when their partition moves or has rested for a second.
func (w *Worker) runListener(stop context.Context) {
	for attempt := 1; stop.Err() == nil; attempt++ {
		started := time.Now()
		if err := w.store.Listen(stop, w.nudged, w.decided, w.askedForNonce); err != nil && stop.Err() == nil {
			w.metrics.Retries.WithLabelValues("postgres", "listen").Inc()
			w.throttled.warn("nothing is heard from others by way of Postgres: they are looked for now and then", err)
		}
		if time.Since(started) > time.Minute {
			attempt = 1
		}
		pause(stop, backoff(attempt, time.Second, 5*time.Second))
	}
}

func (w *Worker) nudged(sources []int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		if slices.Contains(sources, p.claim.Source.ID) {
			p.published.nudged(time.Now())
			kick(w.report)
		}
	}
}
