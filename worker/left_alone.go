package worker

import (
	"context"
	"fmt"
	"slices"
)

// leftAlone measures the lag of partitions that no worker of the group has, which nobody else does:
// because the group gave them to a consumer that is no worker, does not have this one, or because
// their topic left everybody's configuration. So are those that this worker has yet to claim.
type leftAlone struct {
	w        *Worker
	measured map[TopicPartition]bool
	said     map[string]bool // topics that nobody reads
}

func newLeftAlone(w *Worker) *leftAlone {
	return &leftAlone{w: w, measured: map[TopicPartition]bool{}, said: map[string]bool{}}
}

// look sets the lag of partitions that no worker has. seen is nil where the group cannot be asked.
func (a *leftAlone) look(ctx context.Context, seen *groupSnapshot, positions []PositionRecord) {
	if seen == nil && a.w.member.trouble() == "" || seen != nil && !seen.group.Settled {
		return // nobody can tell
	}
	alone := a.alone(seen, positions)
	lags := a.lags(ctx, alone)
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	for name := range a.measured {
		if _, ok := lags[name]; !ok {
			delete(a.measured, name)
			if a.w.partitions[name] == nil {
				a.w.metrics.Lag.DeleteLabelValues(name.labels()...)
			}
		}
	}
	waiting := map[string]int64{}
	for name, lag := range lags {
		if a.w.partitions[name] == nil {
			a.measured[name] = true
			a.w.metrics.Lag.WithLabelValues(name.labels()...).Set(float64(lag))
		}
		if !a.read(seen, name.Topic) {
			waiting[name.Topic] += lag
		}
	}
	a.note(waiting)
}

// alone are the positions whose partitions no worker has, or this one has yet to claim.
func (a *leftAlone) alone(seen *groupSnapshot, positions []PositionRecord) map[TopicPartition]PositionRecord {
	var owners map[TopicPartition]Member
	if seen != nil {
		owners = seen.group.Owners()
	}
	own := a.w.memberID()
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	alone := map[TopicPartition]PositionRecord{}
	for _, at := range positions {
		name := TopicPartition{at.Source.Topic, at.Source.Partition}
		owner, owned := owners[name]
		unclaimed := owned && owner.ID == own
		if !at.Retired && a.w.partitions[name] == nil && (!owned || !owner.Worker || unclaimed) {
			alone[name] = at
		}
	}
	return alone
}

// lags are how many records wait in partitions. One that does not answer is left out.
func (a *leftAlone) lags(ctx context.Context, alone map[TopicPartition]PositionRecord) map[TopicPartition]int64 {
	lags := map[TopicPartition]int64{}
	topics := map[string]bool{}
	for name := range alone {
		topics[name.Topic] = true
	}
	ctx, cancel := context.WithTimeout(ctx, nonceTimeout)
	defer cancel()
	for topic := range topics { // one by one: this worker may not be allowed to ask about all
		listed, _ := a.w.admin.ListCommittedOffsets(ctx, topic) // an error is of some partitions
		for name, at := range alone {
			if o, ok := listed.Lookup(name.Topic, name.Partition); ok && o.Err == nil {
				lags[name] = max(0, o.Offset-at.NextOffset)
			}
		}
	}
	return lags
}

// read reports whether this worker or another member of the group consumes a topic.
func (a *leftAlone) read(seen *groupSnapshot, topic string) bool {
	if slices.Contains(a.w.topics(), topic) || seen == nil {
		return true
	}
	return slices.ContainsFunc(seen.group.Members, func(m Member) bool { return slices.Contains(m.Topics, topic) })
}

// note notes the topics that nobody reads and in which commands wait. The caller holds mu.
func (a *leftAlone) note(waiting map[string]int64) {
	notes := a.w.watched.notes()
	for topic, n := range waiting {
		if n == 0 {
			continue
		}
		notes = append(notes, fmt.Sprintf("%s: no worker reads this topic any more, and %d records wait in it: is it missing in --command-topics?", topic, n))
		if !a.said[topic] {
			a.said[topic] = true
			a.w.logger.Warn("no worker reads this topic any more, and records wait in it: is it missing in --command-topics?", "topic", topic, "records", n)
		}
	}
	a.w.groupView.left = notes
}

// watchGroup looks who is in the group.
func (w *Worker) watchGroup(ctx context.Context) (*groupSnapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	seen, err := w.snapshotGroup(ctx)
	if err != nil {
		w.metrics.Retries.WithLabelValues("kafka", "describe_group").Inc()
		return nil, err
	}
	w.bar(w.findOtherDatabase(seen))
	if seen.group.Settled {
		w.noteForeign(seen.group.Foreign())
	}
	return seen, nil
}

// noteForeign says which members of the group are no workers: nothing of the partitions that they
// have is applied.
func (w *Worker) noteForeign(foreign []Member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, now := w.groupView.foreign, map[string]string{}
	for _, m := range foreign {
		now[m.ID] = fmt.Sprintf("group: %s is no worker of this version and has %d partitions, of which nothing is applied", &m, len(m.Partitions))
		if _, known := before[m.ID]; !known {
			w.logger.Error("a consumer that is no worker of this version is in the group: nothing of the partitions that it gets is applied; end it, or give it a group of its own",
				"client", m.Client, "host", m.Host, "member", m.ID, "partitions", fmt.Sprint(m.Partitions))
		}
	}
	for id := range before {
		if _, stays := now[id]; !stays {
			w.logger.Info("a consumer that is no worker left the group", "member", id)
		}
	}
	w.groupView.foreign = now
	w.metrics.Foreign.WithLabelValues("consumer").Set(float64(len(now)))
}
