package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/outbox"
)

// finding is what is known of a partition that is to be consumed. One that lacks its log or its
// claim goes on when it has both. The others need not wait.
type finding struct {
	name      TopicPartition
	log       Log
	silent    error // why its log is not known; nil: it is
	claim     Claim
	unclaimed error // why it is not claimed; nil: it is
}

var (
	errUnknownTopic = errors.New("the topic is gone, or Kafka does not tell of it")
	errNoPartition  = errors.New("no broker tells of the partition")
	// errUnstarted keeps a new topic from beginning at its start where it should at its end.
	errUnstarted = errors.New("the topic is new and begins at its end (--kafka-auto-offset-reset=latest), which is not known of all of its partitions")
)

// find asks Kafka about partitions, and gives what it answered, too. It has topics that are new
// begin at their end, if so configured: all their partitions at once, not each when it is first
// claimed, for by then the topic is known, and a partition without a position seems to be one that
// was added.
func (w *Worker) find(ctx context.Context, names []TopicPartition) ([]finding, *Answers, error) {
	topics, err := ListTopics(ctx, w.client, w.topics()...)
	if err == nil {
		err = w.recall(ctx, topics)
	}
	if err != nil {
		return nil, nil, err
	}
	answers := Ask(ctx, w.client, topics, func(p TopicPartition) bool {
		return w.cfg.StartLatest || slices.Contains(names, p)
	})
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	unstarted, err := w.ensurePositions(ctx, topics, answers)
	if err != nil {
		return nil, nil, err
	}
	found := make([]finding, len(names))
	for i, name := range names {
		found[i] = findingOf(name, topics[name.Topic], answers)
		if unstarted[name.Topic] {
			found[i].unclaimed = errUnstarted
		}
	}
	return found, answers, nil
}

// recall gives topics that Kafka does not let this worker see the ids that the database knows, so
// that their partitions are claimed like others that nobody answers for: what is left of their
// events is published, and they are named.
func (w *Worker) recall(ctx context.Context, topics kadm.TopicDetails) error {
	hidden := map[string]bool{}
	for _, t := range topics {
		hidden[t.Topic] = denied(t)
	}
	if !slices.Contains(slices.Collect(maps.Values(hidden)), true) {
		return nil
	}
	positions, err := w.store.PositionRecords(ctx)
	if err != nil {
		return err
	}
	for _, at := range positions {
		if t := topics[at.Source.Topic]; hidden[at.Source.Topic] && !at.Retired {
			t.ID = at.Source.TopicID
			topics[at.Source.Topic] = t
		}
	}
	return nil
}

func findingOf(name TopicPartition, topic kadm.TopicDetail, answers *Answers) finding {
	f := finding{name: name}
	f.claim.Source = outbox.Source{Topic: name.Topic, TopicID: topic.ID, Partition: name.Partition}
	switch {
	case topic.Err != nil && (!denied(topic) || topic.ID == kadm.TopicID{}):
		f.unclaimed = topic.Err
	case topic.ID == kadm.TopicID{}:
		f.unclaimed = errUnknownTopic
	default:
		f.look(answers)
	}
	return f
}

// look takes down what is known of the log.
func (f *finding) look(answers *Answers) {
	if log, ok := answers.Logs[f.name]; ok {
		f.log = log
	} else {
		f.silent = cmp.Or(answers.Why(f.name), errNoPartition)
	}
}

// ensurePositions gives a position to each partition of topics that are new. The answer are new
// topics that have to wait, because a partition does not tell where it ends.
func (w *Worker) ensurePositions(ctx context.Context, topics kadm.TopicDetails, answers *Answers) (unstarted map[string]bool, err error) {
	if !w.cfg.StartLatest {
		return nil, nil
	}
	var requests []ClaimRequest
	unstarted = map[string]bool{}
	for _, t := range topics {
		var all []ClaimRequest
		for p := range t.Partitions {
			log, ok := answers.Logs[TopicPartition{t.Topic, p}]
			if !ok {
				unstarted[t.Topic] = true
			}
			all = append(all, ClaimRequest{Topic: t.Topic, TopicID: t.ID, Partition: p, TopicStart: log.Stable})
		}
		if !unstarted[t.Topic] {
			requests = append(requests, all...)
		}
	}
	if err := w.store.EnsurePositions(ctx, requests); err != nil || len(unstarted) == 0 {
		return nil, err
	}
	positions, err := w.store.PositionRecords(ctx)
	for _, at := range positions {
		delete(unstarted, at.Source.Topic)
	}
	return unstarted, err
}

// claimFound claims partitions, also where a leader does not answer, so that what is left of their
// events is published. It compares their logs with what was applied, and returns what the group
// shows.
func (w *Worker) claimFound(ctx context.Context, found []finding, answers *Answers) (*groupSnapshot, error) {
	if err := w.mayClaimNow(ctx); err != nil {
		return nil, err
	}
	if !w.heard() {
		return nil, errSilent
	}
	claimed, err := w.claimKnown(ctx, found)
	if err != nil {
		return nil, err
	}
	w.compare(ctx, claimed, answers)
	claims := make([]Claim, len(claimed))
	for i, f := range claimed {
		claims[i] = f.claim
	}
	return w.confirm(ctx, claims, w.wentBack(claims))
}

// claimKnown claims what may be claimed, and returns what is. A position that somebody outside of
// the service has locked is left out.
func (w *Worker) claimKnown(ctx context.Context, found []finding) (claimed []*finding, err error) {
	var asked []*finding
	var requests []ClaimRequest
	for i := range found {
		if f := &found[i]; f.unclaimed == nil {
			r := ClaimRequest{Topic: f.name.Topic, TopicID: f.claim.Source.TopicID, Partition: f.name.Partition}
			if w.cfg.StartLatest {
				r.TopicStart = f.log.Stable
			}
			asked, requests = append(asked, f), append(requests, r)
		}
	}
	if len(requests) == 0 {
		return nil, nil
	}
	claims, err := w.store.Claim(ctx, requests)
	var locked *LockedError
	if err != nil && !errors.As(err, &locked) {
		return nil, err
	}
	for i, f := range asked {
		if locked != nil {
			if _, left := locked.From[i]; left {
				f.unclaimed = fmt.Errorf("its position cannot be claimed: %w", locked)
				continue
			}
		}
		f.claim = claims[i]
		claimed = append(claimed, f)
		c := &f.claim
		w.logger.Info("claimed", "topic", c.Source.Topic, "partition", c.Source.Partition, "epoch", c.Epoch, "position", c.NextOffset,
			"unpublished", c.NextRow-c.Published, "attempts", c.Attempts)
	}
	return claimed, nil
}

// compare finds out which logs do not hold any more what was applied.
func (w *Worker) compare(ctx context.Context, claimed []*finding, answers *Answers) {
	positions := map[TopicPartition]Position{}
	for _, f := range claimed {
		positions[f.name] = f.claim.Position()
	}
	answers.Compare(ctx, w.client, positions)
	for _, f := range claimed {
		f.look(answers)
	}
}

// wentBack reports whether the database is behind what was committed, as noteLostCommits reports
// it.
func (w *Worker) wentBack(claims []Claim) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(claims, func(c Claim) bool {
		p := w.partitions[TopicPartition{c.Source.Topic, c.Source.Partition}]
		return p != nil && lostCommits(p, c)
	})
}
