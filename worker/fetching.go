package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fetching is about what comes from a partition's log, and what keeps it from coming.
type fetching struct {
	fetchFailure  string    // of the last fetch; empty: it did not fail
	failedFetches int       // in a row
	resumeAt      time.Time // it is paused until then because a fetch failed; zero: it is not
	resumedAt     time.Time // after a failure
	noRoom        bool      // what is in memory keeps more from being unpacked

	behindSince time.Time // records wait in Kafka, and none has come since; zero: none wait
	lookedAt    time.Time // when the log was asked what they are
	measuredAt  time.Time // when Kafka last said where the log ends

	trouble      string    // as it is in the log; empty: there is none
	unapplied    bool      // records may come, and are not applied
	troubleSince time.Time // in the database, too
	savedTrouble string    // as the database has it
}

const (
	failedFirst = time.Second     // after which a fetch that failed is tried again
	failedMost  = 5 * time.Second // after many failures: how soon it is noticed that the cause is gone
	noRoomPause = 50 * time.Millisecond

	// A fetch that is answered without records is not heard of. After so long without another error
	// it was.
	answeredAfter = watchEvery + 5*time.Second

	measureEvery = 10 * time.Second // how old a stable offset may be
	fetchLook    = time.Second
)

func (p *partition) startFetching(now time.Time) {
	p.fetchFailure, p.failedFetches, p.resumeAt, p.resumedAt, p.noRoom = "", 0, time.Time{}, time.Time{}, false
	p.behindSince, p.measuredAt = time.Time{}, now
	p.savedTrouble = "" // it counts only under the claim that it was saved under
}

// came notes that records came.
func (p *partition) came() {
	p.fetchFailure, p.failedFetches, p.behindSince, p.noRoom = "", 0, time.Time{}, false
}

// fetchError has a partition claimed again whose position the log may not have: the claim tells,
// and says why. A batch that is left packed is passed. After anything else the client would ask
// again at once, thousands of times a second. The caller holds mu.
func (w *Worker) fetchError(p *partition, err error) {
	if p.quarantineReason != "" || p.silence != nil {
		return
	}
	var loss *kgo.ErrDataLoss
	var left *leftPackedError
	switch {
	case p.gap != nil || p.oversized != nil && p.oversized.header != nil: // the client is set to another place before long
	case errors.As(err, &left):
		w.foundOversized(p, left)
	case errors.Is(err, errNoRoom):
		p.noRoom = true
		w.unpacker.idle.Store(w.allApplied())
		w.pauseFetch(p, noRoomPause)
	case errors.Is(err, kerr.OffsetOutOfRange) || errors.As(err, &loss):
		p.paused = true
		w.client.PauseFetchPartitions(p.asMap())
		w.countFetchError()
		w.throttled.warn("fetch", err, "topic", p.topic, "partition", p.number)
		w.requestReclaim(p, time.Time{})
	case errors.Is(err, kerr.UnknownTopicID): // again and again, if the topic was made again
		w.countFetchError()
		w.watched.unknown[p.topic] = true
		kick(w.watch)
	default:
		w.countFetchError()
		w.fetchFailed(p, err)
		w.pauseFetch(p, backoff(p.failedFetches, failedFirst, failedMost))
	}
}

// allApplied reports whether nothing waits in partitions, nor is being applied. The caller holds
// mu.
func (w *Worker) allApplied() bool {
	for _, p := range w.partitions {
		if p.busy || len(p.queue) > 0 {
			return false
		}
	}
	return true
}

func (w *Worker) countFetchError() { w.metrics.Retries.WithLabelValues("kafka", "fetch").Inc() }

// fetchFailed notes why nothing comes. The caller holds mu.
func (w *Worker) fetchFailed(p *partition, err error) {
	p.failedFetches++
	p.fetchFailure, p.resumedAt = err.Error(), time.Now()
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		p.fetchFailure = fmt.Sprintf("Kafka's access rules do not let this worker read the topic: SECURITY.md lists what each role needs (%v)", err)
		if w.cfg.Refused != nil {
			w.cfg.Refused()
		}
	}
	kick(w.resume)
}

// pauseFetch pauses a partition for a while. The caller holds mu.
func (w *Worker) pauseFetch(p *partition, wait time.Duration) {
	p.paused, p.resumeAt = true, time.Now().Add(wait)
	w.client.PauseFetchPartitions(p.asMap())
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

// runMeasure asks where logs end.
func (w *Worker) runMeasure(stop context.Context) {
	for sleepUntilKicked(stop, nil, measureEvery) {
		w.measure(stop)
	}
}

// measure asks for the ends of the logs. A leader that does not answer keeps nothing from the
// others.
func (w *Worker) measure(ctx context.Context) {
	partitions := w.measurable()
	answers, err := w.askAbout(ctx, func(p TopicPartition) bool { return partitions[p] != nil })
	w.metrics.measuring.Ill(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for name, log := range answers.Logs {
		p := partitions[name]
		p.see(log.Stable, log.End, now)
		p.measuredAt = now
		w.setLag(p)
	}
}

// measurable are the partitions that are fetched.
func (w *Worker) measurable() map[TopicPartition]*partition {
	w.mu.Lock()
	defer w.mu.Unlock()
	partitions := map[TopicPartition]*partition{}
	for name, p := range w.partitions {
		if p.silence == nil {
			partitions[TopicPartition{name.Topic, name.Partition}] = p
		}
	}
	return partitions
}

// lookAtFetches resumes what is due, and says when to look again.
func (w *Worker) lookAtFetches(now time.Time) (wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait = fetchLook
	troubled := 0
	for _, p := range w.partitions {
		if !p.resumeAt.IsZero() && !now.Before(p.resumeAt) {
			p.resumeAt, p.resumedAt = time.Time{}, now
			w.flow(p)
		}
		if !p.resumeAt.IsZero() {
			wait = min(wait, max(time.Millisecond, p.resumeAt.Sub(now)))
		}
		w.lookAt(p, now)
		w.lookForGap(p, now)
		if p.trouble != "" && p.state != quarantined {
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
		published = p.nextRow // nobody publishes it here
	}
	p.look(published, now)
	if why := p.whyNothingComes(now, w.cfg.StallTimeout); why != "" {
		p.unapplied = false
		w.setTrouble(p, why, now)
		return
	}
	why := p.whyNothingIsApplied(now, w.cfg.StallTimeout)
	p.unapplied = why != "" || p.unapplied && p.trouble != ""
	w.setTrouble(p, why, now)
}

// whatStands says for people what a partition's trouble is about.
func (p *partition) whatStands() string {
	if p.unapplied {
		return "nothing is applied"
	}
	return "nothing comes"
}

// whyNothingComes says what keeps records from coming; empty where nothing does, or none wait.
func (p *partition) whyNothingComes(now time.Time, patience time.Duration) string {
	if p.silence != nil {
		return p.silence.Error()
	}
	switch p.state {
	case running, draining:
	case quarantined:
		return p.fetchFailure
	default:
		if p.unapplied {
			return ""
		}
		return p.trouble // claimed again, it is fetched anew
	}
	if p.fetchFailure != "" && p.resumeAt.IsZero() && now.Sub(p.resumedAt) > answeredAfter {
		p.fetchFailure, p.failedFetches = "", 0
	}
	switch {
	case p.fetchFailure != "":
		return p.fetchFailure
	case p.gap != nil: // the log is asked
	case p.stable <= p.fetched || p.paused && p.resumeAt.IsZero() || p.oversized != nil:
		p.behindSince = time.Time{}
	case p.behindSince.IsZero():
		p.behindSince = now
	}
	if p.unmeasured(now, patience) {
		return "its leader does not say where its log ends"
	}
	switch late := !p.behindSince.IsZero() && now.Sub(p.behindSince) > patience; {
	case late && p.noRoom:
		return fmt.Sprintf("records wait from offset %d on, and there is no room for them: %s", p.fetched, errNoRoom)
	case late:
		return fmt.Sprintf("records wait from offset %d on, and none of them comes, with no error", p.fetched)
	}
	return ""
}

// unmeasured reports whether nobody has said for long where the partition's log ends.
func (p *partition) unmeasured(now time.Time, patience time.Duration) bool {
	return now.Sub(p.measuredAt) > patience+measureEvery
}

// setTrouble logs when nothing comes any more, and when that has ended. The caller holds mu.
func (w *Worker) setTrouble(p *partition, why string, now time.Time) {
	switch {
	case why == p.trouble:
		return
	case why == "" && p.unapplied:
		p.unapplied = false
		w.logger.Info("a partition is applied again", "topic", p.topic, "partition", p.number, "after", now.Sub(p.troubleSince).Truncate(time.Second).String())
	case why == "":
		w.logger.Info("partition is fetched again", "topic", p.topic, "partition", p.number, "after", now.Sub(p.troubleSince).Truncate(time.Second).String())
	case p.trouble == "" && p.unapplied:
		p.troubleSince = p.progress.since
		w.logger.Error("nothing of a partition is applied, retrying", "topic", p.topic, "partition", p.number, "position", p.next, "stable", p.stable, "reason", why)
	case p.trouble == "":
		p.troubleSince = now
		w.logger.Error("nothing comes from a partition, retrying", "topic", p.topic, "partition", p.number, "position", p.next, "stable", p.stable, "reason", why)
	default:
		w.throttled.warn(p.whatStands()+", for another reason", errors.New(why), "topic", p.topic, "partition", p.number)
	}
	p.trouble = why
}

// saveTroubles writes down what has changed, for people who look from elsewhere.
func (w *Worker) saveTroubles(ctx context.Context) {
	changed := w.changedTroubles()
	if len(changed) == 0 {
		return
	}
	if err := w.store.SaveTroubles(ctx, changed); err != nil {
		w.metrics.Retries.WithLabelValues("postgres", "report").Inc()
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range changed {
		for _, p := range w.partitions {
			if p.claim.Source.ID == t.Source && p.claim.Token == t.Token {
				p.savedTrouble = t.Why
			}
		}
	}
}

func (w *Worker) changedTroubles() (changed []Trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		if p.trouble != p.savedTrouble {
			changed = append(changed, Trouble{Source: p.claim.Source.ID, Token: p.claim.Token, Since: p.troubleSince, Why: p.trouble})
		}
	}
	return changed
}
