package console

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
)

// liveLimits bound what following events takes.
type liveLimits struct {
	events    int           // that are kept
	bytes     int           // of them, with what is written of them
	keep      time.Duration // how long events are followed after the last reader
	look      time.Duration // how often Kafka is asked whether it is well, and for new partitions
	again     time.Duration // after which Kafka is tried again
	pace      time.Duration // between two messages to a browser
	heartbeat time.Duration // between two signs of life to who has nothing to read
	write     time.Duration // which a client may take to read what it is sent
}

var usualLive = liveLimits{
	events: 10_000, bytes: 32 << 20, keep: 5 * time.Minute,
	look: 5 * time.Second, again: 2 * time.Second,
	pace: 500 * time.Millisecond, heartbeat: 15 * time.Second, write: 10 * time.Second,
}

// live keeps the last events for all who follow them. One consumer reads them while anybody does,
// and for a while after that. Readers take from what is kept, and never hold it up.
type live struct {
	liveLimits

	program *cli.Program
	kafka   config.Kafka
	topic   string
	read    func(*kgo.Record) *liveEvent
	ends    context.Context // with the console
	running sync.WaitGroup

	mu      sync.Mutex // guards what follows
	run     string     // names what the consumer has read since it began; empty: there is none
	stop    context.CancelFunc
	events  []*liveEvent // that are kept, oldest first; their numbers have no gap
	size    int          // of them
	last    int64        // the number of the last event
	since   time.Time    // from when on events are read; zero: not yet
	problem string       // why they, or some of them, are not read now
	changed chan struct{}
	readers int
	rest    *time.Timer // ends the consumer
}

func newLive(ends context.Context, o Options, read func(*kgo.Record) *liveEvent) *live {
	return &live{liveLimits: usualLive, program: o.Program, kafka: o.Kafka, topic: o.Events.EventsTopic, read: read, ends: ends, changed: make(chan struct{})}
}

// join is called by who begins to read, and leave when it ends.
func (l *live) join() (leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers++
	if l.rest != nil {
		l.rest.Stop()
	}
	if l.run == "" {
		ctx, stop := context.WithCancel(l.ends)
		l.run, l.stop = strings.ToLower(rand.Text()[:10]), stop
		consumer := &liveConsumer{live: l, run: l.run, next: map[int32]int64{}, seen: map[int32]bool{}}
		l.running.Go(func() { consumer.consume(ctx) })
	}
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.readers--; l.readers == 0 {
			l.rest = time.AfterFunc(l.keep, l.endUnread)
		}
	})
}

// endUnread ends the consumer, and forgets the events, unless somebody reads.
func (l *live) endUnread() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readers == 0 {
		l.end()
	}
}

func (l *live) end() {
	if l.run == "" {
		return
	}
	l.stop()
	l.run, l.events, l.size, l.last, l.since, l.problem = "", nil, 0, 0, time.Time{}, ""
}

func (l *live) close() {
	l.mu.Lock()
	if l.rest != nil {
		l.rest.Stop()
	}
	l.end()
	l.mu.Unlock()
	l.running.Wait()
}

// add keeps events, and lets the oldest go.
func (l *live) add(run string, events []*liveEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if run != l.run || len(events) == 0 {
		return
	}
	for _, e := range events {
		l.last++
		e.number = l.last
		l.size += e.size
	}
	l.events = append(l.events, events...)
	drop := 0
	for len(l.events)-drop > 1 && (len(l.events)-drop > l.liveLimits.events || l.size > l.bytes) {
		l.size -= l.events[drop].size
		drop++
	}
	clear(l.events[:drop])
	l.events = l.events[drop:]
	l.wake()
}

// tell tells readers how the consumer is: whether it reads, and what is wrong.
func (l *live) tell(run string, reads bool, problem string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if run != l.run {
		return
	}
	begins := reads && l.since.IsZero()
	if begins {
		l.since = time.Now()
	}
	if begins || problem != l.problem {
		l.problem = problem
		l.wake()
	}
}

func (l *live) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// liveNews is what a reader has not seen.
type liveNews struct {
	liveState

	run     string       // whose events they are
	events  []*liveEvent // in order
	missed  int64        // events before them that are no longer kept
	changed <-chan struct{}
}

// liveState is how the consumer is.
type liveState struct {
	Since   time.Time
	Problem string
}

// known reports whether the consumer got so far that there is something to say.
func (s liveState) known() bool { return !s.Since.IsZero() || s.Problem != "" }

// after gives what comes after an event, at most so many.
func (l *live) after(number int64, most int) liveNews {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := liveNews{liveState: liveState{l.since, l.problem}, run: l.run, changed: l.changed}
	before := l.last - int64(len(l.events)) // the last that is no longer kept
	n.missed = max(0, before-number)
	from := min(max(number, before), l.last) - before
	n.events = append(n.events, l.events[from:min(int64(len(l.events)), from+int64(most))]...)
	return n
}

// latest gives the last events that a filter lets through, up to one of them, oldest first.
func (l *live) latest(f *liveFilter, upTo int64, most int) (events []*liveEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.last - int64(len(l.events))
	for i := min(upTo, l.last) - before - 1; i >= 0 && len(events) < most; i-- {
		if f.wants(l.events[i]) {
			events = append(events, l.events[i])
		}
	}
	slices.Reverse(events)
	return events
}

// name is what an event is called by who reads on from there: the run, and its number.
func (l *live) name(number int64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return nameOf(l.run, number)
}

func nameOf(run string, number int64) string { return run + "-" + strconv.FormatInt(number, 10) }

// find gives the number of the event from which somebody reads on. A name of another run, of this
// console or of the one before, is not ok: then it is the number before all that are kept.
func (l *live) find(name string) (number int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	run, text, _ := strings.Cut(name, "-")
	number, err := strconv.ParseInt(text, 10, 64)
	if run != l.run || err != nil || number < 0 || number > l.last {
		return l.last - int64(len(l.events)), false
	}
	return number, true
}

// newest is the number of the last event.
func (l *live) newest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// await returns when there is something to say, or the context ends.
func (l *live) await(ctx context.Context) liveState {
	for {
		n := l.after(0, 0)
		if n.known() {
			return n.liveState
		}
		select {
		case <-n.changed:
		case <-ctx.Done():
			return n.liveState
		}
	}
}
