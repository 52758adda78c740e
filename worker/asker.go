package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// take takes down what was found of a partition. The caller holds mu.
func (w *Worker) take(p *partition, f *finding, seen *groupSnapshot) {
	switch first := p.silence.uncompared; {
	case f.unclaimed != nil:
		w.silence(p, f.unclaimed)
	case f.silent != nil:
		w.silence(p, noAnswerFor(f.silent))
	default:
		p.knowLog(f.log, time.Now())
		w.watched.learn(p.name.Topic, f.log.TopicID)
		if first {
			w.noteRollback(p, seen, f.log)
		}
	}
}

// silence notes that a partition cannot go on. The caller holds mu.
func (w *Worker) silence(p *partition, why error) {
	p.silenced(why, time.Now())
	if errors.Is(why, kerr.TopicAuthorizationFailed) && w.cfg.Refused != nil {
		w.cfg.Refused()
	}
	w.hideLag(p)
	kick(w.resume) // it is named now
	w.follow(p)
}

// noAnswerFor says that nobody answers for a log.
func noAnswerFor(why error) error { return fmt.Errorf("nobody answers for its log: %w", why) }

// postpone gives a partition without a claim to the reclaimer. The caller holds mu.
func (w *Worker) postpone(p *partition) {
	p.postpone()
	w.follow(p)
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
		switch left := p.silence.askAt.Sub(now); {
		case !p.awaits():
		case left <= 0:
			due[p.name] = p
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
