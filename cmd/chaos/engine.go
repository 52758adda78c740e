package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// kind is a kind of fault.
type kind struct {
	name   string
	weight int    // how often, relative to others, unless the mix says otherwise
	needs  string // what two faults must not have at the same time; empty: nothing
	strike func(h *hit, ctx context.Context) error
}

// hit is one fault at work. It mends what it broke before it returns, also when its context ends.
type hit struct {
	*campaign
	random *rand.Rand
}

// between is a random length of time.
func (h *hit) between(least, most time.Duration) time.Duration {
	return least + time.Duration(h.random.Int64N(int64(most-least)+1))
}

// rest lets a random time pass, or less when the faults are over.
func (h *hit) rest(ctx context.Context, least, most time.Duration) { rest(ctx, h.between(least, most)) }

// errSkipped is a fault's answer when it cannot be now.
var errSkipped = errors.New("not now")

// most faults go on at the same time.
const maxAtOnce = 4

// engine strikes. At first each kind once, then at random.
type engine struct {
	campaign *campaign
	random   *rand.Rand
	weighted []kind // each as often as the mix says

	mu     sync.Mutex
	first  []kind         // that have never struck
	struck map[string]int // how often
	taken  map[string]bool
	active int
}

func newEngine(c *campaign) *engine {
	e := &engine{campaign: c, random: rand.New(rand.NewPCG(c.seed, 1)), struck: map[string]int{}, taken: map[string]bool{}}
	for _, k := range kinds {
		if weight := c.mix[k.name]; weight > 0 {
			e.first = append(e.first, k)
			e.weighted = append(e.weighted, slices.Repeat([]kind{k}, weight)...)
		}
	}
	e.random.Shuffle(len(e.first), func(i, j int) { e.first[i], e.first[j] = e.first[j], e.first[i] })
	return e
}

// run strikes for the campaign's time, and returns when every fault is mended. On a slow machine it
// goes on, three times as long at most, until each kind has struck once. An error is the campaign's
// own failure, and ends it early.
func (e *engine) run(ctx context.Context) error {
	ctx, over := context.WithCancel(ctx)
	defer over()
	began := time.Now()
	hits, ctx := errgroup.WithContext(ctx)
	for rest(ctx, min(e.pause(), e.left(began))) && e.left(began) > 0 {
		k, ok := e.choose()
		if !ok || !e.acquire(k) {
			e.postpone(k)
			continue
		}
		seed := e.random.Uint64()
		hits.Go(func() error {
			defer e.release(k)
			return e.strike(ctx, k, seed)
		})
	}
	over()
	return hits.Wait()
}

// left is for how long it is to strike yet.
func (e *engine) left(began time.Time) time.Duration {
	const slow = 3 // times as long
	e.mu.Lock()
	defer e.mu.Unlock()
	duration := e.campaign.duration
	if len(e.first) > 0 {
		duration *= slow
	}
	return duration - time.Since(began)
}

// pause is from one fault to the next.
func (e *engine) pause() time.Duration {
	return time.Duration(min(e.random.ExpFloat64(), 4) * float64(e.campaign.every))
}

func (e *engine) choose() (kind, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.first) > 0 {
		k := e.first[0]
		e.first = e.first[1:]
		return k, true
	}
	if len(e.weighted) == 0 {
		return kind{}, false
	}
	return e.weighted[e.random.IntN(len(e.weighted))], true
}

// postpone has a kind that has never struck, and cannot now, come again soon.
func (e *engine) postpone(k kind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if k.strike != nil && e.struck[k.name] == 0 {
		e.first = append(e.first, k)
	}
}

// skipped notes that a kind could not be.
func (e *engine) skipped(k kind) {
	e.mu.Lock()
	e.struck[k.name]--
	e.mu.Unlock()
	e.postpone(k)
}

func (e *engine) acquire(k kind) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.taken[k.needs] || e.active >= maxAtOnce {
		return false
	}
	e.active++
	e.struck[k.name]++
	e.taken[k.needs] = k.needs != ""
	return true
}

func (e *engine) release(k kind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.active--
	delete(e.taken, k.needs)
}

// strike has a fault happen. Its error says that it could not be mended: the campaign is over then.
func (e *engine) strike(ctx context.Context, k kind, seed uint64) error {
	c := e.campaign
	s := c.journal.begin(k.name)
	c.say("%s begins", k.name)
	err := k.strike(&hit{campaign: c, random: rand.New(rand.NewPCG(seed, 0))}, ctx)
	switch {
	case errors.Is(err, errSkipped):
		c.journal.drop(s)
		c.say("%s cannot be now", k.name)
		e.skipped(k)
		return nil
	case err != nil:
		err = fmt.Errorf("%s: %w", k.name, err)
		c.say("%v", err)
	}
	c.journal.end(s)
	c.say("%s ends after %s", k.name, s.ended.Sub(s.began).Round(time.Millisecond))
	return err
}
