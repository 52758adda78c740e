package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"allocation/cmd/internal/sender"
	"allocation/cmd/internal/web"
	"allocation/store"
)

// Bounds of what a process takes on at once, and of how long it takes.
const (
	maxReading = 32  // that read the tables
	maxSending = 128 // that wait for one partition of Kafka
	maxWaiting = 2048
	readTime   = 3 * time.Second
	sendTime   = 5 * time.Second
)

// Options are what an API needs.
type Options struct {
	Store  *store.Store // whose sessions end long statements
	Sender *sender.Sender
	Door   *web.Door
	Logger *slog.Logger
}

// API answers requests.
type API struct {
	Options

	handler  http.Handler
	all      []route
	outcomes *outcomes
	reading  chan struct{} // a place for each request that reads
	sending  lanes
	shop     *shop
}

// New makes one. It waits for outcomes until the context ends.
func New(ctx context.Context, o Options) (*API, error) {
	a := &API{Options: o, reading: make(chan struct{}, maxReading), sending: lanes{waiting: map[int32]int{}}}
	a.outcomes = newOutcomes(ctx, a.readRequests)
	a.all = a.routes()
	var err error
	a.shop, err = newShop(a)
	a.handler = a.guard(http.NewCrossOriginProtection())
	go a.outcomes.run(ctx)
	return a, err
}

// ServeHTTP answers.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// guard refuses who must not ask.
func (a *API) guard(origins *http.CrossOriginProtection) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetPolicy(w.Header())
		switch err := origins.Check(r); {
		case r.URL.Path == "/livez" && r.Method == http.MethodGet:
			_, _ = w.Write([]byte("ok\n"))
		case !a.Door.Knows(r.Host):
			problem(http.StatusMisdirectedRequest, "This is not the host that was asked for", "the request is for the host %q, which this does not go by: --api-hosts names the hosts behind a proxy", web.HostOf(r.Host)).write(w)
		case err != nil:
			problem(http.StatusForbidden, "This is not allowed", "%v", err).write(w)
		case !strings.HasPrefix(r.URL.Path, "/v1/") && r.URL.Path != "/v1":
			a.shop.ServeHTTP(w, r)
		case !a.Door.Opens(r):
			says := "send it as Authorization: Bearer TOKEN"
			if r.Header.Get("Authorization") != "" {
				a.Door.WrongToken(r)
				says = "what was sent is not the token, as Authorization: Bearer TOKEN"
			}
			problem(http.StatusUnauthorized, "A token is needed", "%s", says).with("WWW-Authenticate", "Bearer").write(w)
		default:
			a.serve(w, r)
		}
	})
}

// serve answers a request of the API.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	answer, err := a.answer(r)
	if err != nil {
		a.problemOf(r, err).write(w)
		return
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer.body); err != nil {
		a.problemOf(r, err).write(w)
		return
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	_, _ = w.Write(body.Bytes()) // who asked may have gone
}

func (a *API) answer(r *http.Request) (*answer, error) {
	found, path, problem := a.find(r)
	if problem == nil {
		problem = accepts(r.Header)
	}
	if problem != nil {
		return nil, problem
	}
	asked, problem := newRequest(r.Context(), r, path)
	if problem != nil {
		return nil, problem
	}
	return found.handle(asked)
}

// problemOf says what an error means to who asked.
func (a *API) problemOf(r *http.Request, err error) *Problem {
	var known *Problem
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &pg) && pg.Code == "57014":
		return busy("the database did not answer within %s", readTime)
	}
	a.Logger.Error("a request could not be answered", "method", r.Method, "path", r.URL.Path, "error", err)
	return busy("the database cannot be read now")
}

// place takes a place, if one is free, and gives it back by the function.
func place(places chan struct{}) (free func(), ok bool) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, true
	default:
		return nil, false
	}
}

// read calls a function that reads the tables, while few others do.
func (a *API) read(ctx context.Context, do func(context.Context) error) error {
	free, ok := place(a.reading)
	if !ok {
		return busy("%d others read just now", maxReading)
	}
	defer free()
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	return do(ctx)
}
