package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"allocation/deploy/testbed/proxy"
)

func (h *hit) killBroker(ctx context.Context) error { return h.killBrokers(ctx, 1, 12*time.Second) }

// killTwoBrokers leaves one broker, which takes no writes alone.
func (h *hit) killTwoBrokers(ctx context.Context) error { return h.killBrokers(ctx, 2, 6*time.Second) }

// killBrokers kills some, and has them return after a while.
func (h *hit) killBrokers(ctx context.Context, some int, most time.Duration) error {
	return h.withoutBrokers(ctx, some, func() error {
		h.rest(ctx, time.Second, most)
		return nil
	})
}

// claimWithoutLeader kills a worker while a broker is away: the others claim its partitions, of
// which some may have no leader.
func (h *hit) claimWithoutLeader(ctx context.Context) error {
	return h.withoutBrokers(ctx, 1, func() error {
		h.rest(ctx, 0, 2*time.Second)
		if err := h.killWorker(ctx); err != nil && !errors.Is(err, errSkipped) {
			return err
		}
		h.rest(ctx, h.session+time.Second, h.session+10*time.Second)
		return nil
	})
}

// withoutBrokers does something while brokers are away.
func (h *hit) withoutBrokers(ctx context.Context, away int, do func() error) error {
	killed := h.random.Perm(len(h.brokerWays))[:away]
	for _, n := range killed {
		h.cluster.Kill(n)
	}
	err := do()
	var starting errgroup.Group
	for _, n := range killed {
		starting.Go(func() error { return h.cluster.Start(context.WithoutCancel(ctx), n) })
	}
	return errors.Join(err, starting.Wait())
}

// maxPartitions is where a topic stops growing.
const maxPartitions = 16

// addPartitions adds some to the command topic, and has producers use them when they may know them.
func (h *hit) addPartitions(ctx context.Context) error {
	now := h.load.partitions.Load()
	if now >= maxPartitions {
		return errSkipped
	}
	more := 1 + h.random.IntN(2)
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	answers, err := h.admin.CreatePartitions(asking, more, commandTopic)
	if errors.Join(err, answers.Error()) != nil {
		return errSkipped // the brokers are not in order
	}
	rest(ctx, producersLook)
	h.load.partitions.Store(now + int32(more))
	return nil
}

func (h *hit) delayKafka(ctx context.Context) error { return h.delay(ctx, h.someBrokers()) }
func (h *hit) cutKafka(ctx context.Context) error   { return h.cut(ctx, h.someBrokers()) }
func (h *hit) holdKafka(ctx context.Context) error  { return h.hold(ctx, h.someBrokers()) }

// someBrokers are the ways to one broker, or to all.
func (h *hit) someBrokers() []*proxy.Proxy {
	if h.random.IntN(2) == 0 {
		return h.brokerWays
	}
	n := h.random.IntN(len(h.brokerWays))
	return h.brokerWays[n : n+1]
}
