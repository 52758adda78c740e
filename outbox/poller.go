package outbox

import (
	"context"
	"time"

	"allocation/outbox/pulse"
)

// nudgeAgain is after what time owners are asked again: each time they write what they publish at
// once for about twice as long, and a notification may be lost with its connection.
const nudgeAgain = 500 * time.Millisecond

// poller asks the table what other processes have published, while a row here waits for it.
type poller struct {
	relay  *Relay
	kicked chan struct{} // holds one token
	part   *pulse.Part

	// Of the goroutine alone.
	nudged map[int32]time.Time // when owners were asked
	seen   map[int32]int64     // how far sources were published
}

func newPoller(r *Relay) *poller {
	return &poller{relay: r, kicked: make(chan struct{}, 1), nudged: map[int32]time.Time{}, seen: map[int32]int64{}}
}

// kick says that something may wait for a foreign row.
func (p *poller) kick() { kick(p.kicked) }

func (p *poller) run(ctx context.Context) {
	for {
		select {
		case <-p.kicked:
			p.part.Begin()
			p.poll(ctx)
			p.part.Rest()
		case <-ctx.Done():
			return
		}
	}
}

// poll looks until nothing waits any more. A new wait begins again with short intervals, and so
// does any progress: rows may wait for each other in long chains, and each link costs a look.
func (p *poller) poll(ctx context.Context) {
	pace := p.relay.pace
	interval := pace.nudge
	clear(p.nudged)
	clear(p.seen)
	for p.rest(ctx, &interval) {
		ids := p.foreign()
		if len(ids) == 0 {
			return
		}
		p.nudge(ctx, ids)
		if p.look(ctx, ids) {
			interval = pace.poll
		} else {
			interval = max(pace.poll, min(interval*3/2, pace.pollMost))
		}
	}
}

// rest waits an interval. A kick makes the next ones short, but does not cut this one, so that
// kicks without end cost one query an interval.
func (p *poller) rest(ctx context.Context, interval *time.Duration) bool {
	if !pause(ctx, *interval) {
		return false
	}
	select {
	case <-p.kicked:
		*interval = p.relay.pace.poll
	default:
	}
	return true
}

// foreign are the sources that something waits for and that memory cannot answer for.
func (p *poller) foreign() []int32 {
	var ids []int32
	for id, row := range p.relay.waits.awaited() {
		owner := p.relay.source(id)
		if owner != nil {
			if _, known := owner.watch(row); known {
				continue
			}
		}
		ids = append(ids, id)
	}
	return ids
}

// nudge asks the owners who were not asked lately. A failure is no matter: they write by themselves
// before long.
func (p *poller) nudge(ctx context.Context, ids []int32) {
	var fresh []int32
	now := time.Now()
	for _, id := range ids {
		if now.Sub(p.nudged[id]) >= nudgeAgain {
			p.nudged[id] = now
			fresh = append(fresh, id)
		}
	}
	if len(fresh) == 0 {
		return
	}
	if err := p.relay.table.Nudge(ctx, fresh); err != nil && ctx.Err() == nil {
		p.relay.health.tableFailed("nudge", err)
	}
}

// look tells those who wait how far others have published, and whether that is further than at the
// last look.
func (p *poller) look(ctx context.Context, ids []int32) (progress bool) {
	published, err := p.relay.table.Published(ctx, ids)
	p.part.Ill(err)
	if err != nil {
		if ctx.Err() == nil {
			p.relay.health.tableFailed("published", err)
		}
		return false
	}
	p.relay.health.tableAnswered()
	for id, row := range published {
		if before, looked := p.seen[id]; looked && row > before {
			progress = true
		}
		p.seen[id] = row
		p.relay.tell(id, row)
	}
	return progress
}
