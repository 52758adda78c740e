package console

import (
	"net/http"
	"strings"
	"time"

	"allocation/cmd/internal/web"
)

// What a console takes on at once.
const (
	maxRunning = 8  // pages that are being read
	maxWriting = 2  // files, which may take as long as their readers
	maxStreams = 64 // browsers that follow events
)

// guard refuses who must not read.
func (c *Console) guard(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetPolicy(w.Header())
		switch {
		case !c.door.Knows(r.Host):
			// The name of another site may lead here: a page of that site must not read this.
			c.fail(w, r, &Failure{Status: http.StatusMisdirectedRequest, Title: "This is not the host that was asked for", Says: []string{
				"the request is for the host " + web.HostOf(r.Host) + ", which this console does not go by: --console-hosts names the hosts of a console behind a proxy",
			}})
		case !c.door.Opens(r) && !c.public(r.URL.Path):
			c.askForToken(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// public reports whether a path needs no token.
func (c *Console) public(path string) bool {
	path, ok := strings.CutPrefix(path, c.Prefix)
	return ok && (path == "/sign-in" || strings.HasPrefix(path, "/static/"))
}

// slot takes a place for a stream, if one is free.
func (c *Console) slot() (free func(), ok bool) {
	select {
	case c.streaming <- struct{}{}:
		return func() { <-c.streaming }, true
	default:
		return nil, false
	}
}

// bounded lets so many requests read at once. A page that many wait for would only make all slower,
// and workers, too.
func (c *Console) bounded(places chan struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			if places == c.running {
				// Who reads slowly keeps no place from others. Not every writer has a deadline.
				_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * PageTime))
			}
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			c.fail(w, r, &Failure{Status: http.StatusServiceUnavailable, Title: "Too much is asked at once", Says: []string{"the console reads a few pages at once, so that workers are not slowed down: ask again"}})
		}
	})
}

func (c *Console) nothing(w http.ResponseWriter, r *http.Request) {
	if c.Prefix != "" && (r.URL.Path == "/" || r.URL.Path == c.Prefix) && r.Method == http.MethodGet {
		http.Redirect(w, r, c.Prefix+"/", http.StatusFound)
		return
	}
	c.fail(w, r, Missing("there is no page "+r.URL.Path))
}
