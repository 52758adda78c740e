package main

import (
	"context"
	"time"

	"allocation/deploy/testbed/proxy"
)

// delay makes ways slow.
func (h *hit) delay(ctx context.Context, ways []*proxy.Proxy) error {
	latency := h.between(5*time.Millisecond, 200*time.Millisecond)
	for _, way := range ways {
		way.Delay(latency, latency/2)
		defer way.Delay(0, 0)
	}
	h.rest(ctx, 3*time.Second, 10*time.Second)
	return nil
}

// cut resets all connections, some times, and refuses new ones now and then.
func (h *hit) cut(ctx context.Context, ways []*proxy.Proxy) error {
	for range 1 + h.random.IntN(5) {
		refuses := h.random.IntN(3) == 0
		for _, way := range ways {
			way.Refuse(refuses)
			way.Cut()
		}
		h.rest(ctx, 50*time.Millisecond, 2*time.Second)
	}
	for _, way := range ways {
		way.Refuse(false)
	}
	return nil
}

// hold lets nothing through, one way or both, and afterwards everything, or nothing of it.
func (h *hit) hold(ctx context.Context, ways []*proxy.Proxy) error {
	lost := h.random.IntN(2) == 0
	directions := [][]proxy.Direction{{proxy.Up, proxy.Down}, {proxy.Up}, {proxy.Down}}[h.random.IntN(3)]
	for _, way := range ways {
		way.Hold(directions...)
	}
	h.rest(ctx, time.Second, 15*time.Second)
	for _, way := range ways {
		if lost {
			way.Cut()
		}
		way.Release()
	}
	return nil
}

// hideBroker adds a worker, and lets it alone not reach one of the brokers for a while.
func (h *hit) hideBroker(ctx context.Context) error {
	w, err := h.herd.startBy(h.ownWays, true)
	if err != nil {
		return err
	}
	h.rest(ctx, time.Second, 5*time.Second)
	way := h.ownWays[h.random.IntN(len(h.ownWays))]
	if h.random.IntN(2) == 0 {
		way.Refuse(true)
		way.Cut()
	} else {
		way.Hold(proxy.Up, proxy.Down)
	}
	h.rest(ctx, h.session, h.session+15*time.Second)
	way.Refuse(false)
	way.Release()
	h.rest(ctx, 0, 3*time.Second)
	h.stop(w)
	return nil
}

// cutCommits cuts connections to Postgres within what a worker writes, whose commit is at its end;
// or just after, so that the commit happens and the answer is lost.
func (h *hit) cutCommits(ctx context.Context) error {
	const most = 100_000 // bytes: a write is from one command's to thousands'
	ways := h.pair.Proxies()
	for range 2 + h.random.IntN(6) {
		answers := h.random.IntN(2) == 0
		for _, way := range ways {
			if answers {
				way.Hold(proxy.Down)
			} else {
				way.CutWithin(1 + h.random.Int64N(most))
			}
		}
		h.rest(ctx, 20*time.Millisecond, time.Second)
		for _, way := range ways {
			if answers {
				way.Cut()
				way.Release()
			}
		}
		h.rest(ctx, 200*time.Millisecond, 2*time.Second)
	}
	return nil
}

func (h *hit) delayPostgres(ctx context.Context) error { return h.delay(ctx, h.pair.Proxies()) }
func (h *hit) cutPostgres(ctx context.Context) error   { return h.cut(ctx, h.pair.Proxies()) }
func (h *hit) holdPostgres(ctx context.Context) error  { return h.hold(ctx, h.pair.Proxies()) }
