package outbox

import (
	"context"
	"time"
)

// nudgeAgain is after how many looks at the table the owners are asked again: a notification may be lost with its connection.
const nudgeAgain = 8

// poller asks the table for what others have published, while something here waits for it.
type poller struct {
	relay  *Relay
	kicked chan struct{} // holds one token
	ended  chan struct{}
}

func newPoller(r *Relay) *poller {
	return &poller{relay: r, kicked: make(chan struct{}, 1), ended: make(chan struct{})}
}

// kick says that something may wait for a foreign row.
func (p *poller) kick() {
	select {
	case p.kicked <- struct{}{}:
	default:
	}
}

func (p *poller) run(ctx context.Context) {
	defer close(p.ended)
	for {
		select {
		case <-p.kicked:
			p.poll(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// poll looks until nothing waits any more. A new wait begins again with short intervals.
func (p *poller) poll(ctx context.Context) {
	pace := p.relay.pace
	interval, looks, nudged := pace.nudge, 0, map[int32]bool{}
	for p.rest(ctx, &interval) {
		ids := p.foreign()
		if len(ids) == 0 {
			return
		}
		if looks++; looks%nudgeAgain == 0 {
			clear(nudged)
		}
		p.nudge(ctx, ids, nudged)
		p.look(ctx, ids)
		interval = max(pace.poll, min(interval*3/2, pace.pollMost))
	}
}

// rest waits an interval. A kick makes the next ones short, but does not cut this one, so that kicks without end cost one query an interval.
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

// nudge asks the owners who were not asked yet. A failure is no matter: they write by themselves before long.
func (p *poller) nudge(ctx context.Context, ids []int32, nudged map[int32]bool) {
	var fresh []int32
	for _, id := range ids {
		if !nudged[id] {
			nudged[id] = true
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

func (p *poller) look(ctx context.Context, ids []int32) {
	published, err := p.relay.table.Published(ctx, ids)
	if err != nil {
		if ctx.Err() == nil {
			p.relay.health.tableFailed("published", err)
		}
		return
	}
	p.relay.health.tableAnswered()
	for id, row := range published {
		p.relay.tell(id, row)
	}
}
