package store

import (
	"slices"
	"sync"
	"time"
)

// xidClock tells the ages of transaction ids, from a few samples of which one was the next.
type xidClock struct {
	mu      sync.Mutex
	samples []xidSample
}

type xidSample struct {
	at   time.Time
	next int64
}

// precision is how many times longer ago a sample is than its neighbours are apart, at least. So a
// month of samples leaves a few hundred.
const precision = 16

func (c *xidClock) note(now time.Time, next int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.samples); n > 0 && c.samples[n-1].next > next {
		c.samples = nil // it is another server, or an earlier state
	}
	samples := slices.Concat(c.samples, []xidSample{{now, next}})
	kept := samples[:1]
	for i := 1; i < len(samples); i++ {
		last := i == len(samples)-1
		if last || samples[i+1].at.Sub(kept[len(kept)-1].at) > now.Sub(samples[i+1].at)/precision {
			kept = append(kept, samples[i])
		}
	}
	c.samples = kept
}

// age is how long ago an id was the next; of one that is older than all samples, what is certain.
func (c *xidClock) age(now time.Time, xid int64) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.samples) == 0 {
		return 0
	}
	since := c.samples[0].at
	for _, s := range c.samples {
		if s.next > xid {
			break
		}
		since = s.at
	}
	return now.Sub(since)
}
