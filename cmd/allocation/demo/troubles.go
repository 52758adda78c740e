package demo

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/console"
)

// troubles make troubles for people to see, one of a kind at a time. They end with the context.
type troubles struct {
	*services
	ctx    context.Context
	client *kgo.Client
	db     *pgxpool.Pool
	kinds  []*trouble

	mu      sync.Mutex
	running sync.WaitGroup
}

// trouble is something that may go wrong.
type trouble struct {
	id    string
	title string
	does  string
	seen  string // what will be seen
	mends string // what ends it
	lasts time.Duration

	// begin does what can be done at once, and gives what takes longer; nil: it is over.
	begin func(context.Context, *happened) (rest func(context.Context) error, err error)

	last *happened // nil: it was not made yet
}

// happened is what a trouble did. In JSON it is that of the page.
type happened struct {
	Began    time.Time  `json:"began"`
	Until    *time.Time `json:"until,omitempty"`
	On       bool       `json:"on"`
	Did      []string   `json:"did"`
	Links    []link     `json:"links"`
	Commands []command  `json:"commands"`
	Problem  string     `json:"problem,omitempty"`
}

// command is one for a person to type.
type command struct {
	Says    string `json:"says"`
	Command string `json:"command"`
}

// link leads to a page of the console.
type link struct {
	Says string `json:"says"`
	Path string `json:"path"`
	ID   string `json:"id,omitempty"`

	FromTopic string `json:"from_topic,omitempty"` // "1": the page looks into the topic, too
}

func (h *happened) did(format string, args ...any) {
	h.Did = append(h.Did, fmt.Sprintf(format, args...))
}

func (h *happened) page(says, path, id string) {
	h.Links = append(h.Links, link{Says: says, Path: path, ID: id})
}

func (h *happened) command(says, line string) { h.Commands = append(h.Commands, command{says, line}) }

func newTroubles(ctx context.Context, s *services) (*troubles, error) {
	t := &troubles{services: s, ctx: ctx}
	t.kinds = t.all()
	var err error
	if t.client, err = kgo.NewClient(kgo.SeedBrokers(s.Brokers()), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.ProducerLinger(0), kgo.MetadataMinAge(100*time.Millisecond)); err != nil {
		return nil, err
	}
	if t.db, err = pgxpool.New(ctx, s.URL()); err != nil {
		t.client.Close()
		return nil, err
	}
	return t, nil
}

const stockedSQL = `select count(*) from allocation.products where sku = any($1)`

// stocked returns when stock knows all articles: before, it would reject them.
func (t *troubles) stocked(ctx context.Context) error {
	return cli.Until(ctx, func(ctx context.Context) (bool, error) {
		var known int
		err := t.db.QueryRow(ctx, stockedSQL, articles).Scan(&known)
		return err == nil && known == len(articles), nil
	})
}

// close waits for the troubles that are on, whose context has ended.
func (t *troubles) close() {
	t.running.Wait()
	t.client.Close()
	t.db.Close()
}

// do makes the trouble that a form names.
func (t *troubles) do(ctx context.Context, r *console.Request) (next string, err error) {
	kind := r.Required("kind")
	at := slices.IndexFunc(t.kinds, func(k *trouble) bool { return k.id == kind })
	if kind != "" && at < 0 {
		r.Refuse("kind", "a trouble of the page")
	}
	if err := r.Err(); err != nil {
		return "", err
	}
	k := t.kinds[at]
	h := &happened{Began: time.Now(), On: true, Did: []string{}, Links: []link{}, Commands: []command{}}
	if k.lasts > 0 {
		until := h.Began.Add(k.lasts)
		h.Until = &until
	}
	if !t.claim(k, h) {
		return "", &console.Failure{
			Status: http.StatusConflict, Title: "This trouble is on already", Says: []string{k.title + ": one at a time; it ends by itself"},
			Links: []console.FailureLink{{Says: "all troubles", Link: "/trouble"}},
		}
	}
	made := *h // not seen by others before it is whole
	rest, err := k.begin(ctx, &made)
	if err != nil {
		made.Problem = "it could not be made: " + err.Error()
	}
	made.On = rest != nil
	t.put(k, &made)
	if rest != nil {
		t.running.Go(func() {
			err := rest(t.ctx)
			over := made
			over.On = false
			if err != nil && t.ctx.Err() == nil {
				over.Problem = err.Error()
				t.Logger().Error("a trouble did not end as it should", "trouble", k.id, "error", err)
			}
			t.put(k, &over)
		})
	}
	return "/trouble#" + k.id, nil
}

// claim reports whether the trouble was not on; now it is.
func (t *troubles) claim(k *trouble, h *happened) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.last != nil && k.last.On || t.ctx.Err() != nil {
		return false
	}
	k.last = h
	return true
}

func (t *troubles) put(k *trouble, h *happened) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k.last = h
}

// TroublePage is the page of troubles. In JSON it is for tests.
type TroublePage struct {
	Troubles []TroubleView `json:"troubles"`
	Exports  []string      `json:"exports"`
	Path     string        `json:"path"` // has a shell find the programs
}

// TroubleView is a trouble, and what it did last.
type TroubleView struct {
	ID    string    `json:"id"`
	Title string    `json:"title"`
	Does  string    `json:"does"`
	Seen  string    `json:"seen"`
	Mends string    `json:"mends"`
	Last  *happened `json:"last,omitempty"`
	Left  int64     `json:"seconds_left,omitempty"`
}

// page is the page of troubles. It reads no database: that may be one of them.
func (t *troubles) page(_ context.Context, r *console.Request) (*console.Answer, error) {
	if err := r.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &TroublePage{Exports: t.exports(), Path: t.path()}
	for _, k := range t.kinds {
		v := TroubleView{ID: k.id, Title: k.title, Does: k.does, Seen: k.seen, Mends: k.mends, Last: k.last}
		if k.last != nil && k.last.On && k.last.Until != nil {
			v.Left = max(0, int64(time.Until(*k.last.Until).Seconds())) + 1
		}
		p.Troubles = append(p.Troubles, v)
	}
	return &console.Answer{Title: "Trouble", Data: p, Refresh: 3 * time.Second}, nil
}
