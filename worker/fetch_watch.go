package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fetchLook is how often partitions are looked at from which nothing may come.
const fetchLook = time.Second

// fetchError has a partition claimed again whose position the log may not have: the claim tells,
// and says why. A batch that is left packed becomes a dead letter. After anything else the client
// would ask again at once, thousands of times a second. The caller holds mu.
func (w *Worker) fetchError(p *partition, err error) {
	if p.quarantineReason != "" || p.silence.why != nil {
		return
	}
	now := time.Now()
	var loss *kgo.ErrDataLoss
	var left *leftPackedError
	switch {
	case p.gap != nil || p.oversized != nil && p.oversized.header != nil: // the client is set to another place before long
	case errors.As(err, &left):
		w.foundOversized(p, left)
	case errors.Is(err, errNoRoom):
		p.fetch.noRoomAt = now
		w.unpacker.idle.Store(w.allApplied())
		w.endRests()
		w.pauseFetch(p, noRoomPause, now)
	case errors.Is(err, kerr.OffsetOutOfRange) || errors.As(err, &loss):
		p.fetch.lost = true
		w.countFetchError()
		w.throttled.warn("fetch", err, "topic", p.name.Topic, "partition", p.name.Partition)
		w.requestReclaim(p, time.Time{})
	case errors.Is(err, kerr.UnknownTopicID): // again and again, if the topic was made again
		w.countFetchError()
		w.watched.unknown[p.name.Topic] = true
		kick(w.watch)
	default:
		w.countFetchError()
		w.fetchFailed(p, err, now)
		w.pauseFetch(p, backoff(p.fetch.failures, failedFirst, failedMost), now)
	}
}

// allApplied reports whether nothing waits in partitions, nor is being applied. The caller holds
// mu.
func (w *Worker) allApplied() bool {
	for _, p := range w.partitions {
		if p.hasRecords() {
			return false
		}
	}
	return true
}

func (w *Worker) countFetchError() { w.metrics.Retries.WithLabelValues("kafka", "fetch").Inc() }

// fetchFailed notes why nothing comes. The caller holds mu.
func (w *Worker) fetchFailed(p *partition, err error, now time.Time) {
	why := err.Error()
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		why = fmt.Sprintf("Kafka's access rules do not let this worker read the topic: SECURITY.md lists what each role needs (%v)", err)
		if w.cfg.Refused != nil {
			w.cfg.Refused()
		}
	}
	p.fetch.failed(why, now)
	kick(w.resume)
}

// pauseFetch pauses a partition for a while. The caller holds mu.
func (w *Worker) pauseFetch(p *partition, wait time.Duration, now time.Time) {
	p.fetch.pause(wait, now)
	w.flow(p)
	kick(w.resume)
}

// runFetchWatch resumes partitions whose fetch failed, and says from which partitions nothing comes
// though records wait.
func (w *Worker) runFetchWatch(stop context.Context) {
	w.metrics.fetchWatch.Begin()
	for wait := fetchLook; sleepUntilKicked(stop, w.resume, wait); {
		wait = w.lookAtFetches(time.Now())
		w.metrics.fetchWatch.Well()
	}
}

// lookAtFetches resumes what is due, and says when to look again.
func (w *Worker) lookAtFetches(now time.Time) (wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait = fetchLook
	troubled := 0
	for _, p := range w.partitions {
		if p.fetch.resume(now) {
			w.flow(p)
		}
		if resumes := p.fetch.resumes(now); resumes > 0 {
			wait = min(wait, resumes)
		}
		w.lookAt(p, now)
		if p.lookForGap(now, w.unpacker.unpacking.Load() > 0) {
			w.explainGap(p)
		}
		if p.isTroubled() {
			troubled++
		}
	}
	w.metrics.NotFetched.Set(float64(troubled + w.unclaimed(now)))
	w.count()
	return wait
}

// lookAt finds out what keeps a partition back. The caller holds mu.
func (w *Worker) lookAt(p *partition, now time.Time) {
	published, ok := w.relay.Published(p.claim.Source.ID)
	if !ok {
		published = p.published.nextRow // nobody publishes it here
	}
	p.look(published, now)
	w.setTrouble(p, p.findTrouble(now, w.cfg.StallTimeout), now)
}
