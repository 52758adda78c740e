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
		kgo.KeepControlRecords(),       // aborted records are not commands, but their markers move the position
		kgo.MetadataMaxAge(watchEvery), // how soon partitions that were added are consumed; the client's own 5 minutes are long
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

// poll routes records to lanes until the context ends. Between a poll and AllowRebalance no lane is
// assigned or revoked, and nothing blocks.
func (w *Worker) poll(ctx context.Context) {
	for ctx.Err() == nil {
		polling, cancel := context.WithCancel(ctx)
		w.interruptible(cancel)
		fetches := w.client.PollFetches(polling)
		w.interruptible(nil)
		cancel()
		w.route(fetches)
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
	for _, l := range w.lanes {
		if l.toSeek() {
			cancel()
		}
	}
}

func (w *Worker) route(fetches kgo.Fetches) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fetches.EachPartition(func(p kgo.FetchTopicPartition) { // errors that the client makes up come before records
		l := w.lanes[TopicPartition{p.Topic, p.Partition}]
		if l == nil {
			w.unassigned(p)
			return
		}
		if p.Err != nil {
			w.fetchError(l, p.Err)
		} else if p.LastStableOffset >= l.stable { // a fetch may have been on its way for longer than a later answer
			l.see(p.LastStableOffset, p.HighWatermark, time.Now())
		}
		if l.silence == nil && l.outsize == nil && (l.state == running || l.state == draining) {
			w.pushOn(l, p.Records)
		}
	})
	for _, a := range w.appliers {
		a.kick()
	}
}

// unassigned logs errors that belong to no lane. Those of the group membership tells of.
func (w *Worker) unassigned(p kgo.FetchTopicPartition) {
	var session *kgo.ErrGroupSession
	if p.Err != nil && !errors.As(p.Err, &session) && !errors.Is(p.Err, context.Canceled) && !errors.Is(p.Err, kgo.ErrClientClosed) {
		w.metrics.Retries.WithLabelValues("kafka", "fetch").Inc()
		w.complaints.warn("fetch", p.Err, "topic", p.Topic, "partition", p.Partition)
	}
	if errors.Is(p.Err, kerr.TopicAuthorizationFailed) && p.Partition >= 0 {
		w.hide(p.Topic, true)
		kick(w.watch)
	}
}

// flow pauses a lane that has more than its share of records waiting while all lanes together have
// what they may, and resumes it when half of that is applied. A lane that has all the work may have
// all the room: a resumed one waits out the fetch in flight, of lanes without any, and should have
// enough to do meanwhile. The caller holds mu.
func (w *Worker) flow(l *lane) {
	if l.why != "" || l.silence != nil || l.outsize != nil || l.gap != nil || !l.resumeAt.IsZero() {
		return // it stays paused
	}
	queued, share := w.queuedBytes(), max(laneQueueMin, queueBytes/max(1, len(w.lanes)))
	switch {
	case !l.paused && queued > queueBytes && l.bytes > share:
		l.paused = true
		w.client.PauseFetchPartitions(l.asMap())
	case l.paused && (queued < queueBytes/2 || l.bytes < share/2):
		l.paused = false
		w.client.ResumeFetchPartitions(l.asMap())
	}
}

func (w *Worker) queuedBytes() (n int) {
	for _, l := range w.lanes {
		n += l.bytes
	}
	return n
}

// seek sets the fetch positions of lanes that were claimed again. Only the poll loop does it, so
// that no record of before can follow.
func (w *Worker) seek() {
	w.mu.Lock()
	var lanes []*lane
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for _, l := range w.lanes {
		if l.toSeek() {
			lanes = append(lanes, l)
			if offsets[l.topic] == nil {
				offsets[l.topic] = map[int32]kgo.EpochOffset{}
			}
			offsets[l.topic][l.partition] = kgo.EpochOffset{Epoch: l.seekEpoch(), Offset: l.next}
		}
	}
	w.mu.Unlock()
	if len(lanes) == 0 {
		return
	}
	w.client.SetOffsets(offsets)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range lanes {
		switch {
		case l.state == seeking:
			w.flow(l)
			w.open(l)
		case l.outsize != nil && l.outsize.skipped:
			l.outsize = nil
			w.flow(l)
		}
	}
}

// toSeek reports whether the client is to fetch from another place: where the lane was claimed
// again, or passed a batch that is too large.
func (l *lane) toSeek() bool {
	return l.state == seeking || l.outsize != nil && l.outsize.skipped
}

func (l *lane) seekEpoch() int32 {
	if l.state != seeking {
		return l.outsize.header.epoch
	}
	return l.fetchEpoch()
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
