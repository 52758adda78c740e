package worker

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// heartbeats are sent in a session timeout. With each a member may learn that partitions are to
// move, and twice does everybody wait for everybody.
const heartbeats = 10

// options are the client rules that this package stands on. They name no topic, or the client would
// join the group at once, and hand out partitions to a worker that is still being made: Run adds
// the topics.
func (w *Worker) options() []kgo.Opt {
	return append(append([]kgo.Opt{}, w.cfg.Kafka...),
		kgo.ConsumerGroup(w.cfg.Group),
		kgo.Balancers(tagged{kgo.CooperativeStickyBalancer(), w.databaseID}),
		kgo.SessionTimeout(w.cfg.SessionTimeout),
		kgo.HeartbeatInterval(w.cfg.SessionTimeout/heartbeats),
		kgo.RebalanceTimeout(rebalanceTime),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.AdjustFetchOffsetsFn(w.assigned),
		kgo.OnPartitionsRevoked(w.revoked),
		kgo.OnPartitionsLost(w.lost),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // or the client skips or rewinds silently
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),          // aborted records are not commands, but their markers move the position
		kgo.MetadataMaxAge(w.every.watch), // how soon partitions that were added are consumed; the client's own 5 minutes are long
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(fetchPartition),
		kgo.FetchMaxWait(fetchWait),
		kgo.WithDecompressor(w.unpacker),
		kgo.WithPools(freshBytes{}),
		kgo.WithHooks(&w.kafka, &w.member),
	)
}

// topics are the names of the command topics.
func (w *Worker) topics() []string {
	names := make([]string, 0, len(w.cfg.Topics))
	for _, t := range w.cfg.Topics {
		names = append(names, t.Name)
	}
	return names
}

// poll routes records to partitions until the context ends. Between a poll and AllowRebalance no
// partition is assigned or revoked, and nothing blocks.
func (w *Worker) poll(ctx context.Context) {
	for ctx.Err() == nil {
		polling, cancel := context.WithCancel(ctx)
		w.interruptible(cancel)
		began := time.Now()
		fetches := w.client.PollFetches(polling)
		w.interruptible(nil)
		cancel()
		w.route(fetches, began)
		w.seek()
		w.client.AllowRebalance()
	}
}

func (w *Worker) interruptible(cancel context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wakePoll = cancel
	if cancel == nil {
		return
	}
	for _, p := range w.partitions {
		if p.toSeek() {
			cancel()
		}
	}
}

// interruptPoll has the poll loop look at the partitions. The caller holds mu.
func (w *Worker) interruptPoll() {
	if w.wakePoll != nil {
		w.wakePoll()
	}
}

func (w *Worker) route(fetches kgo.Fetches, began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fetches.EachPartition(func(f kgo.FetchTopicPartition) { // errors that the client makes up come before records
		p := w.partitions[TopicPartition{f.Topic, f.Partition}]
		if p == nil {
			w.unassigned(f)
			return
		}
		if f.Err != nil {
			w.fetchError(p, f.Err)
		} else if f.LastStableOffset >= p.log.stable { // a fetch may have been on its way for longer than a later answer
			p.log.see(f.LastStableOffset, f.HighWatermark, time.Now())
		}
		if p.takesRecords() {
			w.spans.polled(f.Records, began)
			w.push(p, f.Records)
		}
	})
	for _, a := range w.appliers {
		a.kick()
	}
}

// unassigned logs errors that belong to no partition. Those of the group membership tells of.
func (w *Worker) unassigned(f kgo.FetchTopicPartition) {
	var session *kgo.ErrGroupSession
	if f.Err != nil && !errors.As(f.Err, &session) && !errors.Is(f.Err, context.Canceled) && !errors.Is(f.Err, kgo.ErrClientClosed) {
		w.metrics.Retries.WithLabelValues("kafka", "fetch").Inc()
		w.throttled.warn("fetch", f.Err, "topic", f.Topic, "partition", f.Partition)
	}
	if errors.Is(f.Err, kerr.TopicAuthorizationFailed) && f.Partition >= 0 {
		w.hide(f.Topic, true)
		kick(w.watch)
	}
}

// seek sets the fetch positions of partitions that were claimed again. Only the poll loop does it,
// so that no record of before can follow.
func (w *Worker) seek() {
	w.mu.Lock()
	var partitions []*partition
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for _, p := range w.partitions {
		if p.toSeek() {
			partitions = append(partitions, p)
			put(offsets, p.name, kgo.EpochOffset{Epoch: p.seekEpoch(), Offset: p.next})
		}
	}
	w.mu.Unlock()
	if len(partitions) == 0 {
		return
	}
	w.client.SetOffsets(offsets)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range partitions {
		switch {
		case p.state == seeking:
			w.open(p)
		case p.oversized != nil && p.oversized.skipped:
			p.oversized = nil
			w.flow(p)
		}
	}
}

// heartbeat notes when Kafka last answered.
type heartbeat struct {
	answered lastTime // anything
	group    lastTime // as a member: a sync or a heartbeat. A join may be answered by a refusal
	beat     lastTime // a heartbeat
	onBeat   func()
}

var _ kgo.HookBrokerE2E = (*heartbeat)(nil) // the client takes a hook of any type, and calls what it has

// OnBrokerE2E is kgo's hook for an answer to a request, or its failure.
func (h *heartbeat) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	const heartbeatKey, syncKey = 12, 14
	if e2e.Err() != nil {
		return
	}
	now := time.Now()
	h.answered.set(now)
	if key == heartbeatKey {
		h.beat.set(now)
		h.onBeat()
	}
	if key == heartbeatKey || key == syncKey {
		h.group.set(now)
	}
}
