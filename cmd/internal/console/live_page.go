package console

import (
	"context"
	"fmt"
	"slices"
	"time"

	"allocation/cmd/internal/cli"
)

const (
	livePath       = "/events"
	liveStreamPath = "/events/stream"
	liveFile       = "events.html"
	maxListed      = 200 // events of a page

	// beginTime is how long a page waits for the consumer to begin.
	beginTime = 2 * time.Second
)

// LiveEvents are the last events that the console has read.
type LiveEvents struct {
	ID      string       `json:"id"`                 // from which somebody reads on
	Since   *time.Time   `json:"since,omitempty"`    // events are read from then on
	Problem string       `json:"problem,omitempty"`  // why they are not read now
	LeftOut string       `json:"left_out,omitempty"` // says what is missing before the oldest
	Events  []*liveEvent `json:"events"`             // newest first

	liveFilter `json:"-"`

	Types  []string `json:"-"` // that there are
	Paused bool     `json:"-"`
	Stream string   `json:"-"` // where the page grows from
	Turn   string   `json:"-"` // the link that pauses or goes on
	All    string   `json:"-"` // the link without filters
	Kept   int      `json:"-"`
	KeyIs  string   `json:"-"` // what a key names
}

// filter reads the parameters by which events are chosen.
func (c *Console) filter(r *Request) liveFilter {
	f := liveFilter{r.Text("type"), r.Text("key"), r.Text("subject"), r.Text("correlation")}
	if f.Type != "" {
		f.Type = r.OneOf("type", c.Program.Vocabulary.Events...)
	}
	return f
}

// values are the parameters of the filter, and others.
func (f *liveFilter) values(more ...string) []string {
	return append(more, "type", f.Type, "key", f.Key, "subject", f.Subject, "correlation", f.Correlation)
}

// liveEvents is the page of the last events. With scripts it grows.
func (c *Console) liveEvents(ctx context.Context, r *Request) (*Answer, error) {
	f, paused, name := c.filter(r), r.Ticked("paused"), r.Text("at")
	if err := r.Err(); err != nil {
		return nil, err
	}
	defer c.live.join()()
	beginning, cancel := context.WithTimeout(ctx, beginTime)
	defer cancel()
	state := c.live.await(beginning)
	list := c.newList(f, paused)
	list.begin(name)
	view := list.view(state)
	return &Answer{Title: "Live events", Data: view, Shell: c.tail(&f)}, nil
}

// tail is the command that prints the same.
func (c *Console) tail(f *liveFilter) []Shell {
	if c.Product.Tail == nil {
		return nil
	}
	words := []string{"tail"}
	return []Shell{{"prints them as they come", c.Command(append(words, c.Product.Tail(f.Type, f.Key, f.Subject)...)...)}}
}

// liveList is the list of the last events that a browser shows.
type liveList struct {
	*Console
	liveFilter
	paused  bool
	events  []*liveEvent // oldest first
	last    int64        // the number of the last event that was looked at
	leftOut string
	gap     int64 // the number before which events are left out
}

func (c *Console) newList(f liveFilter, paused bool) *liveList {
	return &liveList{Console: c, liveFilter: f, paused: paused}
}

// begin fills the list, for who has read up to an event that has a name.
func (l *liveList) begin(name string) {
	at, known := l.live.find(name)
	l.last = l.live.newest()
	missed := l.live.after(at, 0).missed
	switch {
	case name == "":
	case !known:
		l.miss(notKept)
	case missed > 0:
		l.miss(leftOut(missed))
	}
	if l.paused && known {
		l.last = at
	}
	l.events = l.live.latest(&l.liveFilter, l.last, maxListed)
}

// miss has the list say what it misses, until all that it shows came after that.
func (l *liveList) miss(says string) { l.leftOut, l.gap = says, l.last }

// add adds events, and lets the oldest go. It reports whether that changed the list.
func (l *liveList) add(events []*liveEvent) (changed bool) {
	for _, e := range events {
		l.last = e.number
		if l.wants(e) {
			l.events = append(l.events, e)
			changed = true
		}
	}
	if drop := len(l.events) - maxListed; drop > 0 {
		clear(l.events[:drop])
		l.events = l.events[drop:]
		if l.events[0].number > l.gap {
			l.leftOut = ""
		}
	}
	return changed
}

// view is what a page shows of the list.
func (l *liveList) view(state liveState) *LiveEvents {
	v := &LiveEvents{
		ID: l.live.name(l.last), Problem: state.Problem, LeftOut: l.leftOut, Events: slices.Clone(l.events),
		liveFilter: l.liveFilter, Types: l.Program.Vocabulary.Events, Paused: l.paused, Kept: maxListed, KeyIs: l.Program.Vocabulary.Entity,
	}
	if !state.Since.IsZero() {
		since := state.Since.UTC()
		v.Since = &since
	}
	v.All = l.Link(livePath)
	v.Stream = l.Link(liveStreamPath, l.values("at", v.ID)...)
	v.Turn = l.Link(livePath, l.values("at", v.ID, "paused", "1")...)
	if l.paused {
		v.Turn = l.Link(livePath, l.values("at", v.ID)...)
	}
	if v.Events == nil {
		v.Events = []*liveEvent{} // in JSON a list
	}
	slices.Reverse(v.Events)
	return v
}

const notKept = "Events from before this console began to read are not kept: there may be some between those that were shown last and these."

func leftOut(n int64) string {
	return fmt.Sprintf("%s left out, because the console keeps the last ones only.", was(n))
}

func was(n int64) string {
	if n == 1 {
		return "1 event was"
	}
	return cli.CountOf(n, "event") + " were"
}
