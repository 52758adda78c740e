package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fetching is about what comes from a lane's partition, and what keeps it from coming.
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

func (l *lane) startFetching(now time.Time) {
	l.fetchFailure, l.failedFetches, l.resumeAt, l.resumedAt, l.noRoom = "", 0, time.Time{}, time.Time{}, false
	l.behindSince, l.measuredAt = time.Time{}, now
	l.savedTrouble = "" // it counts only under the claim that it was saved under
}

// came notes that records came.
func (l *lane) came() {
	l.fetchFailure, l.failedFetches, l.behindSince, l.noRoom = "", 0, time.Time{}, false
}

// fetchError has a lane claimed again whose position the log may not have: the claim tells, and
// says why. A batch that is left packed is passed. After anything else the client would ask again
// at once, thousands of times a second. The caller holds mu.
func (w *Worker) fetchError(l *lane, err error) {
	if l.why != "" || l.silence != nil {
		return
	}
	var loss *kgo.ErrDataLoss
	var left *leftPackedError
	switch {
	case l.gap != nil || l.outsize != nil && l.outsize.header != nil: // the client is set to another place before long
	case errors.As(err, &left):
		w.outsized(l, left)
	case errors.Is(err, errNoRoom):
		l.noRoom = true
		w.unpacker.idle.Store(w.allApplied())
		w.pauseFetch(l, noRoomPause)
	case errors.Is(err, kerr.OffsetOutOfRange) || errors.As(err, &loss):
		l.paused = true
		w.client.PauseFetchPartitions(l.asMap())
		w.countFetchError()
		w.complaints.warn("fetch", err, "topic", l.topic, "partition", l.partition)
		w.doubt(l, time.Time{})
	case errors.Is(err, kerr.UnknownTopicID): // again and again, if the topic was made again
		w.countFetchError()
		w.watched.unknown[l.topic] = true
		kick(w.watch)
	default:
		w.countFetchError()
		w.fetchFailed(l, err)
		w.pauseFetch(l, backoff(l.failedFetches, failedFirst, failedMost))
	}
}

// allApplied reports whether nothing waits in lanes, nor is being applied. The caller holds mu.
func (w *Worker) allApplied() bool {
	for _, l := range w.lanes {
		if l.busy || len(l.queue) > 0 {
			return false
		}
	}
	return true
}

func (w *Worker) countFetchError() { w.metrics.Retries.WithLabelValues("kafka", "fetch").Inc() }

// fetchFailed notes why nothing comes. The caller holds mu.
func (w *Worker) fetchFailed(l *lane, err error) {
	l.failedFetches++
	l.fetchFailure, l.resumedAt = err.Error(), time.Now()
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		l.fetchFailure = fmt.Sprintf("Kafka's access rules do not let this worker read the topic: SECURITY.md lists what each role needs (%v)", err)
		if w.cfg.Refused != nil {
			w.cfg.Refused()
		}
	}
	kick(w.resume)
}

// pauseFetch pauses a lane for a while. The caller holds mu.
func (w *Worker) pauseFetch(l *lane, wait time.Duration) {
	l.paused, l.resumeAt = true, time.Now().Add(wait)
	w.client.PauseFetchPartitions(l.asMap())
	kick(w.resume)
}

// runFetchWatch resumes lanes whose fetch failed, and says from which lanes nothing comes though
// records wait.
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
	lanes := w.measurable()
	answers, err := w.askAbout(ctx, func(p TopicPartition) bool { return lanes[p] != nil })
	w.metrics.measuring.Ill(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for name, log := range answers.Logs {
		l := lanes[name]
		l.see(log.Stable, log.End, now)
		l.measuredAt = now
		w.setLag(l)
	}
}

// measurable are the lanes that are fetched.
func (w *Worker) measurable() map[TopicPartition]*lane {
	w.mu.Lock()
	defer w.mu.Unlock()
	lanes := map[TopicPartition]*lane{}
	for name, l := range w.lanes {
		if l.silence == nil {
			lanes[TopicPartition{name.Topic, name.Partition}] = l
		}
	}
	return lanes
}

// lookAtFetches resumes what is due, and says when to look again.
func (w *Worker) lookAtFetches(now time.Time) (wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait = fetchLook
	troubled := 0
	for _, l := range w.lanes {
		if !l.resumeAt.IsZero() && !now.Before(l.resumeAt) {
			l.resumeAt, l.resumedAt = time.Time{}, now
			w.flow(l)
		}
		if !l.resumeAt.IsZero() {
			wait = min(wait, max(time.Millisecond, l.resumeAt.Sub(now)))
		}
		w.lookAt(l, now)
		w.lookForGap(l, now)
		if l.trouble != "" && l.state != quarantined {
			troubled++
		}
	}
	w.metrics.NotFetched.Set(float64(troubled + w.unclaimed(now)))
	w.count()
	return wait
}

// lookAt finds out what keeps a lane back. The caller holds mu.
func (w *Worker) lookAt(l *lane, now time.Time) {
	published, ok := w.relay.Published(l.claim.Source.ID)
	if !ok {
		published = l.nextRow // nobody publishes it here
	}
	l.look(published, now)
	if why := l.whyNothingComes(now, w.cfg.StallTimeout); why != "" {
		l.unapplied = false
		w.setTrouble(l, why, now)
		return
	}
	why := l.whyNothingIsApplied(now, w.cfg.StallTimeout)
	l.unapplied = why != "" || l.unapplied && l.trouble != ""
	w.setTrouble(l, why, now)
}

// whatStands says for people what a lane's trouble is about.
func (l *lane) whatStands() string {
	if l.unapplied {
		return "nothing is applied"
	}
	return "nothing comes"
}

// whyNothingComes says what keeps records from coming; empty where nothing does, or none wait.
func (l *lane) whyNothingComes(now time.Time, patience time.Duration) string {
	if l.silence != nil {
		return l.silence.Error()
	}
	switch l.state {
	case running, draining:
	case quarantined:
		return l.fetchFailure
	default:
		if l.unapplied {
			return ""
		}
		return l.trouble // claimed again, it is fetched anew
	}
	if l.fetchFailure != "" && l.resumeAt.IsZero() && now.Sub(l.resumedAt) > answeredAfter {
		l.fetchFailure, l.failedFetches = "", 0
	}
	switch {
	case l.fetchFailure != "":
		return l.fetchFailure
	case l.gap != nil: // the log is asked
	case l.stable <= l.fetched || l.paused && l.resumeAt.IsZero() || l.outsize != nil:
		l.behindSince = time.Time{}
	case l.behindSince.IsZero():
		l.behindSince = now
	}
	if l.unmeasured(now, patience) {
		return "its leader does not say where its log ends"
	}
	switch late := !l.behindSince.IsZero() && now.Sub(l.behindSince) > patience; {
	case late && l.noRoom:
		return fmt.Sprintf("records wait from offset %d on, and there is no room for them: %s", l.fetched, errNoRoom)
	case late:
		return fmt.Sprintf("records wait from offset %d on, and none of them comes, with no error", l.fetched)
	}
	return ""
}

// unmeasured reports whether nobody has said for long where the lane's log ends.
func (l *lane) unmeasured(now time.Time, patience time.Duration) bool {
	return now.Sub(l.measuredAt) > patience+measureEvery
}

// setTrouble logs when nothing comes any more, and when that has ended. The caller holds mu.
func (w *Worker) setTrouble(l *lane, why string, now time.Time) {
	switch {
	case why == l.trouble:
		return
	case why == "" && l.unapplied:
		l.unapplied = false
		w.logger.Info("a partition is applied again", "topic", l.topic, "partition", l.partition, "after", now.Sub(l.troubleSince).Truncate(time.Second).String())
	case why == "":
		w.logger.Info("partition is fetched again", "topic", l.topic, "partition", l.partition, "after", now.Sub(l.troubleSince).Truncate(time.Second).String())
	case l.trouble == "" && l.unapplied:
		l.troubleSince = l.progress.since
		w.logger.Error("nothing of a partition is applied; trying on", "topic", l.topic, "partition", l.partition, "position", l.next, "stable", l.stable, "reason", why)
	case l.trouble == "":
		l.troubleSince = now
		w.logger.Error("nothing comes from a partition; trying on", "topic", l.topic, "partition", l.partition, "position", l.next, "stable", l.stable, "reason", why)
	default:
		w.complaints.warn(l.whatStands()+", for another reason", errors.New(why), "topic", l.topic, "partition", l.partition)
	}
	l.trouble = why
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
		for _, l := range w.lanes {
			if l.claim.Source.ID == t.Source && l.claim.Token == t.Token {
				l.savedTrouble = t.Why
			}
		}
	}
}

func (w *Worker) changedTroubles() (changed []Trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lanes {
		if l.trouble != l.savedTrouble {
			changed = append(changed, Trouble{Source: l.claim.Source.ID, Token: l.claim.Token, Since: l.troubleSince, Why: l.trouble})
		}
	}
	return changed
}
