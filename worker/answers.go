package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// askTimeout is how long brokers may take to answer for what they lead.
	askTimeout = 2 * time.Second
	// nextBroker is after how long another broker is asked what any of them knows.
	nextBroker = 500 * time.Millisecond
	// askBrokers is how many are asked before the question fails.
	askBrokers = 4
)

var errNoAnswer = errors.New("no answer")

// Answers are what Kafka says of partitions. A leader that does not answer keeps nothing from the
// others. A partition that is neither in Logs nor in Silent does not exist.
type Answers struct {
	Logs   map[TopicPartition]Log
	Silent map[TopicPartition]error // why nobody answers for it: it has no leader, or that is not reached
	Denied map[string]error         // topics of which nothing is told, by name
}

// Why says why nothing is known of a partition.
func (a *Answers) Why(p TopicPartition) error { return cmp.Or(a.Silent[p], a.Denied[p.Topic]) }

// AnyBroker asks what any broker knows, and another one where it does not answer soon.
func AnyBroker[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		is  T
		err error
	}
	answers := make(chan answer, askBrokers)
	begin := func() {
		is, err := ask(ctx)
		answers <- answer{is, err}
	}
	go begin()
	next := time.NewTicker(nextBroker)
	defer next.Stop()
	for asked, failed := 1, 0; ; {
		select {
		case <-next.C:
			if asked < askBrokers {
				asked++
				go begin()
			}
		case a := <-answers:
			if failed++; a.err == nil || failed == asked {
				return a.is, a.err
			}
		case <-ctx.Done():
			var none T
			return none, context.Cause(ctx)
		}
	}
}

// ListTopics asks any broker about topics. One that this user may not see has an error of its own.
func ListTopics(ctx context.Context, client *kgo.Client, topics ...string) (kadm.TopicDetails, error) {
	found, err := listTopics(ctx, client, topics...)
	if err == nil || !errors.Is(err, kerr.TopicAuthorizationFailed) {
		return found, err
	}
	found = kadm.TopicDetails{}
	for _, topic := range topics { // one by one: a refusal of all does not name the topic
		one, err := listTopics(ctx, client, topic)
		switch {
		case errors.Is(err, kerr.TopicAuthorizationFailed):
			found[topic] = kadm.TopicDetail{Topic: topic, Err: &DeniedError{err}}
		case err != nil:
			return nil, err
		default:
			maps.Copy(found, one)
		}
	}
	return found, nil
}

func listTopics(ctx context.Context, client *kgo.Client, topics ...string) (kadm.TopicDetails, error) {
	found, err := AnyBroker(ctx, func(ctx context.Context) (kadm.TopicDetails, error) {
		return kadm.NewClient(client).ListTopics(ctx, topics...)
	})
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	return found, nil
}

// DeniedError says that Kafka's access rules hide a topic from this user, if there is one.
type DeniedError struct{ err error }

func (e *DeniedError) Error() string {
	return fmt.Sprintf("Kafka's access rules do not let this user see the topic, if there is one: SECURITY.md lists what each role needs (%v)", e.err)
}

// Unwrap is Kafka's own error.
func (e *DeniedError) Unwrap() error { return e.err }

// denied reports whether a topic is hidden.
func denied(topic kadm.TopicDetail) bool { return errors.Is(topic.Err, kerr.TopicAuthorizationFailed) }

// Ask asks for the bounds of the logs of partitions: all their leaders at the same time, each for
// no longer than a while.
func Ask(ctx context.Context, client *kgo.Client, topics kadm.TopicDetails, about func(TopicPartition) bool) *Answers {
	a := &Answers{Logs: map[TopicPartition]Log{}, Silent: map[TopicPartition]error{}, Denied: map[string]error{}}
	led := map[int32][]TopicPartition{}
	for _, t := range topics {
		if denied(t) {
			a.Denied[t.Topic] = t.Err
		}
		for _, p := range t.Partitions {
			name := TopicPartition{p.Topic, p.Partition}
			switch {
			case !about(name):
			case p.Err != nil:
				a.Silent[name] = p.Err
			case p.Leader < 0:
				a.Silent[name] = kerr.LeaderNotAvailable
			default:
				log := Log{TopicID: t.ID, LeaderEpoch: p.LeaderEpoch, Shared: -1, leader: p.Leader}
				if log.LeaderEpoch < 0 {
					log.LeaderEpoch = noEpoch
				}
				a.Logs[name] = log
				led[p.Leader] = append(led[p.Leader], name)
			}
		}
	}
	eachLeader(ctx, client, led, a.askBounds)
	return a
}

// Compare finds out whether logs still hold what was applied under the leader epochs of positions,
// and sets Shared where they do not. Only this shows that a log was cut and grew again: a leader
// that was not in sync began, with an epoch of its own, where its log ended.
func (a *Answers) Compare(ctx context.Context, client *kgo.Client, positions map[TopicPartition]Position) {
	led := map[int32][]TopicPartition{}
	for name, p := range positions {
		log, ok := a.Logs[name]
		if !ok || p.LeaderEpoch < 0 || p.TopicID != log.TopicID || p.Offset < log.Start || log.LeaderEpoch == noEpoch {
			continue
		}
		led[log.leader] = append(led[log.leader], name)
	}
	eachLeader(ctx, client, led, func(ctx context.Context, mu sync.Locker, leader *kgo.Broker, names []TopicPartition) {
		mu.Lock()
		req := a.compareRequest(positions, names)
		mu.Unlock()
		answer, err := leader.RetriableRequest(ctx, req)
		mu.Lock()
		defer mu.Unlock()
		a.learnShared(positions, names, answer, err)
	})
}

// eachLeader has leaders asked about what they lead, and returns when all have answered or had
// their time. mu guards what the questions share.
func eachLeader(ctx context.Context, client *kgo.Client, led map[int32][]TopicPartition, ask func(ctx context.Context, mu sync.Locker, leader *kgo.Broker, names []TopicPartition)) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	for leader, names := range led {
		asking.Go(func() { ask(ctx, &mu, client.Broker(int(leader)), names) })
	}
	asking.Wait()
}

// bounds are the ends of a log. The last stable offset is the last: what comes meanwhile must not
// seem to wait for a transaction.
var bounds = []struct {
	timestamp int64
	isolation int8
	of        func(*Log) *int64
}{
	{timestamp: -2, of: func(l *Log) *int64 { return &l.Start }},
	{timestamp: -1, of: func(l *Log) *int64 { return &l.End }},
	{timestamp: -1, isolation: 1, of: func(l *Log) *int64 { return &l.Stable }},
}

func (a *Answers) askBounds(ctx context.Context, mu sync.Locker, leader *kgo.Broker, names []TopicPartition) {
	for _, bound := range bounds {
		answer, err := leader.RetriableRequest(ctx, boundRequest(bound.timestamp, bound.isolation, names))
		mu.Lock()
		a.learnBound(bound.of, names, answer, err)
		mu.Unlock()
		if err != nil {
			return
		}
	}
}

func boundRequest(timestamp int64, isolation int8, names []TopicPartition) *kmsg.ListOffsetsRequest {
	byTopic := map[string][]kmsg.ListOffsetsRequestTopicPartition{}
	for _, name := range names {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = name.Partition, timestamp
		byTopic[name.Topic] = append(byTopic[name.Topic], p)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.IsolationLevel = -1, isolation
	for topic, partitions := range byTopic {
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic, t.Partitions = topic, partitions
		req.Topics = append(req.Topics, t)
	}
	return req
}

func (a *Answers) learnBound(of func(*Log) *int64, names []TopicPartition, answer kmsg.Response, err error) {
	answered := map[TopicPartition]error{}
	if err == nil {
		for _, t := range answer.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				name := TopicPartition{t.Topic, p.Partition}
				answered[name] = kerr.ErrorForCode(p.ErrorCode)
				if log, ok := a.Logs[name]; ok {
					*of(&log) = p.Offset
					log.End = max(log.End, log.Stable)
					a.Logs[name] = log
				}
			}
		}
	}
	a.silence(names, answered, err)
}

// silence drops the logs of partitions that a leader did not answer for.
func (a *Answers) silence(names []TopicPartition, answered map[TopicPartition]error, err error) {
	if err == nil {
		err = errNoAnswer
	}
	for _, name := range names {
		log, ok := a.Logs[name]
		why, told := answered[name]
		switch {
		case !ok || told && why == nil:
			continue
		case !told:
			why = fmt.Errorf("its leader is broker %d, which was asked: %w", log.leader, err)
		}
		a.Silent[name] = why
		delete(a.Logs, name)
	}
}

func (a *Answers) compareRequest(positions map[TopicPartition]Position, names []TopicPartition) *kmsg.OffsetForLeaderEpochRequest {
	byTopic := map[string][]kmsg.OffsetForLeaderEpochRequestTopicPartition{}
	for _, name := range names {
		rp := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		rp.Partition, rp.LeaderEpoch = name.Partition, positions[name].LeaderEpoch
		rp.CurrentLeaderEpoch = a.Logs[name].LeaderEpoch // a leader that was deposed must not answer
		byTopic[name.Topic] = append(byTopic[name.Topic], rp)
	}
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = -1
	for topic, partitions := range byTopic {
		rt := kmsg.NewOffsetForLeaderEpochRequestTopic()
		rt.Topic, rt.Partitions = topic, partitions
		req.Topics = append(req.Topics, rt)
	}
	return req
}

func (a *Answers) learnShared(positions map[TopicPartition]Position, names []TopicPartition, answer kmsg.Response, err error) {
	answered := map[TopicPartition]error{}
	if err == nil {
		for _, t := range answer.(*kmsg.OffsetForLeaderEpochResponse).Topics {
			for _, p := range t.Partitions {
				name := TopicPartition{t.Topic, p.Partition}
				answered[name] = kerr.ErrorForCode(p.ErrorCode)
				if log, ok := a.Logs[name]; ok {
					log.Shared = shared(positions[name], p.LeaderEpoch, p.EndOffset, log.Start)
					a.Logs[name] = log
				}
			}
		}
	}
	a.silence(names, answered, err)
}
