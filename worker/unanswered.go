package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// unanswered is about a partition that cannot go on though others do: nobody answers for its log,
// or somebody else has its position locked. Its fetches are paused. What is left of its events is
// published.
type unanswered struct {
	silence error // why it cannot go on; nil: it can
	asks    int   // in vain, in a row
	askAt   time.Time

	// uncompared says that the first claim found no log to compare with what the group was told.
	uncompared bool
}

// How soon Kafka is asked again about a partition that nobody answers for.
const (
	askSoon = 100 * time.Millisecond
	askSlow = 3 * time.Second
)

// take takes down what was found of a partition. The caller holds mu.
func (w *Worker) take(p *partition, f *finding, seen *groupSnapshot) {
	if f.unclaimed != nil || f.silent != nil {
		why := f.unclaimed
		if why == nil {
			why = noAnswerFor(f.silent)
		}
		w.silence(p, why)
		return
	}
	p.checkLog(f.log)
	w.watched.learn(p.topic, f.log.TopicID)
	if p.uncompared {
		w.noteRollback(p, seen, f.log)
	}
	p.unanswered = unanswered{}
}

// silence notes that a partition cannot go on. The caller holds mu.
func (w *Worker) silence(p *partition, why error) {
	p.silence, p.quarantineReason = why, ""
	if errors.Is(why, kerr.TopicAuthorizationFailed) && w.cfg.Refused != nil {
		w.cfg.Refused()
	}
	p.asks++
	p.askAt = time.Now().Add(backoff(p.asks, askSoon, askSlow))
	p.paused = true
	w.client.PauseFetchPartitions(p.asMap())
	w.hideLag(p)
	kick(w.resume) // it is named now
	kick(w.ask)
}

// noAnswerFor says that nobody answers for a log.
func noAnswerFor(why error) error { return fmt.Errorf("nobody answers for its log: %w", why) }

// postpone gives a partition without a claim to the reclaimer. The caller holds mu.
func (w *Worker) postpone(p *partition) {
	p.state, p.retryAt = reclaiming, p.askAt
	w.kickReclaimer()
}

// awaits reports whether the partition is claimed, and waits for Kafka alone.
func (p *partition) awaits() bool {
	return p.silence != nil && (p.state == waiting || p.state == draining)
}

// runAsker asks again about partitions that nobody answers for. The reclaimer claims those that are
// answered for.
func (w *Worker) runAsker(stop context.Context) {
	for {
		due, wait := w.awaiting(time.Now())
		if len(due) > 0 {
			w.askAgain(stop, due)
		} else if !sleepUntilKicked(stop, w.ask, wait) {
			return
		}
		if stop.Err() != nil {
			return
		}
	}
}

// awaiting are the partitions to ask about now, and when to look again if others must wait.
func (w *Worker) awaiting(now time.Time) (due map[TopicPartition]*partition, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	due = map[TopicPartition]*partition{}
	for _, p := range w.partitions {
		switch left := p.askAt.Sub(now); {
		case !p.awaits():
		case left <= 0:
			due[TopicPartition{p.topic, p.number}] = p
		case wait == 0 || left < wait:
			wait = left
		}
	}
	return due, wait
}

func (w *Worker) askAgain(ctx context.Context, due map[TopicPartition]*partition) {
	answers, err := w.askAbout(ctx, func(p TopicPartition) bool { return due[p] != nil })
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, p := range due {
		if !p.awaits() {
			continue
		}
		if _, ok := answers.Logs[name]; ok {
			w.requestReclaim(p, time.Time{})
			continue
		}
		why := cmp.Or(answers.Why(name), err, errNoPartition)
		w.silence(p, noAnswerFor(why))
	}
}

// askAbout asks Kafka about partitions of the command topics.
func (w *Worker) askAbout(ctx context.Context, about func(TopicPartition) bool) (*Answers, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel()
	topics, err := ListTopics(ctx, w.client, w.topics()...)
	if err != nil {
		return &Answers{}, err
	}
	return Ask(ctx, w.client, topics, about), nil
}
