package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// eventStream is what streams are in.
const eventStream = "text/event-stream"

// maxTaken bounds the events that are written to a program at once.
const maxTaken = 256

// liveReader writes what a reader of a stream has not seen.
type liveReader interface {
	// begin is called once, with the name of the event that was read last; empty: none was.
	begin(name string)

	// write writes news, and reports whether anything was written.
	write(s *sseWriter, n liveNews) bool

	// read is the number of the last event that was read, and most how many are taken at once.
	read() int64
	most() int

	// drop tells that events were left out because they were read too slowly.
	drop(s *sseWriter, n liveNews)
}

// orFollow has who accepts a stream of events follow them.
func (c *Console) orFollow(page *Page, twin http.Handler) http.Handler {
	if page.Path != livePath {
		return twin
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), eventStream) {
			twin.ServeHTTP(w, r)
			return
		}
		c.followBy(w, r, 0, func(f liveFilter) liveReader { return &liveProgram{live: c.live, liveFilter: f} })
	})
}

// followList sends a browser its list each time that it changed, and no more often than it can
// take.
func (c *Console) followList(w http.ResponseWriter, r *http.Request) {
	c.followBy(w, r, c.live.pace, func(f liveFilter) liveReader { return &liveBrowser{liveList: c.newList(f, false)} })
}

func (c *Console) followBy(w http.ResponseWriter, r *http.Request, pace time.Duration, reader func(liveFilter) liveReader) {
	request := newRequest(r.URL.Query())
	f, name := c.filter(request), request.Text("at")
	if err := request.Err(); err != nil {
		c.refuseStream(w, r, err)
		return
	}
	free, ok := c.slot()
	if !ok {
		w.Header().Set("Retry-After", "10")
		c.refuseStream(w, r, &Failure{Status: http.StatusServiceUnavailable, Title: "Too many follow events", Says: []string{fmt.Sprintf("%d readers follow events, and the console serves no more at once: ask again later", maxStreams)}})
		return
	}
	defer free()
	defer c.live.join()()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(c.streams, cancel)()
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		name = last
	}
	s := newSSEWriter(w, c.live.write)
	follower := reader(f)
	c.live.await(ctx)
	follower.begin(name)
	c.live.follow(ctx, s, follower, pace)
}

// refuseStream says why there is no stream. A page that wanted to grow shows it.
func (c *Console) refuseStream(w http.ResponseWriter, r *http.Request, err error) {
	if c.isTwin(r) {
		c.fail(w, r, err)
		return
	}
	failure := c.failureOf(r.Context(), err)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(failure.Status)
	_ = c.templates[liveFile].ExecuteTemplate(w, "live-refused", failure)
}

// follow writes to a reader until the context ends, or the reader does not keep up.
func (l *live) follow(ctx context.Context, s *sseWriter, reader liveReader, pace time.Duration) {
	heartbeat := time.NewTicker(l.heartbeat)
	defer heartbeat.Stop()
	slow := pace == 0 // whether what it misses is its own doing: to a browser little is sent
	for {
		n := l.after(reader.read(), reader.most())
		if n.missed > 0 && slow {
			reader.drop(s, n)
			_ = s.flush() // it ends anyway
			return
		}
		wrote := reader.write(s, n)
		began := time.Now()
		if wrote && s.flush() != nil {
			return
		}
		slow = pace == 0 || time.Since(began) > pace
		if wrote && !wait(ctx, pace) || ctx.Err() != nil {
			return
		}
		if len(n.events) > 0 {
			continue // there may be more
		}
		select {
		case <-n.changed:
		case <-heartbeat.C:
			s.id(l.name(reader.read()))
			s.comment()
			if s.flush() != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// wait reports whether the context goes on after a while.
func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// liveBrowser is sent its whole list.
type liveBrowser struct {
	*liveList
	told liveState
	sent bool
}

func (b *liveBrowser) read() int64 { return b.last }
func (b *liveBrowser) most() int   { return b.live.liveLimits.events }

func (b *liveBrowser) write(s *sseWriter, n liveNews) bool {
	if n.missed > 0 {
		b.miss(leftOut(n.missed))
	}
	changed := b.add(n.events)
	if !changed && b.sent && n.liveState == b.told {
		return false
	}
	b.told, b.sent = n.liveState, true
	b.send(s)
	return true
}

func (b *liveBrowser) send(s *sseWriter) {
	var list bytes.Buffer
	view := b.view(b.told)
	if err := b.templates[liveFile].ExecuteTemplate(&list, "live", view); err != nil {
		b.Logger.Error("write events", "error", err)
	}
	s.message("", view.ID, list.Bytes())
}

func (b *liveBrowser) drop(s *sseWriter, n liveNews) {
	b.miss(tooSlow(n.missed))
	b.send(s)
}

// liveProgram is sent each event as JSON.
type liveProgram struct {
	live *live
	liveFilter
	last    int64
	leftOut string
	told    liveState
}

// liveTold is the data of what a program is told beside events.
type liveTold struct {
	Since   *time.Time `json:"since,omitempty"`    // events are read from then on
	Problem string     `json:"problem,omitempty"`  // why they, or some of them, are not read now
	LeftOut string     `json:"left_out,omitempty"` // says what is missing before the next event
}

func (p *liveProgram) begin(name string) {
	if name == "" {
		p.last = p.live.newest()
		return
	}
	at, known := p.live.find(name)
	p.last = at
	if missed := p.live.after(at, 0).missed; !known {
		p.leftOut = notKept
	} else if missed > 0 {
		p.last += missed
		p.leftOut = leftOut(missed)
	}
}

func (p *liveProgram) read() int64 { return p.last }
func (p *liveProgram) most() int   { return maxTaken }

func (p *liveProgram) write(s *sseWriter, n liveNews) bool {
	wrote := n.liveState != p.told
	if wrote {
		p.tell(s, "state", n.liveState)
	}
	for _, e := range n.events {
		p.last = e.number
		if p.wants(e) {
			s.message("", nameOf(n.run, p.last), e.json())
			wrote = true
		}
	}
	return wrote
}

func (p *liveProgram) drop(s *sseWriter, n liveNews) {
	p.leftOut = tooSlow(n.missed)
	p.tell(s, "dropped", n.liveState)
}

func (p *liveProgram) tell(s *sseWriter, event string, state liveState) {
	p.told = state
	told := liveTold{Problem: state.Problem, LeftOut: p.leftOut}
	if !state.Since.IsZero() {
		since := state.Since.UTC()
		told.Since = &since
	}
	data, _ := json.Marshal(told) // it is text and a time
	s.message(event, p.live.name(p.last), data)
	p.leftOut = ""
}

func tooSlow(n int64) string {
	return fmt.Sprintf("This reader was too slow: %s left out. The stream ends here, and may be asked for again.", was(n))
}
